"""The near microphone without what the far one explains of it: for two microphones, near the machine and far from it.

Both channels are brought to a joint peak of 0.9. With C the short-time spectrum of the near and F that of the far one
(1024 samples, 512 apart, Hann, centred, reflected at the ends), each frequency has one transfer function over the clip,

    H = sum_t C conj(F) / (sum_t |F|^2 + 1e-12),        Y = C - H F,

the least-squares answer to what of C is F. Y goes back into samples. It is as well the beam of least power that passes
the near microphone unchanged (MPDR with the steering vector (1, 0)). What of the machine reaches the far microphone is
taken away with the rest, and echoes that come more than a frame later stay.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Wave = npt.NDArray[np.float64]

PEAK = 0.9
N_FFT, HOP = 1024, 512
FLOOR = 1e-12
GAIN = 0.5
"""What residuals are stored at where nobody says another: what goes beyond twice full scale is refused by name."""

_WINDOW = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)


def residual(near: Wave, far: Wave) -> Wave:
    """(n,) of the near channel without what is linear in the far one, both (n,), at a joint peak of 0.9.

    Silence gives silence. The level of a recording is lost: the joint peak is that of the clip.
    """
    peak = max(np.abs(near).max(), np.abs(far).max())
    if not peak:
        return np.zeros(len(near))
    c, f = (_frames(PEAK * (wave / peak)) for wave in (near, far))
    h = (c * f.conj()).sum(axis=0) / ((np.abs(f) ** 2).sum(axis=0) + FLOOR)
    return _samples(c - h * f, len(near))


def _frames(wave: Wave) -> npt.NDArray[np.complex128]:
    """(n_frames, 513) spectra; every sample lies in two frames, the last ones too."""
    behind = N_FFT // 2 + -len(wave) % HOP
    around = np.pad(wave, (N_FFT // 2, behind), mode="reflect")
    return np.fft.rfft(np.lib.stride_tricks.sliding_window_view(around, N_FFT)[::HOP] * _WINDOW, axis=1)


def _samples(frames: npt.NDArray[np.complex128], n: int) -> Wave:
    """(n,) whose frames are the nearest to these: windows overlapped, added and divided by their squares' sum."""
    pieces = np.fft.irfft(frames, N_FFT, axis=1) * _WINDOW
    squares = np.broadcast_to(_WINDOW**2, pieces.shape)
    added, weight = (_overlapped(halves) for halves in (pieces, squares))
    inside = slice(N_FFT // 2, N_FFT // 2 + n)
    return np.asarray(added[inside] / weight[inside])


def _overlapped(pieces: Wave) -> Wave:
    """Frames that are half a frame apart, added up."""
    found = np.zeros((len(pieces) + 1, HOP))
    found[:-1] += pieces[:, :HOP]
    found[1:] += pieces[:, HOP:]
    return found.ravel()
