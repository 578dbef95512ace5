"""`nn`: the distance to the nearest reference (Matsumoto et al. 2025, Eq. 1), or the mean of the k nearest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.scorers import Fitted
from asdcli.scorers.checks import at_least_one
from asdcli.scorers.domains import by_domain, references
from asdcli.scorers.reference import Reference
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors


@dataclass(frozen=True)
class Nearest:
    """A(x) = min_y D(x, y); with k > 1 the mean of the k smallest distances.

    With `k_source` or `k_target` the mean of so many smallest distances within each domain, and the lesser of the two.

    Source: Matsumoto et al. 2025, Eq. 1 and 2. A k for each domain: ASDKit, arXiv 2507.10264.

    Attributes:
        k: nearest references whose distances are averaged.
        k_source: the same of the source domain by itself; none: `k`, where `k_target` is given.
        k_target: the same of the target domain by itself; none: `k`, where `k_source` is given.
    """

    k: int = 1
    k_source: int | None = None
    k_target: int | None = None

    def __post_init__(self) -> None:
        at_least_one(nn_k=self.k, nn_k_source=self.k_source, nn_k_target=self.k_target)

    def fit(self, unit: UnitVectors) -> Fitted:
        if self.k_source is None and self.k_target is None:
            of, rules, ks = {"reference": unit.reference}, [*unit.rules], {"reference": self.k}
            figures = {"k": self.k}
        else:
            (of, rules), ks = by_domain(unit), self._ks()
            figures = {f"k_{name}": ks[name] for name in of}
        reduced = [1 < ks[name] > len(np.unique(one.rows.clip)) - 1 for name, one in of.items()]
        rules += ["k-reduced"] * any(reduced)
        return Fitted(self, of, {"n_reference": sum(map(len, of.values())), **figures, "rules": rules})

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        if "reference" in learnt:
            return nearest_distance(learnt["reference"], windows, self.k)
        ks = self._ks()
        of = [nearest_distance(reference, windows, ks[name]) for name, reference in references(learnt).items()]
        least: np.ndarray = np.min(of, axis=0)
        return least

    def _ks(self) -> dict[str, int]:
        return {"source": self.k_source or self.k, "target": self.k_target or self.k}


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
