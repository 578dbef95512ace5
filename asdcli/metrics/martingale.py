"""A bet against recordings being like those that were learned: how much it has won tells how sure a change is.

Each new recording is ranked among the calibration recordings and the new ones before it. As long as all of them are
exchangeable, these ranks are independent and uniform, whatever the machine sounds like, and no way of betting on them
wins in the long run: a capital that begins with 1 ever reaches c with a probability of 1/c at most (Ville, 1939). So a
line at 100 is crossed by chance on one machine in a hundred, however long and however often it is looked at.

The bets are those of the simple jumper (V. Vovk: Testing randomness online, Statistical Science 36, 2021) with stakes
from a grid, on small ranks alone, averaged over rates of jumping (V. Vovk et al.: Retrain or not retrain, COPA 2021).
Where a change began is told as by E. S. Page (Continuous inspection schemes, Biometrika 41, 1954): at the lowest point
before the line.
"""

from __future__ import annotations

import bisect

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LINE = 100.0
"""What the capital reaches by chance on one machine in so many, at most."""
MOST = 300
"""Recordings that are tried to see whether a change could be seen: later ones win less."""
_STAKES = np.linspace(0.0, 2.0, 3)  # a bet pays 1 + stake (1/2 - p), which is never below 0
_JUMPS = np.array([1e-4, 1e-3, 1e-2, 1e-1, 1.0])  # share of the capital that is laid anew on all stakes at each step


def online_p_values(above: npt.NDArray[np.int64], m: int, rng: np.random.Generator) -> Array:
    """(n,) in (0, 1): the share of all before it, and of the m calibration scores, that are as high; ties by lot.

    Exchangeable scores give independent uniform ones (Vovk, Nouretdinov and Gammerman: Testing exchangeability on-line,
    ICML 2003).

    Args:
        above: (n,) how many of the calibration scores are at least as high as each, in the order of time. New ones
            between the same two calibration scores are taken to be in any order, which is as probable as theirs.
        m: number of calibration scores.
        rng: draws the lots.
    """
    lots = rng.random((2, len(above)))
    before: list[float] = []
    found = np.empty(len(above))
    for t, place in enumerate((above + lots[0]).tolist()):
        higher = bisect.bisect_left(before, place)
        before.insert(higher, place)
        found[t] = (above[t] + higher + lots[1, t]) / (m + t + 1)
    return found


def log_capital(p: Array) -> Array:
    """(..., n) natural logarithm of the capital after each of the (..., n) p-values."""
    laid = np.full((*p.shape[:-1], len(_JUMPS), len(_STAKES)), 1 / (len(_JUMPS) * len(_STAKES)))
    found, total = np.empty(p.shape), np.zeros(p.shape[:-1])
    jump = _JUMPS[:, None]
    for t in range(p.shape[-1]):
        laid = (1 - jump) * laid + jump * laid.mean(axis=-1, keepdims=True)
        laid = laid * (1 + _STAKES * (0.5 - p[..., t, None, None]))
        grown = laid.sum(axis=(-2, -1))
        laid /= grown[..., None, None]
        total = total + np.log(grown)
        found[..., t] = total
    return found


def change(capital: Array) -> tuple[int, int] | None:
    """The step at which the (n,) logarithms first reach the line, and the one at which that rise began; or None."""
    over = np.flatnonzero(capital >= np.log(LINE))
    if not len(over):
        return None
    crossed = int(over[0])
    path = np.append(0.0, capital[:crossed])
    return crossed, len(path) - 1 - int(path[::-1].argmin())


def fewest(m: int) -> int | None:
    """How many recordings it takes at least, each beyond all m calibration scores; None: more than `MOST`.

    Where they do not grow worse besides, each lies amid those before it.
    """
    t = np.arange(MOST)
    found = change(log_capital((t / 2 + 0.5) / (m + t + 1)))
    return None if found is None else found[0] + 1
