"""`rescale`: distances divided by the reference's local scale (Wilkinghoff et al., ICASSP 2025; Matsumoto Eq. 3-4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from asdcli.scorers import Fitted, scaled
from asdcli.scorers.checks import at_least_one, in_unit_interval
from asdcli.scorers.local_scale import LocalScale
from asdcli.scorers.terms import Terms
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.spec import always_spelled


@dataclass(frozen=True)
class Rescale:
    """A(x) = min_y D(x, y) / b(y), or min_y D(x, y) - b(y) with `form=difference`.

    A zero b(y) (duplicate clips) is raised to a thousandth of the median of those above zero.

    With `exit` b(y) averages K(y) <= k neighbours, up to where they leave the cluster of y. Of distances d_1 <= d_2 <=
    ... to them r_k = d_k / d_{k+1}, s_k = (r_k + r_{k+1}) / 2 for k = 1 to k - 2; K(y) is the first k with s_k below
    the quantile `exit` of the s_k of all references, k - 2 where there is none, and at least 2. The quantiles are those
    of the whole reference set, also where a training clip is scored without itself.

    Source: Wilkinghoff et al., ICASSP 2025; Matsumoto et al. 2025, Eq. 3 and 4. The difference: the code of the former,
    and Eq. 5 of the latter at alpha = 1. K(y): cluster exit detection, arXiv 2602.18777, which takes 4 %; that the
    quantile is one for each k, and 2 the least K(y), is our reading.

    Attributes:
        k: neighbours averaged in b.
        metric: `euclidean` takes sqrt(D), which is half the Euclidean distance of unit vectors, in place of D.
        form: divide by b, or take it away.
        exit: the quantile of smoothed ratios below which a gap lies, as 0.04; none: all k neighbours.
    """

    k: int = always_spelled(16)
    metric: Literal["cosine", "euclidean"] = "cosine"
    form: scaled.Form = "ratio"
    exit: float | None = None

    def __post_init__(self) -> None:
        at_least_one(rescale_k=self.k)
        in_unit_interval(rescale_exit=self.exit)

    def fit(self, unit: UnitVectors) -> Fitted:
        scale = LocalScale.of(unit.reference, self.k, self._transform, exit=self.exit)
        scale, found = scaled.settled(scale, self.form)
        return Fitted(self, scale.learnt(), found | {"rules": [*unit.rules, *found["rules"]]})

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        return scaled.score(self._scale(learnt), windows, self.form, rooted=self.metric == "euclidean")

    def terms(self, learnt: Mapping[str, Any], windows: Vectors) -> Terms | None:
        """What the score of each window is the minimum of; None where there is a single clip and no b."""
        measure = "D" if self.metric == "cosine" else "sqrt D"
        return scaled.terms(self._scale(learnt), windows, self.form, measure=measure)

    def _scale(self, learnt: Mapping[str, Any]) -> LocalScale:
        return LocalScale.from_learnt(learnt, self.k, self._transform)

    def _transform(self, d: np.ndarray) -> np.ndarray:
        return np.sqrt(d) if self.metric == "euclidean" else d
