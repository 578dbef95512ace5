"""A strided convolution whose threads do not wait for one another in bfloat16.

oneDNN computes the gradient of its weights by threads that spin until all have come as far, whatever OpenMP is told to
do: where another program has one of the cores, that took 3 to 30 times the processor time, and half of a training step.
One thread alone needs a hundredth of a step for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn


class StridedConvolution(nn.Conv2d):
    """`torch.nn.Conv2d` without bias, of a stride above 1; to the bit the same but for that gradient."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        short = x.device.type == "cpu" and torch.is_autocast_enabled("cpu") and x.dtype == torch.bfloat16
        if not (short and self.training):
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            y: torch.Tensor = _Strided.apply(x, self.weight.to(x.dtype), self.stride, self.padding)
        return y


class _Strided(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, stride: tuple[int, ...], padding: tuple[int, ...]
    ) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.how = stride, padding
        return nn.functional.conv2d(x, weight, None, stride, padding)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor, None, None]:
        x, weight = ctx.saved_tensors
        stride, padding = ctx.how

        def of(*wanted: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            how = None, stride, padding, [1, 1], False, [0, 0], 1, [*wanted, False]
            found: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = torch.ops.aten.convolution_backward(
                gradient, x, weight, *how
            )
            return found

        of_x = of(True, False)[0] if ctx.needs_input_grad[0] else None
        with _alone():
            of_weight = of(False, True)[1]
        return of_x, of_weight, None, None


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """torch on one thread."""
    n = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n)
