"""The slope of u on v: by least squares, which makes u - slope v vary least, and three that few points cannot turn.

Where the points lie on a line all four find it. They differ in whom they listen to elsewhere: least squares weighs each
point by (v - mean v)^2, so that a few isolated points can outvote all others; Theil-Sen and the winsorised slope bound
what a point can do whatever its u and v; Huber's bounds what a point far from the line can do, but not one of an
unusual v, which draws the line to itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from asdcli.errors import BadData
from asdcli.scorers.threads import one_thread

Slope = Literal["ols", "theil-sen", "huber", "winsorised"]

PAIRS = 1 << 20
"""Theil-Sen looks at all pairs of up to 1,448 points, and of more at about so many, or half as many as points."""
_SAME = 1e-12  # two v that differ by less than this share of the largest differ by rounding
_CUT = 0.05  # what winsorising takes of either end
_BEND = 1.35  # in units of sigma: where Huber's loss turns from a parabola into a line (95 % efficiency, normal noise)
_ON_LINE = 1e-10  # residuals of points on a line, in deviations of u: rounding
_ROUNDS, _SETTLED = 1000, 1e-9


def is_flat(v: np.ndarray) -> bool:
    """Whether v varies by less than a millionth of its mean: rounding, and no slope."""
    return bool(np.mean((v - v.mean()) ** 2) <= 1e-12 * max(float(v.mean()) ** 2, 1e-12))


def least_squares(u: np.ndarray, v: np.ndarray) -> float:
    """Cov(u, v) / Var(v): alpha* of Matsumoto et al. 2025, Eq. 8."""
    centred = v - v.mean()
    return float(np.mean((u - u.mean()) * centred)) / float(np.mean(centred**2))


def theil_sen(u: np.ndarray, v: np.ndarray) -> float:
    """The median of the slopes of pairs of points of different v; pairs are all, or a systematic sample.

    Points stand in order of v (equal ones in order of u), and a pair is taken where their places differ by s/2, 3s/2,
    5s/2, ... (rounded up), s as small as `PAIRS` allows: near and far pairs in the shares that all pairs have, each
    point about as often, no seed. s = 1 is all of them. Memory and time are those of `PAIRS`, or of n.

    Source: H. Theil 1950; P. K. Sen 1968.
    """
    order = np.lexsort((u, v))
    u, v = u[order], v[order]
    n = len(v)
    step = min(-(-n * (n - 1) // 2 // PAIRS), n)
    found = []
    for gap in range((step + 1) // 2, n, step):
        rise, run = u[gap:] - u[:-gap], v[gap:] - v[:-gap]
        apart = run > _SAME * np.abs(v).max()
        found.append(rise[apart] / run[apart])
    return float(np.median(np.concatenate(found)))


def huber(u: np.ndarray, v: np.ndarray) -> float:
    """The slope that minimises sum(sigma + sigma H(r / sigma)) over slope, intercept and sigma, r the residuals.

    H(z) = z^2 up to |z| = 1.35 and 1.35 (2 |z| - 1.35) above. u and v are brought to mean 0 and deviation 1 before: the
    regressor stops short of the minimum where v is as small as b is.

    Source: P. J. Huber: Robust statistics, 1981, Sec. 7.7; scikit-learn's HuberRegressor without a penalty.

    Raises:
        BadData: the search for the minimum failed.
    """
    from sklearn.linear_model import HuberRegressor

    rise, run = float(u.std()), float(v.std())
    if not rise:
        return 0.0
    x, y = (v - v.mean()) / run, (u - u.mean()) / rise
    line = least_squares(y, x)
    if float(np.mean((y - line * x) ** 2)) <= _ON_LINE**2:  # no residuals are the minimum, which the search nears only
        return line * rise / run
    regressor = HuberRegressor(epsilon=_BEND, alpha=0.0, max_iter=_ROUNDS, tol=_SETTLED)
    try:
        with one_thread():
            regressor.fit(x[:, None], y)
    except ValueError as error:
        raise BadData(f"Huber's line through {len(u)} points did not settle", "take slope=theil-sen") from error
    return float(regressor.coef_[0]) * rise / run


def winsorised(u: np.ndarray, v: np.ndarray) -> float | None:
    """Least squares after u and v are each cut off at their 5 % and 95 % quantiles; None where v is then flat.

    u is cut as well because a line through cut v and whole u is too steep: of points on a line it is another line.
    """
    u, v = _cut(u), _cut(v)
    return None if is_flat(v) else least_squares(u, v)


def _cut(values: np.ndarray) -> np.ndarray:
    return np.clip(values, *np.quantile(values, [_CUT, 1 - _CUT]))


SLOPES: dict[Slope, Callable[[np.ndarray, np.ndarray], float | None]] = {
    "ols": least_squares,
    "theil-sen": theil_sen,
    "huber": huber,
    "winsorised": winsorised,
}
"""Estimators of (u (n,), v (n,)), n > 2 and v not flat."""
