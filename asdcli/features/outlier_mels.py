"""The front end of SerialOE: recordings standardised, windows of 4 seconds, mel amplitudes without logarithm."""

from __future__ import annotations

import numpy as np
import torch

from asdcli.features.logmel import MelSpec, mel_frames
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


def moments(pack: WaveformPack) -> np.ndarray:
    """(n_clips, 2) float32 mean and standard deviation of each recording in [-1, 1); the latter 1 for constant ones."""
    found = np.empty((len(pack), 2))
    for i in range(len(pack)):
        samples = pack.clip(i)
        found[i] = samples.mean(dtype=np.float64), samples.std(dtype=np.float64)
    found /= FULL_SCALE
    found[found[:, 1] == 0, 1] = 1.0
    return found.astype(np.float32)


def standardised(waves: torch.Tensor, moments: torch.Tensor) -> torch.Tensor:
    """Waves (n, n_samples) with the mean and deviation (n, 2) of their recordings taken out."""
    return (waves - moments[:, :1]) / moments[:, 1:]


def mels(waves: torch.Tensor, spec: MelSpec) -> torch.Tensor:
    """Spectrograms (n, n_mels, n_frames) of standardised waves (n, n_samples)."""
    return mel_frames(waves, spec).transpose(1, 2)
