"""What a stage did: the file it made or found current, what it had to leave out, and what it found."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

F = TypeVar("F", bound="DataclassInstance")


@dataclass(frozen=True)
class NoFacts:
    """Nothing was counted: the output was there already."""


@dataclass(frozen=True, repr=False)
class Outcome(Generic[F]):
    """The result of one stage for one output.

    `current` means that the output was already there, made of the same inputs in the same way, and nothing was done.
    `facts` are counts and figures worth telling (clips, seconds, rates): a frozen dataclass of the stage's own, with
    None for what does not apply.
    """

    path: Path
    status: Literal["done", "current"] = "done"
    skipped: int = 0
    facts: F = field(default_factory=NoFacts)  # type: ignore[assignment]

    def plain(self) -> dict[str, Any]:
        """The facts that apply, as a plain dict; a class whose names depend on what was found says so in `plain`."""
        facts: Any = self.facts
        named = facts.plain() if hasattr(facts, "plain") else dataclasses.asdict(facts)
        return {name: value for name, value in named.items() if value is not None}

    def __str__(self) -> str:
        """One line: what was done, and the facts that are a number (`88 clips`) or a word (`edition dcase2023`)."""
        if self.status == "current":
            return f"up to date: {self.path}"
        facts = {k.replace("_", " "): v for k, v in self.plain().items() if isinstance(v, (int, float, str))}
        told = [f"{k} {v}" if isinstance(v, str) else f"{v} {_of(v, k)}" for k, v in facts.items()]
        return f"wrote {self.path}" + (f": {', '.join(told)}" if told else "")

    def __repr__(self) -> str:
        return f"<{self}>"


def _of(n: float, what: str) -> str:
    """`clip` of 1, `clips` of any other number; what is no plural stays."""
    return what.removesuffix("s") if n == 1 and isinstance(n, int) else what
