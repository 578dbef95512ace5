"""`mahalanobis`: the squared Mahalanobis distance to the mean of the training embeddings, a Gaussian inlier model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asdcli.scorers import Fitted
from asdcli.scorers.gmm import chosen
from asdcli.scorers.smoothing import Data
from asdcli.scorers.unit import UnitVectors
from asdcli.spec import always_spelled

_WIDENING = 1e-6  # of the mean variance, added where the covariance has no inverse


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


def whitening(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Mean (n_dims,) and H (n_dims, n_dims) with H H^T = Sigma^-1 of the rows of `x`; whether Sigma had to be widened.

    Sigma divides by the number of rows. Widening adds 1e-6 of the mean variance to the diagonal.
    """
    mean = x.mean(axis=0)
    centred = x - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / len(x))
    least = max(_WIDENING * float(values.mean()), np.finfo(np.float64).tiny ** 0.5)
    widened = bool(values[0] < 1e-3 * least)
    return mean, vectors / np.sqrt(values + least if widened else values), widened
