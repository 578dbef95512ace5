"""What is missing in a table: the commands that make it, told once, and a mark in every cell that waits for them."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence

from asdcli.scorers import PAPER
from asdcli.views.across_runs import RunResults
from asdcli.wording import listed

_MOST = 3  # commands that a note tells of; the records of a table have all


class Missing:
    """The commands that cells wait for."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}

    def mark(self, commands: Sequence[str]) -> str:
        """`[1]`: under this number a note says the commands."""
        return f"[{self._numbers.setdefault(tuple(dict.fromkeys(commands)), len(self._numbers) + 1)}]"

    def notes(self) -> Iterable[str]:
        """A sentence a mark."""
        for commands, number in self._numbers.items():
            yield f"[{number}] missing; it is made by: {listed(commands, _MOST, between='; ')}"


def to_make(run: RunResults, methods: Collection[str]) -> str:
    """The command line that makes the official scores of all these methods in a run that lacks them."""
    where = shlex.join(run.words)
    unscored = [method for method in methods if method not in run.scored]
    if not unscored:
        return f"asd evaluate {where}"
    asked = ["all"] if {*unscored} == {*PAPER} else unscored
    score = shlex.join(["asd", "score", *(word for m in asked for word in ("--method", m)), *run.words])
    return f"{score} && asd evaluate {where}"


def from_nothing(dataset: str, words: Mapping[str, str], *, is_edition: bool) -> str:
    """The command line that makes a run of a dataset from its recordings on.

    Args:
        dataset: its name.
        words: option of `asd run` without dashes -> value.
        is_edition: it is fetched first, both subsets of it.
    """
    begins = ["--edition", dataset, "--subset", "dev", "--subset", "eval"] if is_edition else ["--dataset", dataset]
    return shlex.join(["asd", "run", *begins, *(word for o, value in words.items() for word in (f"--{o}", value))])
