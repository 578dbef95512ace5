"""Whether two figures put the same things in the same order: the rank correlations of Spearman and of Kendall.

Both are 1 where the orders are alike, -1 where one is the other turned around, and about 0 where they have nothing to
do with each other. Ties: Spearman's takes the mean of the ranks they share, Kendall's is tau-b. They equal
`scipy.stats.spearmanr` and `kendalltau`, whose import takes a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class RankCorrelation:
    """Of the figures of `n` things; both None where a figure is the same of all, or there are fewer than two."""

    spearman: float | None
    kendall: float | None
    n: int


def rank_correlation(a: Sequence[float] | npt.ArrayLike, b: Sequence[float] | npt.ArrayLike) -> RankCorrelation:
    """The correlations of two figures, (n,) finite each, the i-th of both being of one thing.

    Raises:
        ValueError: they are not of as many things.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"a rank correlation needs two figures of the same things, got {x.shape} and {y.shape}")
    if len(x) < 2 or (x == x[0]).all() or (y == y[0]).all():
        return RankCorrelation(None, None, len(x))
    u, v = _ranks(x), _ranks(y)
    u, v = u - u.mean(), v - v.mean()
    spearman = float(u @ v / np.sqrt((u @ u) * (v @ v)))
    p, q = np.sign(x[:, None] - x), np.sign(y[:, None] - y)
    kendall = float((p * q).sum() / np.sqrt((p * p).sum() * (q * q).sum()))
    return RankCorrelation(spearman, kendall, len(x))


def _ranks(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n,) ranks from 0; what ties shares the mean of its ranks."""
    below, upto = (np.searchsorted(np.sort(x), x, side) for side in ("left", "right"))
    ranks: npt.NDArray[np.float64] = (below + upto - 1) / 2
    return ranks
