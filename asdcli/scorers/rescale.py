"""`rescale`: distances divided by the reference's local scale (Wilkinghoff et al., ICASSP 2025; Matsumoto Eq. 3-4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from asdcli.scorers import Fitted
from asdcli.scorers.checks import at_least_one
from asdcli.scorers.local_scale import ROUNDED, LocalScale, adjusted, weighing
from asdcli.scorers.nearest import nearest_distance
from asdcli.scorers.reference import Vectors
from asdcli.scorers.terms import Terms
from asdcli.scorers.unit import UnitVectors
from asdcli.spec import always_spelled


@dataclass(frozen=True)
class Rescale:
    """A(x) = min_y D(x, y) / b(y), or min_y D(x, y) - b(y) with `form=difference`.

    A zero b(y) (duplicate clips) is raised to a thousandth of the median of those above zero.

    Source: Wilkinghoff et al., ICASSP 2025; Matsumoto et al. 2025, Eq. 3 and 4.

    Attributes:
        k: neighbours averaged in b.
        metric: `euclidean` takes sqrt(D), which is half the Euclidean distance of unit vectors, in place of D.
        form: divide by b, or take it away.
    """

    k: int = always_spelled(16)
    metric: Literal["cosine", "euclidean"] = "cosine"
    form: Literal["ratio", "difference"] = "ratio"

    def __post_init__(self) -> None:
        at_least_one(rescale_k=self.k)

    def fit(self, unit: UnitVectors) -> Fitted:
        scale = LocalScale.of(unit.reference, self.k, self._transform)
        found = {"n_reference": len(unit.reference), "k": scale.k_used, "n_floored": 0}
        if scale.alone:
            return Fitted(self, scale.learnt(), found | {"rules": [*unit.rules, "single-reference"]})
        rules = [*unit.rules, *(["k-reduced"] if found["k"] < self.k else [])]
        if self.form == "ratio":
            floor = scale_floor(scale.full)
            found["n_floored"] = int((scale.full < floor).sum())
            rules += ["scale-floored"] * bool(found["n_floored"])
            scale = scale.limited(floor, np.inf)
        return Fitted(self, scale.learnt(), found | {"rules": rules})

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        scale = LocalScale.from_learnt(learnt, self.k, self._transform)
        if scale.alone:
            return self._transform(nearest_distance(scale.reference, windows))
        if self.form == "ratio":
            weigh = weighing(scale.full**-2 if self.metric == "euclidean" else 1 / scale.full)
            return adjusted(scale, windows, np.divide, weigh)
        linear = self.metric == "cosine"
        weigh = weighing(1.0, -scale.full, ROUNDED * scale.full)
        return adjusted(scale, windows, np.subtract, weigh if linear else None)

    def terms(self, learnt: Mapping[str, Any], windows: Vectors) -> Terms | None:
        """What the score of each window is the minimum of; None where there is a single clip and no b."""
        scale = LocalScale.from_learnt(learnt, self.k, self._transform)
        if scale.alone:
            return None
        measure = "D" if self.metric == "cosine" else "sqrt D"
        if self.form == "ratio":
            return Terms.of(scale, windows, np.divide, measure=measure)
        return Terms.of(scale, windows, np.subtract, alpha=1.0, measure=measure)

    def _transform(self, d: np.ndarray) -> np.ndarray:
        return np.sqrt(d) if self.metric == "euclidean" else d


def scale_floor(b: np.ndarray) -> float:
    """The least b(y) to divide by: 1e-3 of the median of those above zero, 1e-12 where all are zero."""
    positive = b[b > 0]
    return 1e-3 * float(np.median(positive)) if len(positive) else 1e-12
