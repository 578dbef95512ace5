"""What an autoencoder sees of a clip: log-mel frames, five neighbours side by side, and the windows they make.

Two conventions. `paper` (Fujimura et al. 2024): each recording standardised to mean 0 and variance 1, 64 ms windows
every 32 ms, 128 mels from 50 to 7800 Hz, 4-second windows with 75 % overlap. `dcase-baseline` (the organisers' system
since 2023): waveforms as they are, librosa's mels over the whole band, the clip as one window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from asdcli.features import windows
from asdcli.features.mels import MelSpec, logmel_frames
from asdcli.features.pack import FULL_SCALE

N_STACKED = 5
"""Adjacent frames in one vector."""


@dataclass(frozen=True)
class Frontend:
    """How a clip becomes frames and windows.

    Attributes:
        mel: conventions of the frames, sample rate included.
        standardise: whether each recording gets mean 0 and variance 1 first.
        window_s, hop_s: of the windows; None means the whole clip.
    """

    mel: MelSpec
    standardise: bool
    window_s: float | None = None
    hop_s: float = windows.HOP_S

    @property
    def shortest(self) -> int:
        """Samples below which a clip is repeated: a window, or five frames."""
        least = (N_STACKED - 1) * self.mel.hop_length
        return round((self.window_s or 0) * self.mel.sample_rate) or least

    @property
    def window_frames(self) -> int | None:
        """Frames of one window: 126 of 4 s."""
        return None if self.window_s is None else self.mel.n_frames(self.shortest)

    def n_vectors(self, n_samples: int) -> int:
        """Vectors of five frames of a clip of `n_samples`."""
        return self.mel.n_frames(max(n_samples, self.shortest)) - N_STACKED + 1

    def frames(self, samples: np.ndarray) -> torch.Tensor:
        """(n_frames, n_mels) float32 in dB of one clip of (n_samples,) int16."""
        wave = torch.from_numpy(windows.repeated(samples, self.shortest).astype(np.float32) / np.float32(FULL_SCALE))
        if self.standardise:
            deviation, mean = torch.std_mean(wave.double(), correction=0)
            wave = ((wave - mean) / deviation.clamp(min=1e-12)).float()
        with torch.inference_mode():
            return logmel_frames(wave[None], self.mel)[0]

    def window_starts(self, n_samples: int) -> np.ndarray:
        """First frames (n_windows,) of the windows of a clip: those nearest to the windows' first samples."""
        if self.window_frames is None:
            return np.zeros(1, np.int64)
        first = windows.starts(n_samples, self.shortest, round(self.hop_s * self.mel.sample_rate))
        last = self.mel.n_frames(max(n_samples, self.shortest)) - self.window_frames
        return np.minimum(np.rint(first / self.mel.hop_length).astype(np.int64), last)


def frontend(profile: str, sample_rate: int) -> Frontend:
    """The front end called `paper` or `dcase-baseline`."""
    if profile == "dcase-baseline":
        return Frontend(MelSpec(sample_rate=sample_rate), standardise=False)
    n_fft = round(0.064 * sample_rate)
    mel = MelSpec(sample_rate, n_fft, n_fft // 2, fmin_hz=50.0, fmax_hz=min(7800.0, sample_rate / 2))
    return Frontend(mel, standardise=True, window_s=windows.WINDOW_S)


def stacked(frames: torch.Tensor) -> torch.Tensor:
    """Vectors of five adjacent frames, oldest first: (..., n_frames, n_mels) -> (..., n_frames - 4, 5 * n_mels)."""
    vectors = frames.unfold(-2, N_STACKED, 1).transpose(-1, -2)
    return vectors.reshape(*vectors.shape[:-2], N_STACKED * frames.shape[-1])
