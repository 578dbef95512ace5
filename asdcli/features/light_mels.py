"""Log-mel frames by numpy alone, for what must not wait for torch.

The conventions are those of `features.mels` with its defaults (librosa's): power spectra, Slaney's scale and area
norm, in dB. Windows last about 64 ms at any rate, half of one from frame to frame, and lie within the clip.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asdcli.features.mel_bank import corners_hz, lines_hz, stretches, triangles, unit_area
from asdcli.features.pack import FULL_SCALE

N_BANDS = 128
WINDOW_S = 0.064

_EPS = float(np.finfo(np.float64).eps)
_AT_ONCE = 64  # frames: half a megabyte, which stays in the cache


@dataclass(frozen=True)
class MelAxes:
    """Where frames and bands lie.

    Attributes:
        sample_rate: in Hz.
        window: samples of a frame, a power of two.
        hop: samples from frame to frame.
        n_bands: from 0 Hz to half the sample rate.
    """

    sample_rate: int
    window: int
    hop: int
    n_bands: int = N_BANDS

    @staticmethod
    @functools.lru_cache(maxsize=8)
    def at(sample_rate: int) -> MelAxes:
        """Those of clips at this rate."""
        window = 1 << max(4, round(float(np.log2(WINDOW_S * sample_rate))))
        return MelAxes(sample_rate, window, window // 2)

    @property
    def frame_s(self) -> float:
        """Seconds from frame to frame."""
        return self.hop / self.sample_rate

    @functools.cached_property
    def corners_hz(self) -> npt.NDArray[np.float64]:
        """(n_bands + 2,) where each triangle begins, peaks and ends."""
        return corners_hz(0.0, self.sample_rate / 2, self.n_bands)

    @functools.cached_property
    def edges_hz(self) -> npt.NDArray[np.float64]:
        """(n_bands + 1,) the edges of bands that touch: half-way between the peaks of neighbours."""
        return edges_hz(self.corners_hz)

    @functools.cached_property
    def bank(self) -> npt.NDArray[np.float64]:
        """(n_bands, window // 2 + 1) triangles of unit area."""
        return unit_area(triangles(self.corners_hz, lines_hz(self.window, self.sample_rate)), self.corners_hz)

    @functools.cached_property
    def pieces(self) -> list[tuple[slice, slice, npt.NDArray[np.float64]]]:
        """Neighbouring bands, the bins they lie in, and their part of the bank there, (n_bins, n_bands)."""
        return [(bands, bins, np.ascontiguousarray(self.bank[bands, bins].T)) for bands, bins in stretches(self.bank)]

    @functools.cached_property
    def hann(self) -> npt.NDArray[np.float64]:
        """(window,) periodic Hann, over full scale: of int16 samples it makes those in [-1, 1)."""
        return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window) / self.window)) / FULL_SCALE


def logmel(samples: npt.NDArray[np.int16], axes: MelAxes) -> npt.NDArray[np.float64]:
    """Log-mel frames in dB of one clip of (n_samples,) int16: (n_frames, n_bands); none where it is too short."""
    if len(samples) < axes.window:
        return np.empty((0, axes.n_bands))
    frames = np.lib.stride_tricks.sliding_window_view(samples, axes.window)[:: axes.hop]
    mels = np.empty((len(frames), axes.n_bands))
    for first in range(0, len(frames), _AT_ONCE):
        spectra = np.fft.rfft(frames[first : first + _AT_ONCE] * axes.hann)
        powers = spectra.real**2 + spectra.imag**2
        for bands, bins, bank in axes.pieces:
            np.matmul(powers[:, bins], bank, out=mels[first : first + _AT_ONCE, bands])
    decibels: npt.NDArray[np.float64] = 10.0 * np.log10(np.maximum(mels, _EPS))
    return decibels


def edges_hz(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n_bands + 1,) the edges of bands that touch: half-way between the peaks of neighbours."""
    return (corners[:-1] + corners[1:]) / 2
