"""Noise for training waveforms: how often and how loud it is added, and that it is white."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from asdcli.errors import UsageError
from asdcli.models.noise_mixing import with_noise


@dataclass(frozen=True)
class NoiseMixing:
    """Noise added to waveforms with `probability`, at a signal-to-noise ratio uniform between `low` and `high` dB.

    Raises:
        UsageError: no probability, or no range of decibels.
    """

    probability: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise UsageError(f"noise is a probability, got {self.probability}")
        if not -math.inf < self.low <= self.high < math.inf:
            raise UsageError(f"snr_low must not be above snr_high, both finite: {self.low:g}, {self.high:g} dB")

    def added(self, waveforms: torch.Tensor, noise: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """`(batch, n_samples)` with `noise` of the same shape added to those that `draw`, on the CPU, chooses."""
        chance, place = torch.rand(2, len(waveforms), generator=draw)
        snr_db = torch.where(chance < self.probability, self.low + place * (self.high - self.low), math.inf)
        return with_noise(waveforms, noise, snr_db)


def white(waveforms: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Gaussian noise in the shape of `waveforms`, the same on all devices."""
    return torch.randn(waveforms.shape, generator=draw).to(waveforms)
