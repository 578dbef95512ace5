"""SpecAugment: a band of frequencies and a span of time of each clip's spectrogram become silent, in training only.

Source: Park et al., "SpecAugment: a simple data augmentation method for automatic speech recognition", Interspeech
2019; without its warping of time.
"""

from __future__ import annotations

import torch
from torch import nn

from asdcli.errors import UsageError


class SpecAugment(nn.Module):
    """Masks of random place and width, the same in all spectrograms of a clip.

    Args:
        probability: of a mask, for each axis of each clip by itself.
        width: largest share of an axis that a mask covers.

    Raises:
        UsageError: one of them outside [0, 1].
    """

    def __init__(self, probability: float, width: float) -> None:
        super().__init__()
        if not 0 <= probability <= 1 or not 0 <= width <= 1:
            raise UsageError(f"specaugment and mask_width lie in [0, 1], got {probability:g} and {width:g}")
        self.probability, self.width = probability, width

    def forward(self, spectrograms: list[torch.Tensor]) -> list[torch.Tensor]:
        """`(batch, n_bins, n_frames)` each, of the same clips; as they are outside of training."""
        if not self.training or not self.probability:
            return spectrograms
        masks = drawn(len(spectrograms[0]), self.probability, self.width, spectrograms[0].device)
        return [masked(spectrogram, masks) for spectrogram in spectrograms]


def drawn(n: int, probability: float, width: float, device: torch.device | None = None) -> torch.Tensor:
    """Where masks begin and end as shares of an axis, (2 axes, n clips, 2), from torch's own generator of the device.

    The width of a mask is uniform in [0, `width`], or 0 where there is none, and its place uniform where it fits.
    """
    chance, size, place = torch.rand(3, 2, n, device=device)
    size = torch.where(chance < probability, size * width, 0.0)
    begin = place * (1 - size)
    return torch.stack([begin, begin + size], dim=2)


def masked(spectrograms: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """`(batch, n_bins, n_frames)` with zeros where the middle of a bin or of a frame lies in a mask."""
    bins, frames = (_kept(n, mask) for n, mask in zip(spectrograms.shape[1:], masks, strict=True))
    return spectrograms * (bins[:, :, None] & frames[:, None, :])


def _kept(n: int, mask: torch.Tensor) -> torch.Tensor:
    """(batch, n) bool, the positions of an axis that no mask (batch, 2) covers."""
    middle = (torch.arange(n, device=mask.device) + 0.5) / n
    return (middle < mask[:, :1]) | (middle >= mask[:, 1:])
