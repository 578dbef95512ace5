"""Batch normalisation that adds up exactly, against torch's own in float64."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from asdcli.models.networks import normalisation
from asdcli.models.networks.normalisation import BatchNorm, BatchNormReLU, BatchNormReLUMaxPool

KINDS = [BatchNorm, BatchNormReLU, BatchNormReLUMaxPool]


def plain(kind: type[BatchNormReLU], channels: int) -> nn.Sequential:
    """The same of torch's own layers."""
    layers: list[nn.Module] = [nn.BatchNorm2d(channels, affine=False)]
    if kind is not BatchNorm:
        layers.append(nn.ReLU())
    if kind is BatchNormReLUMaxPool:
        layers.append(nn.MaxPool2d(3, 2))
    return nn.Sequential(*layers)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    """Values as behind a convolution, in float64: of a mean that is not 0, and of different spread by channel."""
    draw = torch.Generator().manual_seed(seed)
    spread = torch.arange(1, shape[1] + 1, dtype=torch.float64).view(-1, 1, 1)
    return torch.randn(*shape, generator=draw, dtype=torch.float64) * spread + 2


def passed(layer: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What comes out, and the gradient of a weighted sum of it."""
    x = x.detach().requires_grad_()
    y = layer(x)
    weights = torch.cos(torch.arange(y.numel(), dtype=torch.float64)).view(y.shape).to(y)
    (y * weights).sum().backward()
    assert x.grad is not None
    return y.detach(), x.grad


def off(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.double() - b).norm() / b.norm())


def innermost(x: torch.Tensor) -> torch.Tensor:
    return x.float().to(memory_format=torch.channels_last)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_as_exact_as_float32_allows_where_torch_is_not(kind: type[BatchNormReLU]) -> None:
    x = drawn(64, 2, 150, 100)
    ours, reference, torchs = kind(2), plain(kind, 2).double(), plain(kind, 2)
    y, gradient = passed(reference, x)
    for mine, other in zip(passed(ours, innermost(x)), (y, gradient), strict=True):
        assert off(mine, other) < 5e-7
    assert off(passed(torchs, innermost(x))[0], y) > 5e-6, "torch adds up exactly now: this is not needed any more"
    for name in ("running_mean", "running_var"):
        torch.testing.assert_close(getattr(ours, name).double(), getattr(reference[0], name), rtol=1e-6, atol=0)


@pytest.fixture(autouse=True)
def of_few_values_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normalisation, "_MANY", 1)


@given(st.sampled_from(KINDS), st.integers(2, 5), st.integers(2, 4), st.integers(3, 9), st.integers(3, 9))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_equals_torchs_layers_one_after_the_other(
    kind: type[BatchNormReLU], n: int, channels: int, height: int, width: int
) -> None:
    x = drawn(n, channels, height, width, seed=height * width)
    ours, reference = kind(channels), plain(kind, channels).double()
    for mine, other in zip(passed(ours, innermost(x)), passed(reference, x), strict=True):
        torch.testing.assert_close(mine.double(), other, rtol=1e-4, atol=1e-5)
    for name, other in reference[0].state_dict().items():
        torch.testing.assert_close(getattr(ours, name).to(other), other, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", [innermost, torch.Tensor.float, lambda x: innermost(x).bfloat16()])
def test_in_use_it_gives_torchs_values_to_the_bit(kind: type[BatchNormReLU], form: object) -> None:
    ours, reference = kind(3), plain(kind, 3)
    passed(reference, drawn(8, 3, 20, 20).float())
    ours.load_state_dict(reference[0].state_dict())
    x = form(drawn(4, 3, 13, 17, seed=1))  # type: ignore[operator]
    assert torch.equal(ours.eval()(x), reference.eval()(x))


@pytest.mark.parametrize("kind", KINDS)
def test_other_formats_are_left_to_torch(kind: type[BatchNormReLU]) -> None:
    for x in (drawn(4, 3, 13, 17).float(), innermost(drawn(4, 3, 13, 17)).bfloat16(), drawn(4, 3, 13, 17)):
        for mine, other in zip(passed(kind(3).to(x), x), passed(plain(kind, 3).to(x), x), strict=True):
            assert torch.equal(mine, other)


def test_values_that_hardly_differ_from_a_large_mean_are_normalised_as_exactly_as_they_are_given() -> None:
    x = (1000 + torch.randn(16, 2, 40, 40, generator=torch.Generator().manual_seed(0))).double()
    mine, other = passed(BatchNorm(2), innermost(x)), passed(plain(BatchNorm, 2).double(), innermost(x).double())
    assert off(mine[0], other[0]) < 1e-4
