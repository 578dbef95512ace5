"""Discriminative neighbourhood smoothing (Fujimura, Imoto, Toda 2024, Eq. 7): any score, averaged over similar samples.

a_prop(y_i) = ( a_G(y_i) + sum over N_F(y_i) of a_G(y_k) ) / K, where N_F(y_i) are the K - 1 nearest of the observed
samples F, y_i excluded: K counts the sample itself and K = 1 gives a_G back. The samples are observed test data, so the
method is transductive. One neighbour search serves every K: a score is a prefix sum over the sorted neighbours.

Neighbours are ordered by (distance, row). Distances come out of a matrix product, whose rounding depends on how the
work is cut up; wherever that rounding could decide an order, the distances concerned are computed again from the
differences. The order, and with it every bit of a smoothed score, therefore depends on nothing but the samples:
`append` gives exactly what doing it all at once gives.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asdcli.scorers.exact_search import BLOCK, Neighbours


def smooth(scores: np.ndarray, found: Neighbours, ks: Sequence[int]) -> np.ndarray:
    """Eq. 7 for several K at once.

    A K larger than the neighbours found plus one means all of them: the mean over the pool (and over the sample itself
    where it is not in the pool).

    Args:
        scores: (n,) a_G, larger is more anomalous.
        found: neighbours, searched with a width of at least max(ks) - 1 (or of the pool).
        ks: K of each result, at least 1.

    Returns:
        (n_ks, n) smoothed scores.
    """
    scores = np.asarray(scores, dtype=np.float64)
    smoothed = np.empty((len(ks), len(scores)))
    others = np.minimum(np.asarray(ks)[:, None] - 1, found.count)  # (n_ks, n)
    step = max(BLOCK // (found.index.shape[1] + 1), 1)
    for start in range(0, len(scores), step):
        rows = slice(start, start + step)
        own = scores[rows]
        # column k of the running sum is a_G(y_i) plus its k nearest, summed from the nearest on
        sums = np.cumsum(np.concatenate([own[:, None], scores[found.index[rows]]], axis=1), axis=1)
        last = others[:, rows]
        smoothed[:, rows] = sums[np.arange(len(own)), last] / (last + 1)
    return smoothed
