"""Squeeze and excitation whose mean over all places gives back a gradient that nobody writes out place by place.

torch spreads the gradient of a mean over all places, in another order than that of the activations, and adds it to
theirs: of a training step with EfficientNet-B0 in bfloat16 a tenth. Here it stays one number a channel, which is added
to each place.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class SqueezeExcite(nn.Module):
    """timm's block of the same name, with its parts: `(batch, channels, height, width)` in and out.

    Args:
        of: what it replaces.
    """

    conv_reduce: nn.Module
    act1: nn.Module
    conv_expand: nn.Module
    gate: nn.Module

    def __init__(self, of: nn.Module) -> None:
        super().__init__()
        for name, part in of.named_children():
            self.add_module(name, part)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        squeezed = self.conv_expand(self.act1(self.conv_reduce(_Mean.apply(x))))
        y: torch.Tensor = x * self.gate(squeezed)
        return y


def replace_in(network: nn.Module) -> None:
    """Replace the blocks of a network by `SqueezeExcite`; names and numbers stay."""
    from timm.models._efficientnet_blocks import SqueezeExcite as Timms

    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is Timms:
                setattr(parent, name, SqueezeExcite(child))


class _Mean(torch.autograd.Function):
    """The mean over height and width, kept as axes of length one."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.shape = x.shape
        return x.mean((2, 3), keepdim=True)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return (gradient / (ctx.shape[2] * ctx.shape[3])).expand(ctx.shape)
