"""Batch normalisation on CPUs, exact where torch's own is not, together with what follows it.

torch normalises tensors whose channels lie innermost (`channels_last`) by adding up each channel number by number in
float32: of the 2.4 million values of a channel behind the first convolution that leaves an error of 1e-3 in what comes
out and in its gradient, more than 10,000 times that of channels outermost (`python -m tests.bench normalise`). Here the
values are added up in blocks that fit into the processor's cache, each pairwise, and the blocks in float64. What else
is done to a block happens while it is in the cache: the rectifier behind a normalisation costs no pass over memory of
its own, and pays for the exactness.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

_BLOCK = 1 << 20  # values: 4 MB in float32
_MANY = 1 << 20  # values of a channel, from which on: of the 600,000 behind the next ones torch is off by 1e-4
_OVER = (0, 2, 3)  # all axes but that of the channels


class BatchNormReLU(nn.BatchNorm2d):
    """Batch normalisation without scale and shift, and a rectifier: `(batch, channels, height, width)` in and out."""

    relu = True

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not (self.training and _adds_up_badly(x)):
            y = super().forward(x)
            return y.relu_() if self.relu else y
        mean, variance = _moments(x)
        _follow(self, x, mean, variance)
        made: torch.Tensor = _Normalised.apply(x, mean, (variance + self.eps).rsqrt(), self.relu)
        return made


class BatchNorm(BatchNormReLU):
    """The same without the rectifier."""

    relu = False


class BatchNormReLUMaxPool(BatchNormReLU):
    """The same as `BatchNormReLU`, and then the largest of each 3 x 3 positions, two apart.

    `(batch, channels, height, width)` -> `(batch, channels, (height - 3) // 2 + 1, (width - 3) // 2 + 1)`. Neither
    normalisation nor rectifier turns the order of values round, so the largest are taken first: only they, a quarter of
    all, are normalised and rectified.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training and not _adds_up_badly(x):
            return nn.functional.max_pool2d(super().forward(x), 3, 2)
        if not self.training:
            return super().forward(nn.functional.max_pool2d(x, 3, 2))
        mean, variance = _moments(x)
        _follow(self, x, mean, variance)
        y: torch.Tensor = _LargestNormalised.apply(x, mean, (variance + self.eps).rsqrt())
        return y


def _adds_up_badly(x: torch.Tensor) -> bool:
    """Whether torch's own normalisation is far less exact than the number format: bfloat16 itself rounds to 4e-3."""
    if x.device.type != "cpu" or x.dtype != torch.float32 or x.numel() < _MANY * x.shape[1]:
        return False
    return x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()


def _blocks(*tensors: torch.Tensor) -> Iterator[tuple[torch.Tensor, ...]]:
    """The same few clips of each of the tensors, all clips in turn."""
    clips = max(1, _BLOCK // max(tensors[0][0].numel(), 1))
    yield from zip(*(t.split(clips) for t in tensors), strict=True)


def _moments(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance (of all values, not corrected) of each channel: (channels,) float32 each."""
    means, variances, shares = [], [], []
    for (block,) in _blocks(x.detach()):
        mean = block.mean(_OVER)
        means.append(mean)
        variances.append((block - _spread(mean)).square_().mean(_OVER))
        shares.append(len(block) / len(x))
    of_blocks, share = torch.stack(means).double(), torch.tensor(shares, dtype=torch.float64)
    mean = share @ of_blocks
    variance = share @ (torch.stack(variances).double() + (of_blocks - mean).square())
    return mean.float(), variance.float()


def _spread(of_channels: torch.Tensor) -> torch.Tensor:
    return of_channels.view(-1, 1, 1)


@torch.no_grad()
def _follow(norm: nn.BatchNorm2d, x: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor) -> None:
    """Let the running statistics of `norm` follow those of a batch, as torch's own do."""
    n = x.numel() // x.shape[1]
    assert norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None
    assert norm.momentum is not None
    norm.num_batches_tracked += 1
    norm.running_mean.lerp_(mean, norm.momentum)
    norm.running_var.lerp_(variance * (n / (n - 1)), norm.momentum)


class _Normalised(torch.autograd.Function):
    """(x - mean) scale, rectified where asked for; its gradient knows that mean and scale come of x."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, mean: torch.Tensor, scale: torch.Tensor, relu: bool) -> torch.Tensor:
        ctx.save_for_backward(x, mean, scale)
        ctx.relu = relu
        y = torch.empty_like(x)
        for block, out in _blocks(x, y):
            torch.sub(block, _spread(mean), out=out).mul_(_spread(scale))
            if relu:
                out.relu_()
        return y

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        x, mean, scale = ctx.saved_tensors
        n = x.numel() // x.shape[1]
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        sums = []
        for block, g in _blocks(x, gradient):
            z, g = _again(block, g, mean, scale, ctx.relu)
            sums.append(torch.stack([g.sum(_OVER), z.mul_(g).sum(_OVER)]))
        shift, slope = (torch.stack(sums).double().sum(0) / n).float()
        result = torch.empty_like(x)
        for block, g, out in _blocks(x, gradient, result):
            z, g = _again(block, g, mean, scale, ctx.relu)
            torch.sub(g, z.mul_(_spread(slope)).add_(_spread(shift)), out=out).mul_(_spread(scale))
        return result, None, None, None


def _again(
    block: torch.Tensor, gradient: torch.Tensor, mean: torch.Tensor, scale: torch.Tensor, relu: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """A block's normalised values, and the gradient of them."""
    z = (block - _spread(mean)).mul_(_spread(scale))
    return z, torch.ops.aten.threshold_backward(gradient, z, 0) if relu else gradient


class _LargestNormalised(torch.autograd.Function):
    """The largest of 3 x 3 positions, two apart, normalised and rectified; mean and scale are of all positions."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, mean: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        largest, where = torch.ops.aten.max_pool2d_with_indices(x, [3, 3], [2, 2])
        y: torch.Tensor = largest.sub_(_spread(mean)).mul_(_spread(scale)).relu_()
        ctx.save_for_backward(x, mean, scale, y, where)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        x, mean, scale, y, where = ctx.saved_tensors
        n = x.numel() // x.shape[1]
        gradient = torch.ops.aten.threshold_backward(gradient, y, 0)
        sums = [torch.stack([g.sum(_OVER), (g * z).sum(_OVER)]) for g, z in _blocks(gradient, y)]
        shift, slope = (torch.stack(sums).double().sum(0) / n).float()
        result: torch.Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
            gradient, x, [3, 3], [2, 2], [0, 0], [1, 1], False, where
        )
        for block, out in _blocks(x, result):
            z = (block - _spread(mean)).mul_(_spread(scale * slope))
            out.sub_(z.add_(_spread(shift))).mul_(_spread(scale))
        return result, None, None
