"""Shards: a dataset's clips in n parts of one size, the same parts on every machine.

Clips stand in one row, machine type after machine type by name, each as clips.parquet has them; shard i of n is the
i-th n-th of that row. So which clips are a shard's follows from clips.parquet and n alone, no shard differs from
another by more than a block, and one after the other they are the whole. Where there are many machine types nearly all
lie in one shard; at most n - 1 are cut.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from asdcli.errors import UsageError

_SPELLED = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True)
class Shard:
    """Number `i` of `n`, counted from 1."""

    i: int
    n: int

    @classmethod
    def of(cls, text: str) -> Shard:
        """The shard that `2/4` means. Raises UsageError."""
        spelled = _SPELLED.fullmatch(text)
        i, n = map(int, spelled.groups()) if spelled else (0, 0)
        if not 1 <= i <= n:
            hint = f"of {n} shards the first is 1/{n}, the last {n}/{n}" if n else "of four shards the first is 1/4"
            raise UsageError(f"{text!r} is no shard", hint)
        return cls(i, n)

    @property
    def name(self) -> str:
        """As part of a file name."""
        return f"{self.i}-of-{self.n}"

    def __str__(self) -> str:
        return f"{self.i}/{self.n}"


@dataclass(frozen=True)
class Piece:
    """Consecutive clips of a machine type.

    Attributes:
        machine_type: its name.
        start, stop: the first clip, and the one after the last, among those of the machine type.
        n_clips: how many the machine type has.
    """

    machine_type: str
    start: int
    stop: int
    n_clips: int

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole machine type."""
        return self.stop - self.start == self.n_clips

    def __len__(self) -> int:
        return self.stop - self.start


def cut(n_clips: Mapping[str, int], n: int, block: int | None = 1) -> list[list[Piece]]:
    """The pieces of each of `n` shards, in their order; a shard may have none.

    Args:
        n_clips: machine type -> its clips, in the order in which they stand.
        n: shards.
        block: machine types are cut at multiples of so many clips; None: not at all.
    """
    total, begin = sum(n_clips.values()), 0
    shards: list[list[Piece]] = [[] for _ in range(n)]
    for machine_type, size in n_clips.items():
        end = begin + size
        for i in range(begin * n // total, -(-end * n // total)) if size else ():
            start, stop = (_rounded(total * k // n - begin, size, block or size) for k in (i, i + 1))
            if start < stop:
                shards[i].append(Piece(machine_type, start, stop, size))
        begin = end
    return shards


def _rounded(place: int, size: int, block: int) -> int:
    """The nearest place at which a machine type of `size` clips may be cut; its ends are such places too."""
    below = min(max(place, 0), size) // block * block
    above = min(below + block, size)
    return below if place - below <= above - place else above
