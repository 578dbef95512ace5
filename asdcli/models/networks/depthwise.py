"""Depth-wise convolutions on CPUs in bfloat16, with gradients that cost what their arithmetic costs.

oneDNN has kernels of its own for depth-wise convolutions, but not for all of their gradients: in bfloat16 those of an
input that is crossed in steps of two, and those of a kernel wider than three, go to kernels for groups of channels,
which compute 16 x 16 where there is 1 x 1. With EfficientNet-B0 that was three quarters of all convolutions. Here the
first are computed in float32, and the second as those of kernels three wide that together cover the wide one: each tap
is the same sum of the same products.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

_QUICK = 3  # the width of the widest kernel whose gradient oneDNN computes as a depth-wise one


class DepthwiseConv2d(nn.Module):
    """A depth-wise convolution like another, whose weights it takes: `(batch, channels, height, width)` in and out.

    Args:
        of: what it replaces, without dilation.
        same: zeros stand around the input so that each step of the stride has a result, as in TensorFlow, instead of
            the padding of `of`.
    """

    def __init__(self, of: nn.Conv2d, *, same: bool) -> None:
        super().__init__()
        self.weight, self.bias = of.weight, of.bias
        self.kernel_size, self.stride, self.same = of.kernel_size, of.stride, same
        self.padding = (0, 0) if same else of.padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.weight
        if x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            x, weight = (t.to(torch.get_autocast_dtype("cpu")) for t in (x, weight))
        if self.same:
            x = nn.functional.pad(x, self._around(x))
        if x.device.type != "cpu" or x.dtype != torch.bfloat16 or self.bias is not None:
            return nn.functional.conv2d(x, weight, self.bias, self.stride, self.padding, groups=len(weight))
        y: torch.Tensor = _Depthwise.apply(x, weight, self.stride, self.padding)
        return y

    def _around(self, x: torch.Tensor) -> list[int]:
        """Zeros left, right, above and below."""
        zeros: list[int] = []
        for n, k, s in zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            lacking = max((-(-n // s) - 1) * s + k - n, 0)
            zeros += [lacking // 2, lacking - lacking // 2]
        return zeros


def replace_in(network: nn.Module) -> None:
    """Replace the depth-wise convolutions of a network by `DepthwiseConv2d`; names and numbers stay."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if not isinstance(child, nn.Conv2d) or isinstance(child.padding, str):
                continue
            plain = child.padding_mode == "zeros" and set(child.dilation) == {1}
            if plain and child.groups == child.in_channels == child.out_channels > 1:
                same = type(child).__name__ == "Conv2dSame"  # timm's: pads by itself
                if same or type(child) is nn.Conv2d:
                    setattr(parent, name, DepthwiseConv2d(child, same=same))


class _Depthwise(torch.autograd.Function):
    """The convolution in bfloat16; its gradients by the quickest ways that oneDNN has."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, stride: Any, padding: Any) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return nn.functional.conv2d(x, weight, None, stride, padding, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            if max(ctx.stride) > 1:
                like_x = torch.empty_like(x, dtype=torch.float32)  # nobody reads it
                wide = (gradient.float(), like_x, weight.float())
                of_x = _gradients(*wide, ctx.stride, ctx.padding, (True, False))[0].to(x.dtype)
            else:
                of_x = _gradients(gradient, x, weight, ctx.stride, ctx.padding, (True, False))[0]
        if ctx.needs_input_grad[1]:
            of_weight = _of_weight(gradient, x, weight, ctx.stride, ctx.padding)
        return of_x, of_weight, None, None


def _gradients(
    gradient: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, stride: Any, padding: Any, of: tuple[bool, bool]
) -> Any:
    """Those of the input and of the weights, as far as they are asked for."""
    where = (None, stride, padding, (1, 1), False, (0, 0), len(weight), (*of, False))
    return torch.ops.aten.convolution_backward(gradient, x, weight, *where)


def _of_weight(
    gradient: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, stride: Any, padding: Any
) -> torch.Tensor:
    """The gradient of the weights, of kernels three wide where theirs are wider."""
    width = weight.shape[3]
    if width <= _QUICK:
        result: torch.Tensor = _gradients(gradient, x, weight, stride, padding, (False, True))[1]
        return result
    x = nn.functional.pad(x, (padding[1], padding[1])) if padding[1] else x
    seen = (gradient.shape[3] - 1) * stride[1] + _QUICK
    result = torch.empty_like(weight)
    for left in [*range(0, width - _QUICK, _QUICK), width - _QUICK]:  # the last ends with the kernel
        taps = (..., slice(left, left + _QUICK))
        strip = x[..., left : left + seen].contiguous(memory_format=torch.channels_last)
        piece = weight[taps].contiguous(memory_format=torch.channels_last)
        result[taps] = _gradients(gradient, strip, piece, stride, (padding[0], 0), (False, True))[1]
    return result
