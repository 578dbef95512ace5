"""`gwrp`: distances held against a local scale of all neighbours, the nearest weighing most (arXiv 2509.10951)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.scorers import Fitted, scaled
from asdcli.scorers.checks import in_unit_interval
from asdcli.scorers.local_scale import LocalScale, same
from asdcli.scorers.pools import Ranked
from asdcli.scorers.reference import Reference
from asdcli.scorers.terms import Terms
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.spec import always_spelled


@dataclass(frozen=True)
class Gwrp:
    """A(x) = min_y D(x, y) / b(y), b(y) = sum_k r^(k-1) D(y, y_k) / sum_k r^(k-1), or min_y D(x, y) - b(y).

    y_1, y_2, ... are all other references, nearest first; those whose weights together are below 1e-13 of all are left
    out. A zero b(y) (duplicate clips) is raised to a thousandth of the median of those above zero.

    Source: Wilkinghoff et al. 2025, arXiv 2509.10951, global weighted ranking pooling, which takes r = 0.9.

    Attributes:
        r: what the weight of a neighbour is of that of the next nearer one; 1 is the mean over all.
        form: divide by b, or take it away.
    """

    r: float = always_spelled(0.9)
    form: scaled.Form = "ratio"

    def __post_init__(self) -> None:
        in_unit_interval(gwrp_r=self.r)

    def fit(self, unit: UnitVectors) -> Fitted:
        width = self._width(unit.reference)
        scale = LocalScale.of(unit.reference, width, pool=Ranked(self.r))
        scale, found = scaled.settled(scale, self.form)
        rules = [rule for rule in found["rules"] if rule != "k-reduced"]  # nobody asked for so many
        return Fitted(self, scale.learnt(), found | {"rules": [*unit.rules, *rules]})

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        return scaled.score(self._scale(learnt), windows, self.form)

    def terms(self, learnt: Mapping[str, Any], windows: Vectors) -> Terms | None:
        """What the score of each window is the minimum of; None where there is a single clip and no b."""
        return scaled.terms(self._scale(learnt), windows, self.form)

    def _scale(self, learnt: Mapping[str, Any]) -> LocalScale:
        width = self._width(learnt["reference"])
        return LocalScale.from_learnt(learnt, width, same, pool=Ranked(self.r))

    def _width(self, reference: Reference) -> int:
        return max(Ranked(self.r).width(len(reference) - 1), 1)
