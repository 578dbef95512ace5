"""The spectrum branch: one amplitude spectrum of the whole clip, 1-D convolutions, five hidden layers (128-d)."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from asdcli.models.networks.layers import SqueezeExcitation
from asdcli.models.networks.windowed import WindowedConv1d

DIMS = 128
CONVOLUTIONS = ((256, 64), (64, 32), (16, 4))  # (kernel, stride) of each, without padding


def amplitude_spectrum(waveforms: torch.Tensor) -> torch.Tensor:
    """|rfft(x)| without logarithm or scaling: `(batch, n_samples)` float32 -> `(batch, n_samples // 2 + 1)`."""
    return amplitudes(torch.fft.rfft(waveforms))


def amplitudes(x: torch.Tensor) -> torch.Tensor:
    """|x| of complex numbers, off by 2e-7 at most, on CPUs several times as fast as `x.abs()`.

    Squares of what is below 1e-19 vanish: a waveform of 16 bits has no such amplitudes but 0.
    """
    if x.requires_grad:  # the gradient of a root is none at 0
        return x.abs()
    return torch.mul(x.real, x.real).addcmul_(x.imag, x.imag).sqrt_()


def positions(n_samples: int) -> int:
    """Positions left after the three convolutions; below 1 the clip is too short for this branch."""
    n = n_samples // 2 + 1
    for kernel, stride in CONVOLUTIONS:
        n = (n - kernel) // stride + 1
    return n


def shortest_clip() -> int:
    """The fewest samples that leave one position: 70,014, or 4.38 s at 16 kHz."""
    n = 1
    for kernel, stride in reversed(CONVOLUTIONS):
        n = (n - 1) * stride + kernel
    return 2 * (n - 1)


class SpectrumBranch(nn.Module):
    """`(batch, n_samples // 2 + 1)` amplitudes -> `(batch, 128)`."""

    def __init__(self, n_samples: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for kernel, stride in CONVOLUTIONS:
            layers += [
                WindowedConv1d(channels, DIMS, kernel, stride),
                nn.ReLU(),
                SqueezeExcitation(DIMS),
            ]
            channels = DIMS
        self.convolutions = nn.Sequential(*layers)
        layers = [nn.Flatten()]
        width = DIMS * positions(n_samples)
        for _ in range(5):
            layers += [nn.Linear(width, DIMS, bias=False), nn.BatchNorm1d(DIMS, affine=False), nn.ReLU()]
            width = DIMS
        layers.append(nn.Linear(DIMS, DIMS, bias=False))
        self.head = nn.Sequential(*layers)

    def forward(self, spectrum: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, self.head(self.convolutions(spectrum.unsqueeze(1))))
