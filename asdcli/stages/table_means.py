"""The columns of a comparison that are means over its other columns: of each subset, and of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from asdcli.metrics.across_seeds import Drawn

Place = tuple[str, str, str | None]
"""Dataset, subset and machine type (None: all): a column."""


@dataclass(frozen=True)
class MeanColumn:
    """One of them.

    Attributes:
        mean: which one, of `metrics.means`.
        subsets: `dev`, or `dev+eval`.
        of: the columns that it is over, each with the same weight.
    """

    mean: str
    subsets: str
    of: tuple[Place, ...]

    @property
    def place(self) -> Place:
        """Where it stands in the table."""
        return f"{self.mean} mean", self.subsets, None

    @property
    def datasets(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys(dataset for dataset, _, _ in self.of))

    def cell(self, cells: Mapping[Place, Drawn], seed: int) -> Drawn | None:
        """The mean of a row's `cells`; None where one is not there: it would not be of the same columns."""
        parts = {"/".join(place[:2]): cells[place] for place in self.of if place in cells}
        averaged = Drawn.averaged(parts, self.mean, seed) if len(parts) == len(self.of) else Drawn()
        return averaged if averaged.observed else None


def mean_columns(places: Sequence[Place]) -> Iterator[MeanColumn]:
    """The means over `places`: the arithmetic one of each subset and of all columns, the harmonic one of all."""
    subsets = list(dict.fromkeys(subset for _, subset, _ in places))
    for subset in subsets:
        own = tuple(place for place in places if place[1] == subset)
        if len(own) > 1:
            yield MeanColumn("arithmetic", subset, own)
    if len(places) < 2:
        return
    if len(subsets) > 1:
        yield MeanColumn("arithmetic", "+".join(subsets), tuple(places))
    yield MeanColumn("harmonic", "+".join(subsets), tuple(places))
