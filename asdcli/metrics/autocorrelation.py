"""For how many recordings scores stay alike along time: their autocorrelation.

Scores of a machine that drifts resemble the next ones for a while. What lies further apart than that tells something
new: pieces of this length are what a block bootstrap draws (Künsch, 1989; Politis and White, 2004).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Series = Sequence[npt.NDArray[np.float64]]

FEWEST = 8
"""Scores that tell how long they stay alike; fewer do not."""

_BOUND = 1.96


def autocorrelation(series: Series) -> npt.NDArray[np.float64]:
    """(n_lags,) of several series together, each about its own mean, from lag 0 to half of the longest.

    The estimator divides every lag by the number of all scores (Box and Jenkins, 1970), so that far lags, which few
    pairs tell about, do not run wild. Where no score differs from another it is 1 at lag 0 and 0 beyond.
    """
    n_lags = max((len(one) for one in series), default=0) // 2 + 1
    total = np.zeros(n_lags)
    for one in series:
        centred = one - one.mean() if len(one) else one
        size = 1 << (2 * len(one)).bit_length()
        spectrum = np.fft.rfft(centred, size)
        products = np.fft.irfft(spectrum * spectrum.conj(), size)[: len(one)]
        total[: min(len(one), n_lags)] += products[:n_lags]
    if total[0] <= 1e-24 * max(sum(float((one**2).sum()) for one in series), 1e-300):
        return np.eye(1, n_lags)[0]
    return np.asarray(total / total[0], np.float64)


def alike_for(series: Series) -> int | None:
    """The first lag at which the autocorrelation is not above that of white noise: 1.96 / sqrt(n) (Bartlett, 1946).

    None of fewer than `FEWEST` scores, and of scores that are all alike. Where it stays above up to half of the longest
    series, that half.
    """
    n = sum(len(one) for one in series)
    if n < FEWEST:
        return None
    if all(np.ptp(one) == 0 for one in series if len(one)):
        return None
    found = autocorrelation(series)
    below = np.flatnonzero(found[1:] <= _BOUND / np.sqrt(n))
    return int(below[0]) + 1 if len(below) else max(len(found) - 1, 1)
