"""What Gaussian scorers share: the windows they are fitted on, and the inverse of a covariance."""

from __future__ import annotations

import numpy as np

from asdcli.scorers.unit import UnitVectors
from asdcli.vocabulary import Data

_WIDENING = 1e-6  # of the mean variance, added where a covariance has no inverse


def chosen(unit: UnitVectors, data: Data) -> tuple[np.ndarray, list[str]]:
    """The training windows (n, n_dims), not normalised, that an inlier model is fitted on, and the rules that fired."""
    rules = list(unit.rules)
    if data == "all":
        return unit.train.raw, rules
    rules += unit.domain_rules
    if unit.is_target.all():
        return unit.train.raw, [*rules, "no-source"]
    return unit.train.take(~unit.is_target).raw, rules


def whitening(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Mean (n_dims,) and H (n_dims, n_dims) with H H^T = Sigma^-1 of the rows of `x`; whether Sigma had to be widened.

    Sigma divides by the number of rows.
    """
    mean = x.mean(axis=0)
    centred = x - mean
    return mean, *inverse_half(centred.T @ centred / len(x))


def inverse_half(covariance: np.ndarray) -> tuple[np.ndarray, bool]:
    """H with H H^T = covariance^-1, and whether it had to be widened: by 1e-6 of the mean variance on its diagonal."""
    values, vectors = np.linalg.eigh(covariance)
    least = max(_WIDENING * float(values.mean()), np.finfo(np.float64).tiny ** 0.5)
    widened = bool(values[0] < 1e-3 * least)
    return vectors / np.sqrt(values + least if widened else values), widened
