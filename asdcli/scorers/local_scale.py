"""The local scale b(y) of each reference row, also as it would be without one clip, and scores adjusted by it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.scorers.candidates import Form
from asdcli.scorers.distances import Weigh, nobody
from asdcli.scorers.groups import Groups
from asdcli.scorers.pools import Mean, Pool, UpToExit
from asdcli.scorers.reference import Reference
from asdcli.scorers.vectors import Vectors

Adjust = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From D (…, n_ref) and b (n_ref,) to what a score is the minimum of."""

ROUNDED = 2.0**-45
"""More than some dozens of roundings of numbers up to 1 in float64."""

_MEAN = Mean()


def same(d: np.ndarray) -> np.ndarray:
    return d


@dataclass(frozen=True, eq=False)
class LocalScale:
    """b(y, X_ref, K): the mean distance from y to its K nearest others (Eq. 4), limited to [low, high].

    Attributes:
        full: (n_ref,) b(y) over all of X_ref but y's own clip; NaN where there is no other clip.
        transform: a monotone function of distances that is applied before averaging.
        pool: what is done in place of averaging all K.
    """

    reference: Reference
    k: int
    transform: Callable[[np.ndarray], np.ndarray]
    full: np.ndarray
    low: float = -np.inf
    high: float = np.inf
    pool: Pool = _MEAN

    @staticmethod
    def of(
        reference: Reference,
        k: int,
        transform: Callable[[np.ndarray], np.ndarray] = same,
        *,
        pool: Pool = _MEAN,
        exit: float | None = None,
    ) -> LocalScale:
        """That of a reference set; with `exit` neighbours count up to a gap, which is a ratio below that quantile."""
        distances = transform(reference.neighbours(k)[1][:, :k])
        pool = pool if exit is None else UpToExit.of(distances, exit)
        return LocalScale(reference, k, transform, pool(distances), pool=pool)

    @staticmethod
    def from_learnt(
        learnt: Mapping[str, Any],
        k: int,
        transform: Callable[[np.ndarray], np.ndarray] = same,
        *,
        pool: Pool = _MEAN,
    ) -> LocalScale:
        """What `learnt` was made of."""
        pool = UpToExit.from_learnt(learnt) if "exits" in learnt else pool
        low, high = map(float, learnt["limits"])
        return LocalScale(learnt["reference"], k, transform, learnt["b"], low, high, pool)

    def learnt(self) -> dict[str, Any]:
        """What a scorer that divides or subtracts by b has learnt, as data."""
        limits = np.array([self.low, self.high])
        return {"reference": self.reference, "b": self.full, "limits": limits, **self.pool.learnt()}

    @property
    def alone(self) -> bool:
        """Whether there is a single clip, which has no neighbours and no b."""
        return bool(np.isnan(self.full).any())

    @property
    def k_used(self) -> int:
        """How many neighbours there were to average: K, or as many as there are."""
        found = np.isfinite(self.reference.neighbours(self.k)[1][:, : self.k]).sum(axis=1)
        return int(found.min(initial=self.k))

    @property
    def mean_k(self) -> dict[str, float]:
        """How many neighbours are averaged on average, where that is found out; as a diagnostic."""
        if not isinstance(self.pool, UpToExit) or self.alone:
            return {}
        distances = self.transform(self.reference.neighbours(self.k)[1][:, : self.k])
        return {"k_mean": float(self.pool.counts(distances).mean())}

    def limited(self, low: float, high: float) -> LocalScale:
        return dataclasses.replace(self, full=np.clip(self.full, low, high), low=low, high=high)

    def without(self, clips: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """b(rows[p]) over X_ref without clips[p] (strict leave-one-out): the next neighbour takes a lost one's place.

        Where that leaves y no neighbour at all, b(y) keeps its value over all of X_ref.
        """
        neighbours, distances = self.reference.neighbours(self.k)
        owners = self.reference.owners[neighbours]
        lost = np.zeros((len(rows), owners.shape[1]), bool)
        for own in np.moveaxis(owners, 2, 0):
            lost |= own[rows] == clips[:, None]
        b = np.clip(self.pool.without(self.transform(distances), rows, lost, self.k), self.low, self.high)
        return np.where(np.isnan(b), self.full[rows], b)

    def changed(self) -> Groups:
        """The rows y whose b(y) hangs on a clip, under the clip."""
        neighbours = self.reference.neighbours(self.k)[0][:, : self.k]
        owners = self.reference.owners[neighbours]
        y = np.broadcast_to(np.arange(len(neighbours))[:, None, None], owners.shape)
        return Groups(owners.ravel(), y.ravel())


def adjusted(
    scale: LocalScale, queries: Vectors, adjust: Adjust, weigh: Weigh | None = None, *, strict: bool = True
) -> np.ndarray:
    """min over y of adjust(D(x, y), b(y)) for each query x: (n_queries,), infinite where X_ref is all x's own clip.

    A query of a training clip sees b without that clip where `strict`; for other clips that makes no difference.
    `weigh` says what the same y is the minimum of, where that is linear in D (see `weighing`).
    """
    hangs = strict and np.isin(queries.clip, scale.reference.owners).any()
    changed = scale.changed() if hangs else None

    def block(rows: slice, columns: np.ndarray, d: np.ndarray) -> np.ndarray:
        a = adjust(scale.transform(d), scale.full[columns])
        if changed is not None:
            clips = queries.clip[rows]
            i, y = changed.of(clips)
            place = np.searchsorted(columns, y)
            a[i, place] = adjust(scale.transform(d[i, place]), scale.without(clips[i], y))
        return a.min(axis=1)

    also = nobody if changed is None else changed.of
    return np.concatenate(scale.reference.near(queries, 1, block, weigh, also))


def weighing(weight: np.ndarray | float, offset: np.ndarray | float = 0.0, error: np.ndarray | float = 0.0) -> Weigh:
    """`weight` D + `offset`, (n_ref,) or numbers: what has the same order as the scores of `adjusted`.

    `error`, in units of D, is by how much more than a few roundings float64 may change that order.
    """
    return lambda slack: Form(0.5 * weight, 0.5 * weight + offset, weight * (slack + error + ROUNDED))
