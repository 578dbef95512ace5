"""The validation sets X_val on which VarMin's alpha is fitted: the four of Matsumoto et al. 2025, Sec. 3, and one more.

`held-out` is not the paper's: the training clips that no model has seen, compared with clips of other groups, as test
clips are. Training clips that a model has seen lie closer together than any new clip lies to them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from asdcli.scorers.kmeans import cluster
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors, unit_norm
from asdcli.vocabulary import ValidationSet


@dataclass(frozen=True)
class Chosen:
    """One or more draws of validation windows, and the fallbacks that were taken to make them."""

    draws: list[Vectors]
    rules: list[str]


def choose(unit: UnitVectors, val: ValidationSet, *, clusters: int | None = None, n_draws: int = 1) -> Chosen:
    """X_val of the unit, all in one draw but for train-random. No set uses a condition; test-all uses no label at all.

    held-out: a draw for each fold of groups that are left out together; none where a model has seen all.
    train-random: all target windows and as many source windows, drawn without replacement (all, where they are fewer).
    train-cluster: all target windows and, of each K-means cluster of the source windows, the one closest to the
    centroid; `clusters` None means as many as a section has target windows: the paper's 3 in 2021 and 10 later.
    Both need both domains; without, they fall back to train-all.
    """
    if val == "test-all":
        return Chosen([unit.test], [])
    if val == "held-out":
        return Chosen([one.windows for one in unit.left_out], [] if unit.left_out else ["none-held-out"])
    if val == "train-all":
        return Chosen([unit.train], [])
    rules = list(unit.domain_rules)
    source, target = np.flatnonzero(~unit.is_target), np.flatnonzero(unit.is_target)
    if not len(source) or not len(target):
        missing = "no-target" if not len(target) else "no-source"
        return Chosen([unit.train], [*rules, missing, "val-train-all"])
    if val == "train-random":
        rng = np.random.default_rng(unit.seed_for("train-random"))
        n = min(len(target), len(source))
        picks = [rng.choice(source, n, replace=False) for _ in range(n_draws)]
        return Chosen([unit.train.take(np.sort(np.concatenate([p, target]))) for p in picks], rules)
    wanted = clusters or max(1, round(len(target) / unit.n_sections))
    n_clusters = min(wanted, len(source))
    pick = source[_representatives(unit, n_clusters)]
    rules += ["clusters-reduced"] * (n_clusters < wanted)
    return Chosen([unit.train.take(np.sort(np.concatenate([pick, target])))], rules)


@functools.lru_cache(maxsize=1)
def _representatives(unit: UnitVectors, n_clusters: int) -> np.ndarray:
    """Remembered for the next method that asks of the same unit: K-means is the dearest step of them all."""
    return representatives(unit.train.x[~unit.is_target], n_clusters, seed=unit.seed_for("train-cluster"))


def representatives(x: np.ndarray, n_clusters: int, *, seed: int) -> np.ndarray:
    """The row of `x` in each cluster that is closest to the centroid (of unit length); ties: the lowest row."""
    centroids, labels = cluster(x, n_clusters, seed=seed)
    likeness = np.einsum("nd,nd->n", x, unit_norm(centroids)[labels])
    order = np.lexsort((np.arange(len(x)), -likeness, labels))
    first = np.unique(labels[order], return_index=True)[1]
    return order[first]
