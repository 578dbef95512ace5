"""Waveforms cropped from where they lie, in memory or in files that are mapped: batches of rows, copied one by one.

A copy of a stretch of samples reads each of them once, in their order, and keeps nothing: no second copy of the packs,
no table of places, and of a file that does not fit into memory only the pages of the crops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from asdcli.features.bank import FULL_SCALE


@dataclass(frozen=True, eq=False)
class MappedBank:
    """Clips of any length, ready for batched cropping on the CPU; the same crops as of a `WaveformBank`, bit for bit.

    Attributes:
        clips: (n_samples_i,) int16 of each, views; none is empty.
        lengths: (n_clips,) int64, on the CPU.
        device: where batches are wanted.
    """

    on_host: ClassVar[bool] = True

    clips: Sequence[np.ndarray]
    lengths: torch.Tensor
    device: torch.device

    @classmethod
    def of(cls, clips: Sequence[np.ndarray], device: torch.device) -> MappedBank:
        return cls(clips, torch.tensor([len(clip) for clip in clips], dtype=torch.int64), device)

    def __len__(self) -> int:
        return len(self.clips)

    def clip(self, i: int) -> torch.Tensor:
        """(n_samples_i,) int16, a copy."""
        return torch.from_numpy(self.clips[i].copy())

    def crop(self, clips: torch.Tensor, n_samples: int, at: torch.Tensor | None = None) -> torch.Tensor:
        """`(batch, n_samples)` float32 in [-1, 1) of the given clips: arguments as of `WaveformBank.crop`."""
        clips = clips.cpu()
        first = torch.zeros(len(clips), dtype=torch.int64)
        if at is not None:
            lengths = self.lengths[clips]
            repeated = lengths * -(-n_samples // lengths)
            first = (at.cpu() * (repeated - n_samples + 1)).long()  # below the clip's length
        crops = np.empty((len(clips), n_samples), np.int16)
        for row, i, start in zip(crops, clips.tolist(), first.tolist(), strict=True):
            _copy(self.clips[i], start, row)
        found = torch.from_numpy(crops)
        if self.device.type == "cuda":
            found = found.pin_memory()
        return found.to(self.device, non_blocking=True).to(torch.float32).div_(FULL_SCALE)


def _copy(clip: np.ndarray, start: int, row: np.ndarray) -> None:
    """Fill `row` with the clip from sample `start` on, end to end where it is shorter."""
    filled = min(len(clip) - start, len(row))
    row[:filled] = clip[start : start + filled]
    if filled < len(row):
        wanted = min(start, len(row) - filled)
        row[filled : filled + wanted] = clip[:wanted]
        filled += wanted
    while filled < len(row):  # one period, or several, are there
        wanted = min(filled, len(row) - filled)
        row[filled : filled + wanted] = row[:wanted]
        filled += wanted
