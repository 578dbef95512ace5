"""Log-mel spectrograms as CLAP and Whisper were trained on them, and the standardised waveform of wav2vec 2.0."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from asdcli.features.mels import MelSpec, mel_frames

_FLOOR = 1e-10
_WHISPER_RANGE = 8.0  # in powers of ten below the loudest of a window
_LEAST_VARIANCE = 1e-7


@dataclass(frozen=True)
class ClapMels:
    """Power mels in dB of what `mels` says: `(batch, n_samples)` -> `(batch, n_channels, n_frames, n_mels)`.

    A model with feature fusion takes four channels, which are all the same where a clip is no longer than its window.
    """

    mels: MelSpec
    n_channels: int = 1

    def __call__(self, waves: torch.Tensor) -> torch.Tensor:
        decibels = 10.0 * mel_frames(waves, self.mels).clamp(min=_FLOOR).log10()
        return decibels[:, None].expand(-1, self.n_channels, -1, -1)


@dataclass(frozen=True)
class WhisperMels:
    """Logarithms of power mels, at most 8 powers of ten below the window's loudest, brought to about [-1, 1].

    `(batch, n_samples)` -> `(batch, n_mels, n_frames)`; the last frame, which is half padding, is left out.
    """

    mels: MelSpec

    def __call__(self, waves: torch.Tensor) -> torch.Tensor:
        powers = mel_frames(waves, self.mels)[:, :-1].clamp(min=_FLOOR).log10()
        loudest = powers.amax(dim=(1, 2), keepdim=True)
        return ((torch.maximum(powers, loudest - _WHISPER_RANGE) + 4.0) / 4.0).transpose(1, 2)


@dataclass(frozen=True)
class RangedMels:
    """Power mels in dB, at most `range_db` below the window's loudest, as CED and Dasheng hear them.

    `(batch, n_samples)` -> `(batch, n_mels, n_frames)`.
    """

    mels: MelSpec
    range_db: float = 120.0

    def __call__(self, waves: torch.Tensor) -> torch.Tensor:
        decibels = 10.0 * mel_frames(waves, self.mels).clamp(min=_FLOOR).log10()
        loudest = decibels.amax(dim=(1, 2), keepdim=True)
        return torch.maximum(decibels, loudest - self.range_db).transpose(1, 2)


@dataclass(frozen=True)
class PlainWaves:
    """The waveform itself, of each window by itself brought to mean 0 and variance 1 where that is `standardised`."""

    standardised: bool

    def __call__(self, waves: torch.Tensor) -> torch.Tensor:
        if not self.standardised:
            return waves
        spread, mean = torch.var_mean(waves, dim=1, correction=0, keepdim=True)
        return (waves - mean) / torch.sqrt(spread + _LEAST_VARIANCE)
