"""Mel filter banks as matrices, and their product with spectra: most of a bank is zeros that need not be multiplied.

Source of the scales: M. Slaney, Auditory Toolbox, 1998 (linear to 1 kHz, 27 mel to a factor of 6.4 beyond); the HTK
book (2595 log10(1 + f/700)).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

Scale = Literal["slaney", "htk"]
Reals = npt.NDArray[np.float64]

_LINEAR, _STEP = 1000.0, 27.0  # of Slaney's scale: linear to 1 kHz, from there 27 mel to a factor of 6.4
_TOGETHER = 32  # neighbouring bands that are multiplied at once: fewer calls, more zeros


def corners_hz(low_hz: float, high_hz: float, n_bands: int, scale: Scale = "slaney") -> Reals:
    """(n_bands + 2,) where each triangle begins, peaks and ends, evenly spaced on the scale."""
    if scale == "htk":
        low, high = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in (low_hz, high_hz))
        return 700.0 * (10.0 ** (np.linspace(low, high, n_bands + 2) / 2595.0) - 1.0)
    return _to_hz(np.linspace(_to_mel(low_hz), _to_mel(high_hz), n_bands + 2))


def lines_hz(window: int, sample_rate: int) -> Reals:
    """(window / 2 + 1,) of the lines of a spectrum of so many samples."""
    return np.asarray(np.fft.rfftfreq(window, 1 / sample_rate), np.float64)


def triangles(corners: Reals, at: Reals) -> Reals:
    """(n_bands, n_bins) triangles of height 1 over `at` (n_bins,): both in Hz, or both in mel."""
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (at - left) / (centre - left), (right - at) / (right - centre)
    found: Reals = np.maximum(0.0, np.minimum(rising, falling))
    return found


def unit_area(bank: Reals, corners: Reals) -> Reals:
    """The same triangles of area 1 over Hz."""
    return bank * 2.0 / (corners[2:, None] - corners[:-2, None])


def stretches(bank: Reals) -> Iterator[tuple[slice, slice]]:
    """Bands of a bank (n_bands, n_bins) that lie side by side, and the bins outside which they are all zero."""
    for first in range(0, len(bank), _TOGETHER):
        bands = slice(first, min(first + _TOGETHER, len(bank)))
        used = np.flatnonzero(bank[bands].any(axis=0))
        yield bands, slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 0)


def _to_mel(hz: float) -> float:
    linear = 3 * hz / 200
    return linear if hz < _LINEAR else 3 * _LINEAR / 200 + _STEP * float(np.log(hz / _LINEAR) / np.log(6.4))


def _to_hz(mel: Reals) -> Reals:
    knee = 3 * _LINEAR / 200
    return np.where(mel < knee, mel * 200 / 3, _LINEAR * 6.4 ** ((mel - knee) / _STEP))
