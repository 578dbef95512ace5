"""The front end of SerialOE: recordings standardised, windows of 4 seconds, mel amplitudes without logarithm."""

from __future__ import annotations

import torch

from asdcli.features.mels import MelSpec, mel_frames
from asdcli.features.pack import FULL_SCALE, WaveformPack


def mel_spec(sample_rate: int) -> MelSpec:
    """128 ms windows every 16 ms, 224 mels from 50 to 7800 Hz, as in the paper; the rest as in the reference code."""
    n_fft = round(0.128 * sample_rate)
    return MelSpec(
        sample_rate,
        n_fft,
        n_fft // 8,
        n_mels=224,
        fmin_hz=50.0,
        fmax_hz=min(7800.0, sample_rate / 2),
        power=1.0,
        scale="htk",
        norm=None,
        padding="reflect",
        window_norm=True,
    )


def deviation(samples: torch.Tensor) -> tuple[float, float]:
    """Mean and standard deviation in [-1, 1) of a recording of (n_samples,) int16; the latter 1 for a constant one."""
    spread, mean = torch.std_mean(samples.double(), correction=0)
    return float(mean) / FULL_SCALE, float(spread) / FULL_SCALE or 1.0


def moments(pack: WaveformPack) -> torch.Tensor:
    """(n_clips, 2) float32 of `deviation`."""
    return torch.tensor([deviation(torch.from_numpy(pack.clip(i).copy())) for i in range(len(pack))])


def standardised(waves: torch.Tensor, moments: torch.Tensor) -> torch.Tensor:
    """Waves (n, n_samples) with the mean and deviation (n, 2) of their recordings taken out."""
    return (waves - moments[:, :1]) / moments[:, 1:]


def mels(waves: torch.Tensor, spec: MelSpec) -> torch.Tensor:
    """Spectrograms (n, n_mels, n_frames) of standardised waves (n, n_samples)."""
    return mel_frames(waves, spec).transpose(1, 2)
