"""Strided convolutions in bfloat16 take one thread for the gradient of their weights, and give what torch's give."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from asdcli.models.networks.strided import StridedConvolution


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


@pytest.mark.parametrize("short", [True, False])
def test_it_gives_what_torch_gives_to_the_bit(short: bool, one_thread: None) -> None:
    kinds = (StridedConvolution, nn.Conv2d)
    ours, theirs = (stepped(kind(16, 32, 3, stride=2, padding=1, bias=False), short) for kind in kinds)
    assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(ours, theirs, strict=True))


def test_the_gradient_of_weights_takes_one_thread_in_bfloat16_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    n, told = torch.get_num_threads(), []
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    layer = StridedConvolution(16, 32, 3, stride=2, padding=1, bias=False)
    stepped(layer, short=False)
    assert told == []
    stepped(layer, short=True)
    assert told == [1, n]
