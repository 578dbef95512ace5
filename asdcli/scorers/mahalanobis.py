"""`mahalanobis`: the squared Mahalanobis distance to the mean of the training embeddings, a Gaussian inlier model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from asdcli.scorers import Fitted
from asdcli.scorers.gaussian import chosen, whitening
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.spec import always_spelled
from asdcli.vocabulary import Data, Unit


@dataclass(frozen=True)
class Mahalanobis:
    """A(x) = (x - mu)^T Sigma^-1 (x - mu) over the unit's training windows, which keep their length.

    Source: an inlier model h of Fujimura et al. 2024, Sec. II, with a single Gaussian.

    Attributes:
        data: training windows of the source domain, or all.
    """

    unit: ClassVar[Unit] = Unit.SECTION

    data: Data = always_spelled("all")

    def fit(self, unit: UnitVectors) -> Fitted:
        x, rules = chosen(unit, self.data)
        mean, half, widened = whitening(x)
        if widened:
            rules.append("covariance-singular")
        return Fitted(self, {"mean": mean, "half": half}, {"n_reference": len(x), "rules": rules})

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        distances: np.ndarray = (((windows.raw - learnt["mean"]) @ learnt["half"]) ** 2).sum(axis=1)
        return distances
