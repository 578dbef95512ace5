"""What a stage did: the file it made or found current, what it had to leave out, and what it found."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

F = TypeVar("F")


@dataclass(frozen=True, repr=False)
class Outcome(Generic[F]):
    """The result of one stage for one output.

    `current` means that the output was already there, made of the same inputs in the same way, and nothing was done.
    `facts` are counts and figures worth telling (clips, seconds, rates): a mapping, or a frozen dataclass where a stage
    finds more than that.
    """

    path: Path
    status: Literal["done", "current"] = "done"
    skipped: int = 0
    facts: F = field(default_factory=dict)  # type: ignore[assignment]

    def plain(self) -> dict[str, Any]:
        """The facts as a plain dict."""
        facts: Any = self.facts
        return dict(facts) if isinstance(facts, Mapping) else dataclasses.asdict(facts)

    def __str__(self) -> str:
        """One line: what was done, and the facts that are a number or a word."""
        if self.status == "current":
            return f"up to date: {self.path}"
        told = [f"{v} {k.replace('_', ' ')}" for k, v in self.plain().items() if isinstance(v, (int, float, str))]
        return f"wrote {self.path}" + (f": {', '.join(told)}" if told else "")

    def __repr__(self) -> str:
        return f"<{self}>"
