"""`rescale`: distances divided by the reference's local scale (Wilkinghoff et al., ICASSP 2025; Matsumoto Eq. 3-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from asdcli.scorers import Fitted
from asdcli.scorers.checks import at_least_one
from asdcli.scorers.local_scale import LocalScale, adjusted, same
from asdcli.scorers.nearest import nearest_distance
from asdcli.scorers.unit import UnitVectors
from asdcli.spec import always_spelled


@dataclass(frozen=True)
class Rescale:
    """A(x) = min_y D(x, y) / b(y), or min_y D(x, y) - b(y) with `form=difference`.

    `metric=euclidean` takes sqrt(D), which is half the Euclidean distance of unit vectors, in place of D. A zero
    b(y) (duplicate clips) is raised to a thousandth of the median of those above zero.
    """

    k: int = always_spelled(16)
    metric: Literal["cosine", "euclidean"] = "cosine"
    form: Literal["ratio", "difference"] = "ratio"

    def __post_init__(self) -> None:
        at_least_one(rescale_k=self.k)

    def fit(self, unit: UnitVectors) -> Fitted:
        scale = LocalScale.of(unit.reference, self.k, np.sqrt if self.metric == "euclidean" else same)
        found = {"n_reference": len(unit.reference), "k": scale.k_used, "n_floored": 0}
        if scale.k_used == 0:
            return Fitted(
                lambda queries: scale.transform(nearest_distance(unit.reference, queries)),
                found | {"rules": [*unit.rules, "single-reference"]},
            )
        rules = [*unit.rules, *(["k-reduced"] if scale.k_used < self.k else [])]
        if self.form == "difference":
            return Fitted(
                lambda queries: adjusted(scale, queries, lambda d, b: d - b),
                found | {"rules": rules},
            )
        floor = scale_floor(scale.full)
        n_floored = int((scale.full < floor).sum())
        scale = scale.limited(floor, np.inf)
        return Fitted(
            lambda queries: adjusted(scale, queries, lambda d, b: d / b),
            found | {"n_floored": n_floored, "rules": [*rules, *(["scale-floored"] if n_floored else [])]},
        )


def scale_floor(b: np.ndarray) -> float:
    """The least b(y) to divide by: 1e-3 of the median of those above zero, 1e-12 where all are zero."""
    positive = b[b > 0]
    return 1e-3 * float(np.median(positive)) if len(positive) else 1e-12
