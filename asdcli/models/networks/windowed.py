"""Convolutions without padding as one product of matrices, where that is faster, or waits better.

On CUDA, where windows are long and far apart, or of a single channel, cuDNN's kernels are far from the card's rate: the
step of the dual-branch network in bfloat16 took 14.8 ms with them on an H200, and takes 10.6 ms (`make bench-gpu`). The
windows, copied beside one another, are the rows of a matrix, and what comes out has its channels innermost, as the
layers behind want it.

On CPUs with AMX the gradients of long windows, in bfloat16, are computed by threads that spin (see `convolution`), and
products of matrices are not: alone they take as long, beside another program a fraction.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from asdcli.models.networks.convolution import has_amx, is_short

_ALIGNED = 8  # numbers: rows of matrices that are no multiple of it are read by slower kernels


class WindowedConv1d(nn.Conv1d):
    """`(batch, c_in, length)` -> `(batch, c_out, (length - kernel) // stride + 1)`."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int) -> None:
        super().__init__(c_in, c_out, kernel, stride=stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.is_cuda or (self.training and is_short(x) and has_amx()):
            return by_windows_1d(x, self.weight, self.stride[0])
        return super().forward(x)


class WindowedConv2d(nn.Conv2d):
    """`(batch, 1, height, width)` -> `(batch, c_out, …, …)`, height and width as the length above; square windows."""

    def __init__(self, c_out: int, kernel: int, stride: int) -> None:
        super().__init__(1, c_out, kernel, stride=stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return by_windows_2d(x, self.weight, self.stride[0]) if x.is_cuda else super().forward(x)


def by_windows_1d(x: torch.Tensor, weight: torch.Tensor, stride: int) -> torch.Tensor:
    """The convolution of `(batch, c_in, length)` with `(c_out, c_in, kernel)`."""
    c_out, _, kernel = weight.shape
    windows = _as_autocast(x).unfold(2, kernel, stride).permute(0, 2, 3, 1)  # (batch, positions, kernel, c_in)
    rows = windows.flatten(2)
    return (rows @ weight.permute(0, 2, 1).reshape(c_out, -1).t().to(rows.dtype)).transpose(1, 2)


def by_windows_2d(x: torch.Tensor, weight: torch.Tensor, stride: int) -> torch.Tensor:
    """The convolution of `(batch, 1, height, width)` with `(c_out, 1, kernel, kernel)`."""
    c_out, _, kernel, _ = weight.shape
    n_rows, n_columns = ((n - kernel) // stride + 1 for n in x.shape[2:])
    more = -kernel % _ALIGNED  # columns of weights that are 0
    image, weight = (functional.pad(part, (0, more)) for part in (_as_autocast(x)[:, 0], weight[:, 0]))
    windows = image.unfold(1, kernel, stride).unfold(2, kernel + more, stride)[:, :n_rows, :n_columns]
    made = windows.flatten(3).flatten(0, 2) @ weight.flatten(1).t().to(image.dtype)
    return made.view(len(x), n_rows, n_columns, c_out).permute(0, 3, 1, 2)


def _as_autocast(x: torch.Tensor) -> torch.Tensor:
    """In the number format that the product will have: the windows are many times what they are cut out of."""
    kind = x.device.type
    return x.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else x
