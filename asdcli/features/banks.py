"""Where the clips of packs are cropped: on the device where they fit there, else where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from asdcli.features.bank import DEVICE_SHARE, WaveformBank
from asdcli.features.mapped_bank import MappedBank


class Bank(Protocol):
    """Clips of any length, ready for batched cropping.

    Attributes:
        lengths: (n_clips,) int64, samples of each clip; none is 0.
    """

    @property
    def lengths(self) -> torch.Tensor: ...

    def __len__(self) -> int: ...

    def clip(self, i: int) -> torch.Tensor:
        """(n_samples_i,) int16."""
        ...

    def crop(self, clips: torch.Tensor, n_samples: int, at: torch.Tensor | None = None) -> torch.Tensor:
        """`(batch, n_samples)` float32 in [-1, 1): see `WaveformBank.crop`."""
        ...


def bank_of(clips: Sequence[np.ndarray], device: torch.device) -> Bank:
    """The bank of clips of (n_samples_i,) int16, for batches on `device`.

    On a GPU they lie end to end where they take no more than a share of its free memory. Everywhere else they stay
    where they are, which takes no memory at all where packs are mapped.
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if sum(clip.nbytes for clip in clips) <= DEVICE_SHARE * free:
            offsets = np.cumsum([0, *map(len, clips)], dtype=np.int64)
            return WaveformBank.of(np.concatenate([np.empty(0, np.int16), *clips]), offsets, device)
    return MappedBank.of(clips, device)
