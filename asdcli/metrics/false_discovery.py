"""Several p-values at once: which of them stand out among so many, and what they say together.

Of a hundred normal recordings one has a p-value of 0.01. Benjamini and Hochberg (1995) reject the k smallest, where k
is the largest number for which the k-th is at most k q / m: of what is rejected so a share of q at most is false, on
average. Conformal p-values that share their calibration scores may be joined so (Bates et al., 2023).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def stand_out(p_values: npt.NDArray[np.float64], rate: float) -> npt.NDArray[np.bool_]:
    """(m,) bool, those that Benjamini and Hochberg's procedure rejects; ties are rejected together.

    Args:
        p_values: (m,) in (0, 1].
        rate: q, the share of false ones among the rejected that is bearable, in (0, 1).
    """
    m = len(p_values)
    ordered = np.sort(p_values)
    below = np.flatnonzero(ordered <= rate * np.arange(1, m + 1) / max(m, 1) * (1 + 1e-12))
    if not len(below):
        return np.zeros(m, bool)
    return np.asarray(p_values <= ordered[below[-1]], bool)


def together(p_values: npt.NDArray[np.float64]) -> float:
    """What (m,) p-values say together: how rarely, were nothing wrong at all, they would be so small (Simes, 1986).

    The least of m p_(k) / k over the k-th smallest. It is valid where they are independent or hang together positively,
    as those of neighbouring stretches of sound do (Sarkar, 1998).
    """
    m = len(p_values)
    return float(min((np.sort(p_values) * m / np.arange(1, m + 1)).min(), 1.0))
