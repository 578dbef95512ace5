"""The two building blocks of the dual-branch network: squeeze-and-excitation and the residual unit.

Nothing here has a bias, and no batch normalisation has a scale or shift: with fixed class centres a network free of
biases cannot learn to answer everything with one constant vector.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from asdcli.models.networks.convolution import Convolution2d
from asdcli.models.networks.normalisation import BatchNorm, BatchNormReLU
from asdcli.models.networks.squeeze import Excited


class SqueezeExcitation(nn.Module):
    """Weigh each channel by a gate computed from the channel means (Hu et al., CVPR 2018).

    Input and output: `(batch, channels, …)`, any number of positions. Hidden size is `channels // reduction`.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, channels // reduction, bias=False)
        self.excite = nn.Linear(channels // reduction, channels, bias=False)

    def forward(self, x: torch.Tensor, onto: torch.Tensor | None = None) -> torch.Tensor:
        """The weighed x, added to `onto` where that is given."""
        with torch.autocast(x.device.type, enabled=False):
            return cast(torch.Tensor, Excited.apply(x, self.squeeze.weight, self.excite.weight, onto))


class ResidualUnit(nn.Module):
    """A pre-activation residual unit whose skip path starts after the first normalisation.

    Input `(batch, c_in, height, width)`; output `(batch, c_out, height, width)` for stride 1, else both axes halved
    (rounded up). With stride 1 the channel counts must agree.
    """

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.norm = BatchNorm(c_in)
        self.residual = nn.Sequential(
            nn.ReLU(),
            Convolution2d(c_in, c_out, 3, stride=stride, padding=1, bias=False),
            BatchNormReLU(c_out),
            nn.Identity(),  # the place of the rectifier in models that were saved before it was part of the above
            Convolution2d(c_out, c_out, 3, padding=1, bias=False),
            SqueezeExcitation(c_out),
        )
        self.skip: nn.Module
        if stride == 1:
            self.skip = nn.Identity()
        else:
            pool = nn.MaxPool2d(3, stride=stride, padding=1)
            self.skip = nn.Sequential(pool, Convolution2d(c_in, c_out, 1, bias=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(x)
        *layers, excitation = self.residual
        weighed = x
        for layer in layers:
            weighed = layer(weighed)
        return cast(torch.Tensor, excitation(weighed, self.skip(x)))
