"""Gamma distributions with a free location, fitted to scores: one that holds, and the one of the challenge baseline.

The likelihood of a gamma distribution with shape, location and scale has no maximum when the shape may fall below 1:
it grows without bound as the location nears the smallest score. A search that starts from the scores as they are runs
there, or off to shapes and scales that have nothing to do with them, whenever the scores are small, few or skewed.
`fit` therefore measures the scores in their own standard deviation, asks for a shape of at least 1 (no steeper at the
smallest score than an exponential distribution) and searches the one thing that is hard, the location, along a line.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]

_GAPS = np.linspace(math.log(1e-6), math.log(1e3), 64)
"""Where the location is looked for: log of its distance below the smallest score, in standard deviations."""


@dataclass(frozen=True)
class GammaDistribution:
    """`shape` and `scale` > 0; density (x - location)^(shape - 1) exp(-(x - location) / scale) up to a factor."""

    shape: float
    location: float
    scale: float

    def quantile(self, q: float) -> float:
        """The value below which a share `q` in (0, 1) lies."""
        from scipy import special

        return float(special.gammaincinv(self.shape, q)) * self.scale + self.location


def fit(scores: Scores) -> GammaDistribution:
    """The likeliest distribution of shape 1 or more; it moves and stretches with the scores.

    Raises:
        ValueError: fewer than three different scores determine no three parameters.
    """
    from scipy import optimize

    if len(np.unique(scores)) < 3:
        raise ValueError("fewer than three different scores")
    mean, deviation = float(scores.mean()), float(scores.std())
    above = (scores - mean) / deviation
    lowest = float(above.min())
    above = above - lowest
    coarse = [_loss(above, gap) for gap in _GAPS]
    best = int(np.argmin(coarse))
    around = (_GAPS[max(best - 1, 0)], _GAPS[min(best + 1, len(_GAPS) - 1)])
    gap = float(optimize.minimize_scalar(lambda g: _loss(above, g), bounds=around, method="bounded").x)
    shape, scale, _ = _profile(above, gap)
    return GammaDistribution(shape, mean + deviation * (lowest - math.exp(gap)), deviation * scale)


def fit_as_baseline(scores: Scores) -> GammaDistribution:
    """scipy's fit of the scores as they are, whatever comes of it: the challenge baseline's (networks/base_model.py).

    Raises:
        ValueError: scipy gives up.
    """
    from scipy import stats  # 0.7 s, and only this rule needs it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # what comes of it is looked at
            shape, location, scale = stats.gamma.fit(scores)
    except (stats.FitError, RuntimeError) as error:
        raise ValueError(str(error)) from None
    return GammaDistribution(float(shape), float(location), float(scale))


def _profile(above: Scores, gap: float) -> tuple[float, float, float]:
    """(shape, scale, mean negative log-likelihood) of the best distribution that starts exp(gap) below 0."""
    from scipy import special

    x = above + math.exp(gap)
    mean, mean_log = float(x.mean()), float(np.log(x).mean())
    s = math.log(mean) - mean_log  # log(shape) - digamma(shape) = s where the likelihood is largest
    shape = (3 - s + math.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
    for _ in range(4):  # Newton's steps from a start that is off by less than 1.5 %
        shape -= (math.log(shape) - special.digamma(shape) - s) / (1 / shape - special.polygamma(1, shape))
    shape = max(float(shape), 1.0)
    scale = mean / shape
    loss = float(special.gammaln(shape)) + shape * math.log(scale) - (shape - 1) * mean_log + mean / scale
    return shape, scale, loss


def _loss(above: Scores, gap: float) -> float:
    return _profile(above, gap)[2]
