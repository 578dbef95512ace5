"""`mahalanobis`: the squared Mahalanobis distance to the mean of the training embeddings, a Gaussian inlier model."""

from __future__ import annotations

from dataclasses import dataclass

from asdcli.scorers import Fitted
from asdcli.scorers.gaussian import chosen, whitening
from asdcli.scorers.unit import UnitVectors
from asdcli.spec import always_spelled
from asdcli.vocabulary import Data


@dataclass(frozen=True)
class Mahalanobis:
    """A(x) = (x - mu)^T Sigma^-1 (x - mu) over the unit's training windows, which keep their length.

    Attributes:
        data: training windows of the source domain, or all.
    """

    data: Data = always_spelled("all")

    def fit(self, unit: UnitVectors) -> Fitted:
        x, rules = chosen(unit, self.data)
        mean, half, widened = whitening(x)
        if widened:
            rules.append("covariance-singular")
        return Fitted(
            lambda queries: (((queries.raw - mean) @ half) ** 2).sum(axis=1),
            {"n_reference": len(x), "rules": rules},
        )
