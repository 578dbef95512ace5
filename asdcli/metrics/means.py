"""The two means that official scores are made of, over the first axis, so that one call averages all resamples."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

EPSILON = sys.float_info.epsilon
"""The evaluators lift every value to at least this before a harmonic mean, so that none is zero."""


def arithmetic(values: npt.ArrayLike) -> Array:
    """Mean over axis 0 of (n,) or (n, r) values."""
    return np.asarray(values, dtype=np.float64).mean(axis=0)


def harmonic(values: npt.ArrayLike) -> Array:
    """n / sum(1 / max(value, eps)) over axis 0 of (n,) or (n, r) values in [0, 1]."""
    lifted = np.maximum(np.asarray(values, dtype=np.float64), EPSILON)
    return len(lifted) / (1 / lifted).sum(axis=0)


MEANS: dict[str, Callable[[npt.ArrayLike], Array]] = {"arithmetic": arithmetic, "harmonic": harmonic}
