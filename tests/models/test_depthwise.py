"""Depth-wise convolutions and squeeze-and-excitation blocks that replace timm's: the same numbers, by quicker ways."""

from __future__ import annotations

import copy

import pytest
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.layers.padding import pad_same
from torch import nn

from asdcli.models.networks import depthwise, squeezed
from asdcli.models.networks.depthwise import DepthwiseConv2d
from asdcli.models.networks.serial_oe import SerialOENetwork

BF16 = 2**-7
"""Twice the rounding of a bfloat16: of a gradient that is computed in it, and of what it is computed from."""


def of(channels: int, kernel: int, stride: int, padding: int = 0) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, kernel, stride, padding, groups=channels, bias=False)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "same"), [(3, 2, 1, False), (5, 1, 2, False), (5, 2, 0, True), (7, 1, 3, False)]
)
def test_gradients_in_bfloat16_are_those_of_float64(kernel: int, stride: int, padding: int, same: bool) -> None:
    torch.manual_seed(0)
    own = DepthwiseConv2d(of(6, kernel, stride, padding), same=same)
    x = torch.randn(3, 6, 12, 15).to(memory_format=torch.channels_last).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        y = own(x)
    slope = torch.randn_like(y)
    found = torch.autograd.grad(y, (x, own.weight), slope)
    rounded = [t.detach().bfloat16().double().requires_grad_() for t in (x, own.weight)]
    padded = nn.functional.pad(rounded[0], own._around(x)) if same else rounded[0]
    exact = nn.functional.conv2d(padded, rounded[1], None, stride, own.padding, groups=6)
    expected = torch.autograd.grad(exact, rounded, slope.double())
    assert y.dtype == torch.bfloat16
    for one, other in zip((y, *found), (exact, *expected), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=BF16, atol=BF16 * float(other.detach().abs().max()) / 4)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([3, 5, 7]), st.integers(1, 3))
def test_same_padding_is_timms(height: int, width: int, kernel: int, stride: int) -> None:
    x = torch.ones(1, 2, height, width)
    own = DepthwiseConv2d(of(2, kernel, stride), same=True)
    assert torch.equal(nn.functional.pad(x, own._around(x)), pad_same(x, [kernel] * 2, [stride] * 2))


@pytest.mark.parametrize("backbone", ["tf_mobilenetv3_small_minimal_100", "mobilenetv3_small_050"])
def test_in_float32_a_replaced_network_is_timms_to_the_bit_with_its_names(backbone: str) -> None:
    torch.manual_seed(0)
    timms = timm.create_model(backbone, in_chans=1, num_classes=0).train()
    own = copy.deepcopy(timms)
    depthwise.replace_in(own)
    squeezed.replace_in(own)
    assert list(own.state_dict()) == list(timms.state_dict())
    replaced = [m for m in own.modules() if isinstance(m, DepthwiseConv2d)]
    assert len(replaced) == sum(m.groups > 1 for m in timms.modules() if isinstance(m, nn.Conv2d)) > 5
    x = torch.rand(2, 1, 64, 72)
    results = []
    for network in (timms, own):
        y = network(x)
        y.square().mean().backward()
        results.append([y.detach(), *(p.grad for p in network.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_other_convolutions_are_left_alone() -> None:
    biased = nn.Conv2d(4, 4, 3, groups=4)
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(4, 4, 3, dilation=2, groups=4))
    network.append(nn.Conv2d(4, 4, 3, padding_mode="reflect", padding=1, groups=4)).append(biased)
    before = list(network)
    depthwise.replace_in(network)
    assert list(network)[:4] == before[:4] and isinstance(network[4], DepthwiseConv2d)
    x = torch.randn(2, 4, 6, 6)
    with torch.autocast("cpu", torch.bfloat16):  # with a bias: torch's own way
        torch.testing.assert_close(network[4](x), biased(x))


def test_a_mean_over_places_gives_its_gradient_back_as_one_number_a_channel() -> None:
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    mean = squeezed._Mean.apply(x)
    (gradient,) = torch.autograd.grad(mean.square().sum(), x)
    (expected,) = torch.autograd.grad(x.mean((2, 3), keepdim=True).square().sum(), x)
    torch.testing.assert_close(gradient, expected, rtol=1e-14, atol=0)
    assert gradient.stride()[2:] == (0, 0)


def test_activations_work_in_place_where_nothing_is_to_be_learnt() -> None:
    network = SerialOENetwork(64_000, 16_000, n_products=2, backbone="mobilenetv3_small_050")
    kept = [m for m in network.backbone.modules() if isinstance(m, nn.Hardswish)]
    assert kept and not any(m.inplace for m in kept)
    assert all(m.inplace for m in kept if network.eval()) and not network.training
