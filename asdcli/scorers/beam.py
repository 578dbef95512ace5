"""`beam`: a reference set a band of frequencies, and the mean of what a method says in each (arXiv 2603.13749)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.errors import BadData, UsageError
from asdcli.scorers import SCORERS, Fitted, Scorer, takes
from asdcli.scorers.checks import at_least_one
from asdcli.scorers.leverage import ON_FEW
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.spec import part

_BANDS = 8


@dataclass(frozen=True)
class Beam:
    """A(x) = (1 / F) sum_f A_f(x_f), A_f a method fitted on band f of the vectors alone.

    x_f are those of a vector's dimensions that band f is in, brought to unit length. With `method=nn` A_f is min_y
    D(x_f, y_f), the nearest neighbour of each band by itself; with `varmin` each band has a b and an alpha of its own.

    Which dimension is of which band the embedder says; its bands are put together into `bands` of as equal width as
    can be, lowest frequencies first. Of vectors that somebody brought nobody knows: there `bands` has to be typed, and
    each band is as many consecutive dimensions.

    Source: Saengthong and Shinozaki 2026, arXiv 2603.13749. VarMin in each band, TrainAll and K = 4: a public
    reproduction (kasahart/asd-experiments), which assumes an alpha of its own for each band.

    Attributes:
        bands: how many; none: 8, of an embedder that has bands.
        method: what scores a band, a method with its parameters.
    """

    bands: int | None = None
    method: str = part(SCORERS, "varmin:k=4")

    def __post_init__(self) -> None:
        at_least_one(beam_bands=self.bands)
        object.__setattr__(self, "method", SCORERS.canonical(self.method))
        if takes(self._scorer) != "embeddings" or isinstance(self._scorer, Beam):
            raise UsageError(f"beam cannot score a band by {self.method!r}", "write beam:method=nn or method=varmin")

    def fit(self, unit: UnitVectors) -> Fitted:
        columns = self._columns(unit)
        of_bands = [self._scorer.fit(unit.of_columns(one)) for one in columns]
        learnt: dict[str, Any] = {str(band): fitted for band, fitted in enumerate(of_bands)}
        learnt["columns"] = np.concatenate(columns)
        learnt["widths"] = np.array([len(one) for one in columns])
        return Fitted(self, learnt, found_in(of_bands))

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        scores = [learnt[str(b)].score(windows.of_columns(one)) for b, one in enumerate(_cut(learnt))]
        mean: np.ndarray = np.mean(scores, axis=0)
        return mean

    def restored(self, state: Mapping[str, np.ndarray], windows: Callable[[np.ndarray], Vectors]) -> dict[str, Any]:
        """What `fit` learnt, of its arrays: see `Fitted.from_state`."""
        learnt: dict[str, Any] = {name: state[name] for name in ("columns", "widths")}
        for band, columns in enumerate(_cut(learnt)):
            own = {n.partition(".")[2]: array for n, array in state.items() if n.startswith(f"{band}.")}

            def of_band(rows: np.ndarray, columns: np.ndarray = columns) -> Vectors:
                return windows(rows).of_columns(columns)

            learnt[str(band)] = Fitted.from_state(self._scorer, own, of_band)
        return learnt

    @property
    def _scorer(self) -> Scorer:
        scorer: Scorer = SCORERS.build(self.method)
        return scorer

    def _columns(self, unit: UnitVectors) -> list[np.ndarray]:
        """The dimensions of each band. Raises BadData where there are no such bands."""
        n_dims = unit.train.x.shape[1]
        layout = unit.bands
        if layout is None and unit.brought and self.bands is not None:
            if n_dims % self.bands:
                raise BadData(f"vectors of {n_dims} dimensions cannot be cut into {self.bands} bands of equal width")
            layout = np.arange(n_dims).reshape(self.bands, -1)
        if layout is None:
            raise BadData(*_without_bands(unit))
        wanted = _BANDS if self.bands is None else self.bands
        if wanted > len(layout):
            known = len(layout)
            raise BadData(f"there are {known} bands in these embeddings, not {wanted}", f"write beam:bands={known}")
        return [np.unique(rows) for rows in np.array_split(layout, wanted)]


def _without_bands(unit: UnitVectors) -> tuple[str, str]:
    if unit.brought:
        said = "nobody says which dimensions of these vectors are of which band of frequencies"
        return said, "say how many bands lie in them one after the other: -m beam:bands=8"
    said = "these embeddings have no bands of frequencies, or were made before embeddings said which"
    return said, "make them by an embedder that has: asd embed --embedder logmel --force"


def _cut(learnt: Mapping[str, Any]) -> list[np.ndarray]:
    """The dimensions of each band."""
    return np.split(learnt["columns"], np.cumsum(learnt["widths"])[:-1])


def found_in(of_bands: list[Fitted]) -> dict[str, Any]:
    """What was found in all bands: their means, and of what alpha hangs on that of the band where it hangs most."""
    every = [fitted.diagnostics for fitted in of_bands]
    rules = list(dict.fromkeys(rule for fitted in of_bands for rule in fitted.rules))
    found: dict[str, Any] = {"n_bands": len(every), "rules": rules}
    for name in dict.fromkeys(name for one in every for name in one):
        values = [one[name] for one in every if isinstance(one.get(name), int | float)]
        if len(values) == len(every):
            found[name] = values[0] if len(set(values)) == 1 else float(np.mean(values))
    hanging = [fitted.diagnostics for fitted in of_bands if ON_FEW in fitted.rules]
    if hanging:
        most = max(hanging, key=lambda one: one["leverage_top1"])
        found |= {name: most[name] for name in ("alpha", "leverage_top1", "top1_target", "alpha_without_top1")}
    return found
