"""Recordings that can be read and yet tell little of a machine: of a dead, interrupted or overdriven microphone."""

from __future__ import annotations

import numpy as np

MANY_ZEROS = 0.5
"""Share of samples that are exactly zero from which on a recording is called interrupted."""
MOST_CLIPPED = 0.01
"""Share of samples at full scale beyond which a recording is called clipped."""

_LOWEST, _HIGHEST = -32768, 32767


def suspicion(samples: np.ndarray) -> str | None:
    """What is odd about (n_samples,) int16, n_samples >= 1, in words that follow the clip's name; None: nothing.

    Loudness is no oddity: what is asked is whether the samples can be those of a working microphone.
    """
    if is_flat(samples):
        return f"is constant: every sample is {samples[0]}" if samples[0] else "is silent: every sample is 0"
    zeros = 1 - np.count_nonzero(samples) / len(samples)
    if zeros >= MANY_ZEROS:
        return f"is silent in part: {_percent(zeros)} of its samples are exactly 0"
    if samples.min() == _LOWEST or samples.max() == _HIGHEST:
        clipped = (np.count_nonzero(samples == _LOWEST) + np.count_nonzero(samples == _HIGHEST)) / len(samples)
        if clipped > MOST_CLIPPED:
            return f"is clipped: {_percent(clipped)} of its samples are at full scale"
    return None


def is_flat(samples: np.ndarray) -> bool:
    """Whether all of (n_samples,) are the same number, n_samples >= 1."""
    return bool((samples == samples[0]).all())


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
