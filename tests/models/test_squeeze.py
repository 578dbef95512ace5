"""Squeeze-and-excitation as one operation, against what autograd makes of its formula."""

from __future__ import annotations

import pytest
import torch

from asdcli.models.networks.layers import ResidualUnit
from asdcli.models.networks.squeeze import Excited

FORMATS = {"innermost": torch.channels_last, "outermost": torch.contiguous_format}


def plain(x: torch.Tensor, squeeze: torch.Tensor, excite: torch.Tensor, onto: torch.Tensor | None) -> torch.Tensor:
    gate = torch.sigmoid(torch.relu(x.flatten(2).mean(2) @ squeeze.t()) @ excite.t())
    weighed = x * gate.view(*gate.shape, *[1] * (x.ndim - 2))
    return weighed if onto is None else onto + weighed


@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (2, 4, 7), (1, 4, 1, 1)])
@pytest.mark.parametrize("layout", FORMATS)
@pytest.mark.parametrize("added", [True, False])
def test_values_and_gradients_are_those_of_the_formula(shape: tuple[int, ...], layout: str, added: bool) -> None:
    draw = torch.Generator().manual_seed(len(shape))
    results = []
    for function in (Excited.apply, plain):
        draw.manual_seed(1)
        given = [torch.randn(s, generator=draw, dtype=torch.float64) for s in (shape, (2, 4), (4, 2), shape, shape)]
        if len(shape) == 4:
            given = [t.contiguous(memory_format=FORMATS[layout]) if t.ndim == 4 else t for t in given]
        *leaves, gradient = given
        leaves = [t.requires_grad_() for t in (leaves if added else leaves[:3])]
        y = function(*leaves, *([] if added else [None]))
        y.backward(gradient)
        results.append([y.detach(), *(t.grad for t in leaves)])
    for ours, theirs in zip(*results, strict=True):
        assert ours is not None and theirs is not None
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_a_unit_keeps_the_layout_of_its_channels() -> None:
    unit = ResidualUnit(16, 16, 1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.randn(2, 16, 6, 5).contiguous(memory_format=torch.channels_last)
    for training in (True, False):
        assert unit.train(training)(x).is_contiguous(memory_format=torch.channels_last)


def test_in_a_shorter_format_the_gate_keeps_its_own() -> None:
    draw = torch.Generator().manual_seed(3)
    x, squeeze, excite = (torch.randn(s, generator=draw) for s in ((4, 16, 9, 8), (1, 16), (16, 1)))
    short = x.bfloat16().contiguous(memory_format=torch.channels_last).requires_grad_()
    y = Excited.apply(short, squeeze, excite, None)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), plain(x, squeeze, excite, None), rtol=0.02, atol=0.02)  # 8 bits
    y.float().sum().backward()
    assert short.grad is not None and short.grad.dtype == torch.bfloat16
