"""The local scale b(y) of each reference row, also as it would be without one clip, and scores adjusted by it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.scorers.pools import Mean, Pool, UpToExit
from asdcli.scorers.reference import Groups, Reference, Vectors

Adjust = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From D (…, n_ref) and b (n_ref,) to what a score is the minimum of."""


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

    def changes(self) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """A function of clips that gives all (i, y, b) where b(y) without clips[i] differs from b(y)."""
        neighbours = self.reference.neighbours(self.k)[0][:, : self.k]
        owners = self.reference.owners[neighbours]
        y = np.broadcast_to(np.arange(len(neighbours))[:, None, None], owners.shape)
        near = Groups(owners.ravel(), y.ravel())

        def of(clips: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            i, rows = near.of(clips)
            return i, rows, self.without(clips[i], rows)

        return of


def adjusted(scale: LocalScale, queries: Vectors, adjust: Adjust, *, strict: bool = True) -> np.ndarray:
    """min over y of adjust(D(x, y), b(y)) for each query x: (n_queries,), infinite where X_ref is all x's own clip.

    A query of a training clip sees b without that clip where `strict`; for other clips that makes no difference.
    """
    changes = scale.changes() if strict and np.isin(queries.clip, scale.reference.owners).any() else None

    def block(rows: slice, d: np.ndarray) -> np.ndarray:
        a = adjust(scale.transform(d), scale.full)
        if changes is not None:
            i, y, b = changes(queries.clip[rows])
            a[i, y] = adjust(scale.transform(d[i, y]), b)
        return a.min(axis=1)

    return np.concatenate(scale.reference.map(queries, block))
