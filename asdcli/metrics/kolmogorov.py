"""Whether new recordings score higher than calibration recordings, by how their p-values are spread (Smirnov).

p-values among m calibration recordings are uniform but for the luck of the m, which counts when there are many new
ones. So the scores of both are held against each other: that is the test of the p-values against uniform ones with that
luck taken into account, and exact as long as all of them are exchangeable.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def ks_p(above: npt.NDArray[np.int64], m: int) -> float:
    """How probable p-values so much smaller are of recordings that are like the m that were learned (one-sided).

    Larger ones say nothing: what is scored without its group, and so without some of the others, scores a little higher
    than what is new.

    Args:
        above: (n,) how many of the m calibration scores are at least as high as each.
        m: at least 1.
    """
    from scipy.stats import ks_2samp

    return float(ks_2samp(above + 0.5, np.arange(1, m + 1), alternative="greater").pvalue)
