"""The training clips of a machine type in the order in which they were recorded, and what lies beside what there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from asdcli.filenames import natural
from asdcli.layouts.groups import in_blocks, stratum


@dataclass(frozen=True, eq=False)
class Timeline:
    """Training clips as they were recorded, those of a section and domain (a stratum) together.

    The order is that of their names, with numbers as numbers.

    Attributes:
        clips: (n,) rows of `Embedded.clips`.
        names: of the clips.
        strata: of the clips.
        group: of the clips, as indexed.
        margin: for how many clips what comes before and after is alike.
    """

    clips: np.ndarray
    names: list[str]
    strata: list[tuple[str, ...]]
    group: list[str | None]
    margin: int = 0

    @staticmethod
    def of(clips: np.ndarray, labels: Sequence[np.ndarray]) -> Timeline:
        """Of the rows `clips` (n,), with clip_id, section, domain and group of each in `labels` (n,)."""
        of_clips = zip(*labels, strict=True)
        rows = [(stratum(section, domain, name), name, group) for name, section, domain, group in of_clips]
        order = sorted(range(len(rows)), key=lambda row: (rows[row][0], natural(rows[row][1])))
        strata, names, group = (list(values) for values in zip(*(rows[row] for row in order), strict=True))
        return Timeline(clips[order], names, strata, group)

    def cut(self, size: int) -> list[str]:
        """The block of each clip, of `size` consecutive ones of a stratum."""
        return in_blocks(self.names, self.strata, size)

    def size_of_blocks(self) -> int | None:
        """How many clips the blocks have that they were cut into by their order; None where groups are others."""
        size = max(Counter(self.group).values())
        return size if len(set(self.group)) > 1 and self.cut(size) == self.group else None

    def runs(self, values: np.ndarray, wanted: np.ndarray) -> Iterator[np.ndarray]:
        """The `values` (n,) of the `wanted` clips (n,), consecutive ones of a stratum together."""
        change = (wanted[1:] != wanted[:-1]) | (self._number[1:] != self._number[:-1])
        for run in np.split(np.arange(len(values)), np.flatnonzero(change) + 1):
            if len(run) and wanted[run[0]]:
                yield values[run]

    def is_near(self, first: np.ndarray, second: np.ndarray, distance: int) -> np.ndarray:
        """(n_first, n_second) whether clips (by their place here) are of a stratum, and no further apart than that."""
        near = np.abs(first[:, None] - second[None]) <= distance
        return near & (self._number[first][:, None] == self._number[second][None])

    def beside(self, rows: np.ndarray) -> np.ndarray:
        """The clips (rows of `Embedded.clips`) that are as near to any of `rows` as the margin, these among them."""
        number = self._number
        wide = np.isin(self.clips, rows)
        for stratum_number in set(number[wide]):
            own = np.flatnonzero(number == stratum_number)  # they lie together
            marks = np.concatenate(
                [np.zeros(self.margin + 1), np.cumsum(wide[own]), np.full(self.margin, wide[own].sum())]
            )
            wide[own] = marks[2 * self.margin + 1 :] > marks[: len(own)]
        return self.clips[wide]

    @property
    def _number(self) -> np.ndarray:
        """(n,) number of the stratum of each clip."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(self.strata))}
        return np.array([numbers[name] for name in self.strata], np.int64)
