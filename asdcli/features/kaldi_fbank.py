"""Log-mel filter bank energies as Kaldi takes them, which AST, BEATs and their kin were trained on; batched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from asdcli.features.mel_bank import triangles

_PREEMPHASIS = 0.97
_LOWEST_HZ = 20.0
_FLOOR = float(torch.finfo(torch.float32).eps)


@dataclass(frozen=True)
class KaldiFbank:
    """Frames of 25 ms every 10 ms that lie within the clip, no dither, and a standardisation.

    Each frame loses its mean and is pre-emphasised (0.97), windowed and filled up to a power of two; power spectrum,
    triangles on Kaldi's mel scale from 20 Hz to half the rate, natural logarithm.

    Source: `kaldi.fbank` of torchaudio, which does the same clip by clip.

    Attributes:
        sample_rate: in Hz.
        n_mels: mel bands.
        window: `hanning`, or `povey`, which is hanning to the power of 0.85.
        scale: what waveforms in [-1, 1) are multiplied by.
        mean, spread: are taken out of all bands alike.
    """

    sample_rate: int = 16_000
    n_mels: int = 128
    window: Literal["hanning", "povey"] = "povey"
    scale: float = 1.0
    mean: float = 0.0
    spread: float = 1.0

    @property
    def length(self) -> int:
        """Samples of a frame."""
        return self.sample_rate * 25 // 1000

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        return self.sample_rate // 100

    def n_samples(self, n_frames: int) -> int:
        """The samples that give so many frames, no fewer and no more."""
        return self.length + (n_frames - 1) * self.hop

    def __call__(self, waves: torch.Tensor) -> torch.Tensor:
        """`(batch, n_samples)` in [-1, 1) -> `(batch, n_frames, n_mels)`; n_samples is at least one frame."""
        frames = (waves * self.scale).unfold(-1, self.length, self.hop)
        frames = frames - frames.mean(dim=-1, keepdim=True)
        before = torch.cat([frames[..., :1], frames[..., :-1]], dim=-1)
        frames = (frames - _PREEMPHASIS * before) * self._window(waves)
        n_fft = 1 << (self.length - 1).bit_length()
        power = torch.fft.rfft(frames, n_fft).abs() ** 2
        energies = power[..., : n_fft // 2] @ self._triangles(n_fft, waves).T
        return (energies.clamp(min=_FLOOR).log() - self.mean) / self.spread

    def _window(self, like: torch.Tensor) -> torch.Tensor:
        window = torch.hann_window(self.length, periodic=False, dtype=like.dtype, device=like.device)
        return window**0.85 if self.window == "povey" else window

    def _triangles(self, n_fft: int, like: torch.Tensor) -> torch.Tensor:
        """(n_mels, n_fft / 2): the bin at half the rate has no part."""
        corners = np.linspace(_mel(_LOWEST_HZ), _mel(self.sample_rate / 2), self.n_mels + 2)
        bins = _mel(self.sample_rate / n_fft * np.arange(n_fft // 2))
        return torch.from_numpy(triangles(corners, bins)).to(like.dtype).to(like.device)


def _mel(hz: Any) -> Any:
    """Kaldi's scale."""
    return 1127.0 * np.log(1.0 + hz / 700.0)
