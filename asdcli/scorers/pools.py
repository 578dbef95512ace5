"""How the distances from a reference to its neighbours become its local scale b: a mean, a weighted one, or of K(y)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

_NEGLIGIBLE = 1e-13  # weights of ranks beyond which the rest of them weighs less, distances being 1 at most
_MANY = 64  # neighbours, of which sorting them for every clip that is left out takes longest
_FEWEST = 2  # neighbours that are averaged even where the first of them already lies across a gap


class Pool(Protocol):
    """Distances to neighbours into one scale."""

    def __call__(self, distances: np.ndarray) -> np.ndarray:
        """(n,) b of distances (n, K), ascending, infinite where there is no neighbour; NaN where there is none."""
        ...

    def without(self, distances: np.ndarray, rows: np.ndarray, lost: np.ndarray, k: int) -> np.ndarray:
        """(n,) b of the references `rows` after some of their neighbours are lost: the next ones take their places.

        Args:
            distances: (n_ref, m) of all references, more than `k` where there are more.
            rows: (n,) which of them.
            lost: (n, m) bool, the neighbours that are none any more.
            k: neighbours that are pooled.
        """
        ...

    def learnt(self) -> dict[str, Any]:
        """What it found in a reference set, as data."""
        ...


@dataclass(frozen=True)
class Mean:
    """b = (1 / K) sum_k d_k (Matsumoto et al. 2025, Eq. 4), of all there are where they are fewer than K."""

    def __call__(self, distances: np.ndarray) -> np.ndarray:
        return mean_of(distances, np.isfinite(distances))

    def without(self, distances: np.ndarray, rows: np.ndarray, lost: np.ndarray, k: int) -> np.ndarray:
        return self(left_of(distances[rows], lost, k))

    def learnt(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class Ranked:
    """b = sum_k r^(k-1) d_k / sum_k r^(k-1): global weighted ranking pooling (GWRP).

    Source: Wilkinghoff et al. 2025, arXiv 2509.10951.
    """

    r: float

    def width(self, n: int) -> int:
        """How many of `n` neighbours weigh anything: the others together less than 1e-13 of all."""
        if self.r >= 1:
            return n
        return min(n, int(np.ceil(np.log(_NEGLIGIBLE) / np.log(self.r))))

    def __call__(self, distances: np.ndarray) -> np.ndarray:
        finite = np.isfinite(distances)
        weights = np.where(finite, self.r ** np.arange(distances.shape[1]), 0.0)
        total = (weights * np.where(finite, distances, 0.0)).sum(axis=1)
        return np.divide(total, weights.sum(axis=1), out=np.full(len(total), np.nan), where=finite.any(axis=1))

    def without(self, distances: np.ndarray, rows: np.ndarray, lost: np.ndarray, k: int) -> np.ndarray:
        one = lost[:, : k + 1].sum(axis=1) == 1
        if k < _MANY or not one.all():
            return self(left_of(distances[rows], lost, k))
        # sums up to the lost one stay, what comes after it moves up by one rank: no sorting of so many
        distances = distances[:, : k + 1]
        finite = np.isfinite(distances)
        terms = self.r ** np.arange(distances.shape[1]) * np.where(finite, distances, 0.0)
        upto = np.cumsum(terms, axis=1)
        place = lost[:, : k + 1].argmax(axis=1)
        before = upto[rows, place] - terms[rows, place]
        total = before + (upto[rows, -1] - upto[rows, place]) / self.r
        weights = np.append(0.0, np.cumsum(self.r ** np.arange(distances.shape[1])))[finite.sum(axis=1) - 1][rows]
        return np.divide(total, weights, out=np.full(len(total), np.nan), where=weights > 0)

    def learnt(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, eq=False)
class UpToExit:
    """b = (1 / K(y)) sum_{k <= K(y)} d_k: neighbours up to where the neighbourhood leaves y's cluster.

    r_k = d_k / d_{k+1}, s_k = (r_k + r_{k+1}) / 2 for k = 1 to K - 2. K(y) is the first k with s_k below `limits[k]`,
    which is a low quantile of the s_k of all references; K - 2 where there is none; and 2 at least. Of K up to 2 all
    are taken.

    Source: Wilkinghoff et al. 2026, arXiv 2602.18777 (cluster exit detection).

    Attributes:
        limits: (K - 2,) below which a smoothed ratio is a gap.
    """

    limits: np.ndarray

    @staticmethod
    def of(distances: np.ndarray, quantile: float) -> UpToExit:
        """That of the references whose distances to K neighbours each these are."""
        ratios = smoothed_ratios(distances)
        known = [one[~np.isnan(one)] for one in ratios.T]
        return UpToExit(np.array([np.quantile(one, quantile) if len(one) else 0.0 for one in known], np.float64))

    @staticmethod
    def from_learnt(learnt: Mapping[str, Any]) -> UpToExit:
        return UpToExit(learnt["exits"])

    def counts(self, distances: np.ndarray) -> np.ndarray:
        """(n,) K(y)."""
        if not len(self.limits):
            return np.full(len(distances), distances.shape[1])
        with np.errstate(invalid="ignore"):  # no neighbour, no gap
            gap = smoothed_ratios(distances) < self.limits
        first = np.where(gap.any(axis=1), gap.argmax(axis=1) + 1, len(self.limits))
        return np.maximum(first, _FEWEST)

    def __call__(self, distances: np.ndarray) -> np.ndarray:
        near = np.arange(distances.shape[1]) < self.counts(distances)[:, None]
        return mean_of(distances, near & np.isfinite(distances))

    def without(self, distances: np.ndarray, rows: np.ndarray, lost: np.ndarray, k: int) -> np.ndarray:
        return self(left_of(distances[rows], lost, k))

    def learnt(self) -> dict[str, Any]:
        return {"exits": self.limits}


def smoothed_ratios(distances: np.ndarray) -> np.ndarray:
    """(n, K - 2) s_k; 1 of neighbours that are both at 0, NaN where one of the three is not there."""
    nearer, further = distances[:, :-1], distances[:, 1:]
    ratios = np.divide(nearer, further, out=np.ones_like(nearer), where=(further > 0) & np.isfinite(further))
    ratios[~np.isfinite(further)] = np.nan
    return (ratios[:, :-1] + ratios[:, 1:]) / 2


def left_of(distances: np.ndarray, lost: np.ndarray, k: int) -> np.ndarray:
    """(n, k) the first k of each ascending row that are not lost, infinite where there are no more."""
    return np.sort(np.where(lost, np.inf, distances), axis=1)[:, :k]


def mean_of(distances: np.ndarray, which: np.ndarray) -> np.ndarray:
    """The mean of those entries of each row; NaN where there is none."""
    count = which.sum(axis=1)
    total = np.where(which, distances, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
