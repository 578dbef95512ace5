"""Convolutions on CPUs in bfloat16, where oneDNN's kernels wait badly, and one of them is wrong.

It computes gradients of weights by threads that spin until all have come as far, whatever OpenMP is told to do: where
another program has one of the cores, that took 3 to 30 times the processor time, and half of a training step or more.
One thread alone needs a few hundredths of a step for them. On processors without AMX it does so for strided
convolutions only, on those with AMX for all.

With AMX a strided convolution whose output is one position wide comes out wrong, and reads memory that nobody wrote:
such a one is computed in float32.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import nn


class Convolution2d(nn.Conv2d):
    """`torch.nn.Conv2d` without bias; to the bit the same but for what the module says of bfloat16 on CPUs."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not is_short(x):
            return super().forward(x)
        kernel, stride, padding = self.kernel_size[1], self.stride[1], int(self.padding[1])
        if stride > 1 and (x.shape[3] + 2 * padding - kernel) // stride == 0:
            with torch.autocast("cpu", enabled=False):
                return super().forward(x.to(self.weight.dtype)).to(torch.bfloat16)
        if self.training and (stride > 1 or has_amx()):
            with torch.autocast("cpu", enabled=False):
                y: torch.Tensor = _Alone.apply(
                    x.to(torch.bfloat16), self.weight.to(torch.bfloat16), self.stride, self.padding
                )
            return y
        return super().forward(x)


def is_short(x: torch.Tensor) -> bool:
    """Whether a layer computes in bfloat16 on a CPU."""
    return (
        x.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") == torch.bfloat16
    )


@cache
def has_amx() -> bool:
    """Whether the processor multiplies tiles of bfloat16."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


class _Alone(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, stride: tuple[int, ...], padding: tuple[int, ...]
    ) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.how = [stride, padding, [1] * len(stride), False, [0] * len(stride), 1]
        y: torch.Tensor = torch.ops.aten.convolution(x, weight, None, *ctx.how)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor, None, None]:
        x, weight = ctx.saved_tensors

        def of(*wanted: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            found: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = torch.ops.aten.convolution_backward(
                gradient, x, weight, None, *ctx.how, [*wanted, False]
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
