"""Conformal p-values of new clips, and the rate of false alarms that a new group may see.

A p-value says how often a normal clip would score as high: of clips that are exchangeable with the calibration clips a
share a has a p-value of a or less at most (Vovk et al., 2005). Clips of one group are alike, and a new clip is of a new
group: then groups are what is exchangeable, and each counts once, whatever the number of its clips (Lee, Barber and
Willett, 2023).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from asdcli.metrics.shares import CONFIDENCE

Scores = npt.NDArray[np.float64]

_RESAMPLES = 2000
_CELLS = 4_000_000  # draws held at once: 32 MB, however many groups there are
_ROUNDING = 1e-9  # 0.55 * 20 is 11 and a little


def p_values(calibration: Scores, scores: Scores) -> Scores:
    """(n,) of `scores`: (1 + number of the (m,) calibration scores that are as high) / (m + 1); ties count."""
    ordered = np.sort(calibration)
    as_high = len(ordered) - np.searchsorted(ordered, scores, side="left")
    return np.asarray((1.0 + as_high) / (len(ordered) + 1.0), np.float64)


def group_p_values(calibration: Scores, group: npt.NDArray[np.int64], scores: Scores) -> Scores:
    """The same where each of the g groups counts once: (1 + sum of the shares of their clips as high) / (g + 1).

    Args:
        calibration: (m,) scores.
        group: (m,) number of the group of each, from 0 without gaps.
        scores: (n,).
    """
    order = np.argsort(calibration, kind="stable")
    weight = (1.0 / np.bincount(group))[group[order]]
    from_here_on = np.append(np.cumsum(weight[::-1])[::-1], 0.0)
    as_high = from_here_on[np.searchsorted(calibration[order], scores, side="left")]
    return np.minimum((1.0 + as_high) / (group.max(initial=-1) + 2.0), 1.0)


def new_group_interval(
    calibration: Scores, group: npt.NDArray[np.int64], promised: float, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of the share of a new group's clips above a threshold that promises a share of `promised`.

    Each group is held against the empirical quantile of all others; the interval is that of the mean over groups drawn
    with replacement (the cluster bootstrap: Field and Welsh, 2007). Of a single group it is the whole of [0, 1].

    Args:
        calibration: (n,) scores.
        group: (n,) number of the group of each, from 0 without gaps.
        promised: in (0, 1).
        seed: of the draws.
    """
    n_groups = int(group.max(initial=-1)) + 1
    if n_groups < 2:
        return 0.0, 1.0
    order = np.argsort(calibration, kind="stable")
    ordered = calibration[order]
    places = np.argsort(group[order], kind="stable")  # in `ordered`, group by group
    shares = np.empty(n_groups)
    for g, own in enumerate(np.split(places, np.cumsum(np.bincount(group))[:-1])):
        n_others = len(ordered) - len(own)
        rank = min(max(math.ceil((n_others + 1) * (1 - promised) - _ROUNDING), 1), n_others)
        # the rank-th of the others stands behind as many of its own as have fewer others before them
        at = rank - 1 + np.searchsorted(own - np.arange(len(own)), rank - 1, side="right")
        shares[g] = (ordered[own] > ordered[at]).mean()
    rng, rows = np.random.default_rng(seed), max(1, _CELLS // n_groups)
    parts = [min(rows, _RESAMPLES - first) for first in range(0, _RESAMPLES, rows)]
    means = [shares[rng.integers(n_groups, size=(n, n_groups))].mean(axis=1) for n in parts]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)
