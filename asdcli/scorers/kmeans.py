"""`kmeans`: nearest neighbour against source centroids and all target clips (Matsumoto et al. 2025, Sec. 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.scorers import Fitted
from asdcli.scorers.checks import at_least_one
from asdcli.scorers.nearest import nearest_distance
from asdcli.scorers.reference import Reference
from asdcli.scorers.threads import one_thread
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors, unit_norm

_NO_DIRECTION = 1e-6  # a centroid shorter than this lies at the origin


@dataclass(frozen=True)
class KMeans:
    """X_ref = the centroids of the source windows (brought back to unit length if `renormalise`) + all target windows.

    A training clip of the target domain is scored without itself. A source clip is scored against the centroids as they
    are: it has pulled one of them a little, so its score is slightly low.

    Source: Matsumoto et al. 2025, Sec. 2.2.

    Attributes:
        clusters: centroids of the source windows.
        n_init: starts of K-means, of which the best is taken.
        renormalise: bring the centroids to unit length.
    """

    clusters: int = 16
    n_init: int = 10
    renormalise: bool = True

    def __post_init__(self) -> None:
        at_least_one(kmeans_clusters=self.clusters, kmeans_n_init=self.n_init)

    def fit(self, unit: UnitVectors) -> Fitted:
        rules = [*unit.rules, *unit.domain_rules]
        source, target = unit.train.take(~unit.is_target), unit.train.take(unit.is_target)
        clusters = min(self.clusters, len(source))
        if not len(target):
            rules.append("no-target")
        if not clusters:
            rules.append("no-source")
            centroids = np.empty((0, unit.train.x.shape[1]))
        else:
            if clusters < self.clusters:
                rules.append("clusters-reduced")
            centroids, _ = cluster(source.x, clusters, seed=unit.seed_for("kmeans"), n_init=self.n_init)
        if self.renormalise:
            kept = np.linalg.norm(centroids, axis=1) > _NO_DIRECTION
            if not kept.all() and (kept.any() or len(target)):
                rules.append("centroid-dropped")
                centroids = centroids[kept]
            centroids = unit_norm(centroids)
        made = -1 - np.arange(len(centroids))
        chosen = np.concatenate([made, np.flatnonzero(unit.is_target)])
        reference = Reference(unit.train, chosen, centroids, device=unit.device)
        found = {"n_reference": len(reference), "clusters": len(centroids), "rules": rules}
        return Fitted(self, {"reference": reference}, found)

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        return nearest_distance(learnt["reference"], windows)


def cluster(x: np.ndarray, n_clusters: int, *, seed: int, n_init: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """K-means (k-means++, best of `n_init`): centroids (n_clusters, n_dims) and the cluster of each row of `x` (n,).

    One thread, so that the result does not depend on how many there are.
    """
    from sklearn.cluster import KMeans as Lloyd

    with one_thread():  # where there are fewer distinct points than clusters, centroids repeat
        fitted = Lloyd(n_clusters, init="k-means++", n_init=n_init, random_state=seed).fit(x)
    return fitted.cluster_centers_, fitted.labels_
