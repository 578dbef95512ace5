"""Convolutions in bfloat16 take one thread for gradients whose threads would spin, and give what torch's give."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from asdcli.models.networks import convolution, windowed
from asdcli.models.networks.convolution import Convolution2d
from asdcli.models.networks.windowed import WindowedConv1d


@pytest.fixture
def one_thread() -> Iterator[None]:
    """torch's own sums in the order of one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def stepped(layer: nn.Conv2d, short: bool) -> list[torch.Tensor]:
    """What comes out of a layer in training, and the gradients of its input and weights."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(3, 16, 9, 7, generator=draw).contiguous(memory_format=torch.channels_last)
    x = (x.bfloat16() if short else x).requires_grad_()
    with torch.no_grad():
        layer.weight.copy_(torch.randn(32, 16, 3, 3, generator=draw))
    with torch.autocast("cpu", torch.bfloat16, enabled=short):
        y = layer(x)
    y.float().square().sum().backward()
    assert x.grad is not None and layer.weight.grad is not None
    return [y.detach(), x.grad, layer.weight.grad]


@pytest.fixture(params=[False, True], ids=["", "amx"])
def amx(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """A processor with AMX or without, as far as asd knows."""
    for module in (convolution, windowed):
        monkeypatch.setattr(module, "has_amx", lambda: request.param)
    has: bool = request.param
    return has


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("short", [True, False])
def test_it_gives_what_torch_gives_to_the_bit(short: bool, stride: int, amx: bool, one_thread: None) -> None:
    kinds = (Convolution2d, nn.Conv2d)
    ours, theirs = (stepped(kind(16, 32, 3, stride=stride, padding=1, bias=False), short) for kind in kinds)
    assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("stride", [1, 2])
def test_the_gradient_of_weights_takes_one_thread_where_threads_spin(
    stride: int, amx: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    n, told = torch.get_num_threads(), []
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    layer = Convolution2d(16, 32, 3, stride=stride, padding=1, bias=False)
    stepped(layer, short=False)
    assert told == []
    stepped(layer, short=True)
    assert told == ([1, n] if amx or stride == 2 else [])


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("training", [True, False])
def test_what_is_one_position_wide_is_computed_in_float32(width: int, training: bool) -> None:
    """oneDNN's kernel for AMX is wrong there, by as much as the numbers are large."""
    draw = torch.Generator().manual_seed(0)
    layer = Convolution2d(64, 128, 3, stride=2, padding=1, bias=False).train(training)
    x = torch.randn(4, 64, 31, width, generator=draw).contiguous(memory_format=torch.channels_last)
    short = x.bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(short)
    exact = nn.functional.conv2d(short.float(), layer.weight, None, 2, 1)
    assert y.dtype == torch.bfloat16 and torch.equal(y, exact.bfloat16())
    (gradient,) = torch.autograd.grad(y.float().square().sum(), layer.weight)
    torch.testing.assert_close(gradient, torch.autograd.grad(exact.square().sum(), layer.weight)[0], rtol=1e-2, atol=1)


def test_long_windows_in_bfloat16_are_products_of_matrices_with_amx(amx: bool) -> None:
    draw = torch.Generator().manual_seed(0)
    layer = WindowedConv1d(3, 16, 64, 32)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=draw) / 14)
    x = torch.randn(2, 3, 500, generator=draw).requires_grad_()
    exact = nn.functional.conv1d(x, layer.weight, None, 32)
    wanted = torch.autograd.grad(exact.square().sum(), [x, layer.weight])
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    assert (type(y.grad_fn).__name__ == "TransposeBackward0") == amx
    torch.testing.assert_close(y.float(), exact, rtol=0.03, atol=0.03)
    for found, of_exact in zip(torch.autograd.grad(y.float().square().sum(), [x, layer.weight]), wanted, strict=True):
        torch.testing.assert_close(found, of_exact, rtol=0.05, atol=0.05 * float(of_exact.abs().max()))
