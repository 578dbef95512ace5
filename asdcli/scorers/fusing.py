"""Scores of several methods made comparable and joined: z-scores and ranks among normal clips, weighted mean, minimum.

With m normal clips of scores t_1 ... t_m, mean mu and sample standard deviation sigma (of m - 1), a score s becomes

    z(s)    = (s - mu) / sigma
    rank(s) = (#{t_i < s} + #{t_i = s} / 2) / m,   in [0, 1]: 1 minus a conformal p-value, ties half

A clip that is one of the m is held against the other m - 1, as a new clip is held against clips that it is none of:
else normal clips would look more normal than new ones, and a threshold on their fused scores would promise too much.
`min` is the z-norm min-fusion of arXiv 2606.19269, z-scores by leave-one-out scores of training clips.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from asdcli.scorers.fuse import By, Fuse

Scores = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_FLAT = 1e-12  # of the largest score: a spread below it is rounding
_OUTLIER = 1e-6  # of the sum of squares: where one clip leaves less, the others are summed anew


class Flat(ValueError):
    """Normal clips give no scale: they are too few, or their scores do not differ."""


def z_scores(scores: Scores, normal: Mask) -> Scores:
    """z of every score (n,) among those that `normal` (n,) marks; a marked one among the others.

    Raises:
        Flat: fewer than three are marked, or all of them but one are equal.
    """
    own = scores[normal]
    m = len(own)
    if m < 3:
        raise Flat(f"{m} normal clips are too few for z-scores, which take 3")
    values, times = np.unique(own, return_counts=True)
    alike = len(values) == 1 or (len(values) == 2 and times.min() == 1)
    if alike or values[-1] - values[0] <= _FLAT * np.abs(values).max():
        raise Flat("the scores of its normal clips do not differ, so z-scores have no scale")
    centre = own.mean()
    apart = own - centre
    squares = (apart**2).sum()
    others = -apart / (m - 1)  # mean of the others, from the centre
    rest = squares - apart**2 - (m - 1) * others**2
    for i in np.flatnonzero(rest < _OUTLIER * squares):
        rest[i] = np.delete(own, i).var() * (m - 1)
    z = (scores - centre) / np.sqrt(squares / (m - 1))
    z[normal] = (apart - others) / np.sqrt(rest / (m - 2))
    return z


def ranks(scores: Scores, normal: Mask) -> Scores:
    """Rank in [0, 1] of every score (n,) among those that `normal` (n,) marks; a marked one among the others.

    Raises:
        Flat: fewer than two are marked.
    """
    ordered = np.sort(scores[normal])
    m = len(ordered)
    if m < 2:
        raise Flat(f"{m} normal clips are too few for ranks, which take 2")
    twice = np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right")
    rank = twice / (2.0 * m)
    rank[normal] = (twice[normal] - 1) / (2.0 * (m - 1))  # its tie with itself does not count
    return rank


NORMALISED: Mapping[By, Callable[[Scores, Mask], Scores]] = {
    "z": z_scores,
    "rank": ranks,
    "min": z_scores,
    "mean": lambda scores, _: scores,
}
"""What becomes of the scores of one part of one unit before they are joined."""


def joined(fuse: Fuse, normalised: Scores, shares: Sequence[float]) -> Scores:
    """(n,) fused scores of `normalised` (n_parts, n): the smallest, or the mean with the weights `shares`."""
    if fuse.by == "min":
        return np.asarray(normalised.min(axis=0))
    return np.asarray(np.asarray(shares, np.float64) @ normalised)
