"""Convolutions as products of matrices."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from asdcli.models.networks.windowed import WindowedConv1d, WindowedConv2d, by_windows_1d, by_windows_2d

SIZES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 9), st.integers(1, 5), st.integers(0, 20))


@given(SIZES, st.integers(0, 99))
def test_windows_give_the_convolution_and_its_gradients(sizes: tuple[int, ...], seed: int) -> None:
    batch, c_in, kernel, stride, beyond = sizes
    draw = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=draw, dtype=torch.float64, requires_grad=True)

    for ours, theirs, x, weight in (
        (by_windows_1d, functional.conv1d, noise(batch, c_in, kernel + beyond), noise(4, c_in, kernel)),
        (by_windows_2d, functional.conv2d, noise(batch, 1, kernel + beyond, kernel + 3), noise(4, 1, kernel, kernel)),
    ):
        made, wanted = ours(x, weight, stride), theirs(x, weight, stride=stride)
        torch.testing.assert_close(made, wanted)
        towards = noise(*wanted.shape).detach()
        for ours_too, wanted_too in zip(
            *(torch.autograd.grad((y * towards).sum(), (x, weight)) for y in (made, wanted)), strict=True
        ):
            torch.testing.assert_close(ours_too, wanted_too)


def test_a_window_is_worked_out_by_hand() -> None:
    x = torch.arange(6.0).view(1, 1, 6)
    assert by_windows_1d(x, torch.tensor([[[1.0, 10.0]]]), 2).tolist() == [[[10.0, 32.0, 54.0]]]


@pytest.mark.gpu
def test_the_layers_compute_on_a_gpu_what_they_do_on_a_cpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    for layer, shape in ((WindowedConv1d(2, 8, 16, 4), (3, 2, 100)), (WindowedConv2d(16, 7, 2), (3, 1, 50, 41))):
        x = torch.randn(shape)
        torch.testing.assert_close(layer.cuda()(x.cuda()).cpu(), layer.cpu()(x), rtol=1e-5, atol=1e-5)
