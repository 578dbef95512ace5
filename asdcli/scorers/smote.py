"""`smote`: nearest neighbour with interpolated target clips as further references (Matsumoto et al. 2025, Sec. 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.scorers import Fitted
from asdcli.scorers.checks import at_least_one, in_unit_interval
from asdcli.scorers.nearest import nearest_distance
from asdcli.scorers.reference import Reference
from asdcli.scorers.threads import one_thread
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors, unit_norm


@dataclass(frozen=True)
class Smote:
    """X_ref = source + target + synthetic target windows, so many that target : source becomes `ratio`.

    A synthetic window lies at a random point between a target window and one of its `k` nearest target neighbours
    (imbalanced-learn's SMOTE), and is then brought to unit length. A training clip is scored without itself and
    without the synthetic windows that it is an end of.

    Source: Matsumoto et al. 2025, Sec. 2.2; Chawla et al. 2002.

    Attributes:
        ratio: target windows, synthetic ones included, for each source window.
        k: nearest target neighbours, of which one is drawn.
    """

    ratio: float = 0.05
    k: int = 5

    def __post_init__(self) -> None:
        in_unit_interval(smote_ratio=self.ratio)
        at_least_one(smote_k=self.k)

    def fit(self, unit: UnitVectors) -> Fitted:
        rules = [*unit.rules, *unit.domain_rules]
        source, target = unit.train.take(~unit.is_target), unit.train.take(unit.is_target)
        wanted = int(np.floor(self.ratio * len(source) + 1e-9))  # 1e-9: 0.07 * 100 is 7, not 6
        k = min(self.k, len(target) - 1)
        reference, n_synthetic = unit.reference, 0
        if not len(target):
            rules.append("no-target")
        elif wanted <= len(target):
            rules.append("ratio-met" if len(source) else "no-source")
        elif k < 1:
            rules.append("single-target")
        else:
            if k < self.k:
                rules.append("smote-k-reduced")
            points = synthesise(target.x, wanted - len(target), k, seed=unit.seed_for("smote"))
            n_synthetic = len(points)
            ends = np.flatnonzero(unit.is_target)[segment_ends(points, target.x, k)]
            every = np.concatenate([np.arange(len(unit.train)), -1 - np.arange(n_synthetic)])
            reference = Reference(unit.train, every, unit_norm(points), ends, device=unit.device)
        found = {"n_reference": len(reference), "n_synthetic": n_synthetic, "k": max(k, 0), "rules": rules}
        return Fitted(self, {"reference": reference}, found)

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        return nearest_distance(learnt["reference"], windows)


def synthesise(target: np.ndarray, n_new: int, k: int, *, seed: int) -> np.ndarray:
    """The (n_new, n_dims) points that SMOTE adds to `target` (n, n_dims), not yet of unit length.

    Those of imbalanced-learn, bit for bit: its neighbours and its draws, without its import, which takes 0.2 s.
    """
    from sklearn.neighbors import NearestNeighbors

    with one_thread():
        search = NearestNeighbors(n_neighbors=k + 1).fit(target)
        nearest = search.kneighbors(target, return_distance=False)[:, 1:]
    rng = np.random.RandomState(seed)
    start, neighbour = np.divmod(rng.randint(nearest.size, size=n_new), k)
    share = rng.uniform(size=n_new)[:, None]
    points: np.ndarray = target[start] + share * (target[nearest[start, neighbour]] - target[start])
    return points


def segment_ends(points: np.ndarray, target: np.ndarray, k: int) -> np.ndarray:
    """Rows of `target` (n_points, 2) between which each point was interpolated: the pair it lies between exactly.

    A pair is a row and one of its k nearest others; |p - a| + |p - b| - |a - b| is zero on the segment, more elsewhere.
    """
    from scipy.spatial.distance import cdist

    between = cdist(target, target)
    others = between + np.diag(np.full(len(target), np.inf))
    a = np.repeat(np.arange(len(target)), k)
    b = np.argsort(others, axis=1, kind="stable")[:, :k].ravel()
    ends = np.empty((len(points), 2), dtype=np.intp)
    for i, point in enumerate(points):
        to = np.linalg.norm(target - point, axis=1)
        best = np.argmin(to[a] + to[b] - between[a, b])
        ends[i] = a[best], b[best]
    return ends
