"""Packed waveforms on a device: cropping and tiling of whole batches by one gather."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from asdcli.features.pack import FULL_SCALE

DEVICE_SHARE = 0.5  # of the free device memory that the samples may take; the rest is for activations


@dataclass(frozen=True)
class WaveformBank:
    """Clips of any length end to end in one tensor, ready for batched cropping.

    Where each clip lies is kept on the CPU, as what is drawn is: of a batch, only its few places go to the device, and
    nobody waits for that.

    Attributes:
        samples: (n_samples,) int16, on the device that computes, or in pinned host memory where it does not fit.
        starts, lengths: (n_clips,) int64 on the CPU; no length is 0.
        device: where batches are wanted.
    """

    samples: torch.Tensor
    starts: torch.Tensor
    lengths: torch.Tensor
    device: torch.device

    @classmethod
    def of(cls, samples: np.ndarray, offsets: np.ndarray, device: torch.device) -> WaveformBank:
        """Move int16 `samples` (clip i is `samples[offsets[i]:offsets[i + 1]]`) to where they will be gathered."""
        flat = torch.from_numpy(samples)
        home = device
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if flat.nbytes > DEVICE_SHARE * free:
                home, flat = torch.device("cpu"), flat.pin_memory()
        bounds = torch.from_numpy(np.asarray(offsets, np.int64))
        return cls(flat.to(home), bounds[:-1], bounds.diff(), device)

    def __len__(self) -> int:
        return len(self.starts)

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
            places = torch.arange(n_samples, device=self.samples.device)
            crops = self.samples[starts + (first + places) % lengths]
        return crops.to(self.device, torch.float32, non_blocking=True) / FULL_SCALE

    def _near(self, of_clips: torch.Tensor) -> torch.Tensor:
        """Where the samples are; the device takes it when it comes to it."""
        return of_clips.to(self.samples.device, non_blocking=True)
