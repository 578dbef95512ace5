"""`nn`: the distance to the nearest reference (Matsumoto et al. 2025, Eq. 1), or the mean of the k nearest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.scorers import Fitted
from asdcli.scorers.checks import at_least_one
from asdcli.scorers.reference import Reference, Vectors
from asdcli.scorers.unit import UnitVectors


@dataclass(frozen=True)
class Nearest:
    """A(x) = min_y D(x, y); with k > 1 the mean of the k smallest distances.

    Source: Matsumoto et al. 2025, Eq. 1 and 2.

    Attributes:
        k: nearest references whose distances are averaged.
    """

    k: int = 1

    def __post_init__(self) -> None:
        at_least_one(nn_k=self.k)

    def fit(self, unit: UnitVectors) -> Fitted:
        reduced = ["k-reduced"] if self.k > len(np.unique(unit.train.clip)) - 1 and self.k > 1 else []
        found = {"n_reference": len(unit.reference), "k": self.k, "rules": [*unit.rules, *reduced]}
        return Fitted(self, {"reference": unit.reference}, found)

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        return nearest_distance(learnt["reference"], windows, self.k)


def nearest_distance(reference: Reference, queries: Vectors, k: int = 1) -> np.ndarray:
    """The mean of the k smallest D(x, y) of each query (n_queries,); of all there are where they are fewer than k."""

    def block(_: slice, __: np.ndarray, d: np.ndarray) -> np.ndarray:
        if k == 1:
            return d.min(axis=1)
        nearest = np.sort(np.partition(d, min(k, d.shape[1]) - 1, axis=1)[:, :k], axis=1)
        finite = np.isfinite(nearest)
        total = np.where(finite, nearest, 0.0).sum(axis=1)
        return np.divide(total, finite.sum(axis=1), out=np.full(len(d), np.inf), where=finite.any(axis=1))

    return np.concatenate(reference.near(queries, k, block))
