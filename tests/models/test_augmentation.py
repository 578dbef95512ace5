"""SpecAugment, noise mixing and label smoothing, against what they say they do."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from asdcli.errors import UsageError
from asdcli.models.label_smoothing import smoothed
from asdcli.models.noise_mixing import with_noise
from asdcli.models.spec_augment import SpecAugment, drawn, masked
from asdcli.training.noise import NoiseMixing, white


def test_a_mask_covers_the_bins_and_frames_whose_middle_lies_in_it() -> None:
    masks = torch.tensor([[[0.3, 0.7], [0.0, 0.0]], [[0.5, 0.6], [0.0, 1.0]]])  # axis, clip, from and to
    got = masked(torch.ones(2, 4, 10), masks)
    assert got[0, :, 0].tolist() == [1, 0, 0, 1]  # bins, middles at 1/8, 3/8, 5/8, 7/8
    assert got[0, 0].tolist() == [1, 1, 1, 1, 1, 0, 1, 1, 1, 1]  # frames
    assert not got[1].any()


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_masks_lie_within_their_axis_and_are_no_wider_than_asked(seed: int, probability: float, width: float) -> None:
    torch.manual_seed(seed)
    masks = drawn(20, probability, width).double()
    begin, end = masks.unbind(dim=2)
    assert masks.shape == (2, 20, 2)
    assert (begin >= 0).all() and (end <= 1 + 1e-6).all()
    assert ((end - begin) <= width + 1e-6).all() and (end >= begin).all()
    if not probability:
        assert torch.equal(begin, end)


def test_masks_are_those_of_the_seed_and_none_outside_of_training() -> None:
    layer, x = SpecAugment(0.5, 0.3), [torch.ones(4, 50, 60)]
    torch.manual_seed(0)
    (first,) = layer(x)
    torch.manual_seed(0)
    assert torch.equal(layer(x)[0], first)
    assert (first == 0).any() and not torch.equal(layer(x)[0], first)
    assert layer.eval()(x)[0] is x[0]


@given(st.floats(-20, 40), st.integers(0, 10**6))
def test_noise_comes_out_at_the_ratio_that_was_drawn(snr_db: float, seed: int) -> None:
    x, n = torch.randn(2, 1, 500, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    added = with_noise(x, 7 * n, torch.tensor([snr_db])) - x
    got = 10 * math.log10(x.square().mean() / added.square().mean())
    assert got == pytest.approx(snr_db, abs=1e-3)  # decibels; x is hundreds of times the noise at most
    assert torch.allclose(added / n, (added / n)[0, 0])


def test_silent_noise_silent_clips_and_clips_that_get_none_stay_as_they_are() -> None:
    x = torch.rand(3, 100)
    x[1] = 0
    n = torch.rand(3, 100)
    n[0] = 0
    assert torch.equal(with_noise(x, n, torch.tensor([0.0, 0.0, math.inf])), x)


def test_as_many_clips_as_asked_get_noise_and_the_seed_says_which() -> None:
    x = torch.ones(2000, 4)

    def run(seed: int) -> torch.Tensor:
        draw = torch.Generator().manual_seed(seed)
        return NoiseMixing(0.25, 10.0, 10.0).added(x, white(x, draw), draw)

    assert torch.equal(run(1), run(1)) and not torch.equal(run(1), run(2))
    assert 400 < int((run(1) != x).any(dim=1).sum()) < 600
    power = (run(1) - x).square().mean(dim=1)
    torch.testing.assert_close(power[power > 0], torch.full_like(power[power > 0], 0.1), rtol=1e-3, atol=0)


@pytest.mark.parametrize(
    ("figures", "complaint"), [((2, 0, 20), "noise is a probability"), ((1, 3, 2), "snr_low must")]
)
def test_noise_that_is_none_is_refused(figures: tuple[float, float, float], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        NoiseMixing(*figures)


def test_smoothing_gives_a_share_to_all_classes_alike() -> None:
    labels = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.25, 0.75, 0.0, 0.0]])
    torch.testing.assert_close(
        smoothed(labels, 0.2), torch.tensor([[0.85, 0.05, 0.05, 0.05], [0.25, 0.65, 0.05, 0.05]])
    )
    assert smoothed(labels, 0.0) is labels
