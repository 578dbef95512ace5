"""Packed waveforms on a device: cropping and tiling of whole batches by one gather."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from asdcli.features.pack import FULL_SCALE

_AT_ONCE = 1 << 26  # samples that are moved to the device at once


@dataclass(frozen=True)
class WaveformBank:
    """Clips of any length end to end in one tensor, ready for batched cropping.

    Where each clip lies is kept on the CPU, as what is drawn is: of a batch, only its few places go to the device, and
    nobody waits for that.

    Attributes:
        samples: (n_samples,) int16, on the device.
        starts, lengths: (n_clips,) int64 on the CPU; no length is 0.
        device: where batches are wanted.
    """

    on_host: ClassVar[bool] = False

    samples: torch.Tensor
    starts: torch.Tensor
    lengths: torch.Tensor
    device: torch.device

    @classmethod
    def of(cls, clips: Sequence[np.ndarray], device: torch.device) -> WaveformBank:
        """Move clips of (n_samples_i,) int16 to the device, some at a time: they need not fit into memory together."""
        ends = [0, *itertools.accumulate(map(len, clips))]
        samples = torch.empty(ends[-1], dtype=torch.int16, device=device)
        longest = max(map(len, clips), default=0)
        some = torch.empty(min(max(_AT_ONCE, longest), ends[-1]), dtype=torch.int16, pin_memory=device.type == "cuda")
        first = 0
        while first < len(clips):
            after = first + 1
            while after < len(clips) and ends[after + 1] - ends[first] <= len(some):
                after += 1
            n = ends[after] - ends[first]
            np.concatenate(clips[first:after], out=some.numpy()[:n])
            samples[ends[first] : ends[after]].copy_(some[:n])
            first = after
        bounds = torch.tensor(ends)
        return cls(samples, bounds[:-1], bounds.diff(), device)

    def __len__(self) -> int:
        return len(self.starts)

    def clip(self, i: int) -> torch.Tensor:
        """(n_samples_i,) int16, a view."""
        return self.samples[self.starts[i] : self.starts[i] + self.lengths[i]]

    def crop(self, clips: torch.Tensor, n_samples: int, at: torch.Tensor | None = None) -> torch.Tensor:
        """`(batch, n_samples)` float32 in [-1, 1) of the given clips, repeated end to end where shorter.

        Args:
            clips: (batch,) int64, which clips.
            n_samples: samples of each crop.
            at: (batch,) in [0, 1), where each crop starts, as a share of the places where it can start once the clip is
                repeated until it is no shorter than the crop. None: at the clip's beginning.
        """
        starts, lengths = self.starts[clips], self.lengths[clips]
        first = torch.zeros_like(starts)
        if at is not None:
            first = (at * (lengths * -(-n_samples // lengths) - n_samples + 1)).long()
        if bool((lengths >= n_samples).all()):
            crops = self.samples.unfold(0, n_samples, 1)[self._near(starts + first)]
        else:
            starts, first, lengths = (self._near(x)[:, None] for x in (starts, first, lengths))
            places = torch.arange(n_samples, device=self.device)
            crops = self.samples[starts + (first + places) % lengths]
        return crops.to(torch.float32) / FULL_SCALE

    def _near(self, of_clips: torch.Tensor) -> torch.Tensor:
        """Where the samples are; the device takes it when it comes to it."""
        return of_clips.to(self.device, non_blocking=True)
