"""Noise for training waveforms: how often and how loud it is added, and where it comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from asdcli.errors import UsageError
from asdcli.features.banks import Bank
from asdcli.models.noise_mixing import with_noise
from asdcli.training import TrainingData
from asdcli.training.gather import gather

WHERE_RECORDED = 0.5
"""How probable noise is where recordings of it are to be used, and nobody says."""


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
    """Gaussian noise in the shape of `waveforms`, on a device by the device: other noise than a CPU's."""
    if waveforms.device.type != "cpu":
        draw = torch.Generator(waveforms.device).manual_seed(draw.initial_seed())
    return torch.randn(waveforms.shape, generator=draw, device=waveforms.device)


@dataclass(frozen=True)
class NoiseRecordings:
    """Recordings of noise alone, end to end on the device, those of a machine type beside one another.

    Attributes:
        bank: of them.
        first, count: (n_classes,) which of them are of the machine type of each class of clips; all where none are.
    """

    bank: Bank
    first: torch.Tensor
    count: torch.Tensor

    @classmethod
    def of(cls, data: TrainingData, machine_types: Sequence[str], device: torch.device) -> NoiseRecordings | None:
        """Those of `data`, for classes of these machine types. None where there are none. Errors as `gather`."""
        if data.noise is None or not len(data.noise):
            return None
        bank, rows, _ = gather(replace(data, clips=data.noise), device)
        own = np.array(data.noise["machine_type"].to_pylist(), dtype=object)[rows]
        of_classes = [np.flatnonzero(own == name) for name in machine_types]
        first = [int(found[0]) if len(found) else 0 for found in of_classes]
        return cls(bank, torch.tensor(first), torch.tensor([len(found) or len(own) for found in of_classes]))

    def drawn(self, classes: torch.Tensor, n_samples: int, draw: torch.Generator) -> torch.Tensor:
        """`(batch, n_samples)` of a random recording for each class (batch,), from a random place on."""
        which, place = torch.rand(2, len(classes), generator=draw, dtype=torch.float64)
        return self.bank.crop(self.first[classes] + (which * self.count[classes]).long(), n_samples, place)
