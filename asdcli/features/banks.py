"""Where the clips of packs are cropped: on the device where they fit there, else where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np
import torch

from asdcli.features.bank import WaveformBank
from asdcli.features.mapped_bank import MappedBank

DEVICE_SHARE = 0.5  # of the free device memory that the samples may take; the rest is for activations


class Bank(Protocol):
    """Clips of any length, ready for batched cropping.

    Attributes:
        on_host: whether cropping is work for the processor, which can be done while a network is at work.
        lengths: (n_clips,) int64, samples of each clip; none is 0.
    """

    on_host: ClassVar[bool]

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
            return WaveformBank.of(clips, device)
    return MappedBank.of(clips, device)
