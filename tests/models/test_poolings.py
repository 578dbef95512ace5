"""Poolings: values worked out by hand, and laws."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.errors import UsageError
from asdcli.models.poolings import POOLINGS

LEARNT = ["attentive"]
EVERY = [name for name in POOLINGS.entries if name not in LEARNT]
PLACES = torch.tensor([[[1.0, -2.0], [3.0, -1.0], [2.0, 3.0]]])  # two dimensions at three places, mean (2, 0)


def pooled(spelling: str, places: torch.Tensor = PLACES) -> torch.Tensor:
    return POOLINGS.build(spelling).pool(places)


def test_mean_and_largest_by_hand() -> None:
    assert pooled("mean")[0].tolist() == pytest.approx([2.0, 0.0])
    assert pooled("max")[0].tolist() == [3.0, 3.0]


def test_the_generalised_mean_by_hand() -> None:
    # (1 + 27 + 8) / 3 = 12; of the second dimension only 3 is above 0: 27 / 3
    assert pooled("gem")[0].tolist() == pytest.approx([12 ** (1 / 3), 9 ** (1 / 3)])
    assert pooled("gem:p=1")[0].tolist() == pytest.approx([2.0, 1.0])
    assert pooled("gem", -PLACES.abs() - 1)[0].tolist() == [0.0, 0.0]


def test_relative_deviation_pooling_by_hand() -> None:
    places = torch.tensor([[[0.0], [0.0], [4.0], [0.0]]])  # mean 1, deviations 1, 1, 3, 1
    assert pooled("rdp:gamma=1", places).item() == pytest.approx(4 * 3 / 6)
    assert pooled("rdp:gamma=2", places).item() == pytest.approx(4 * 9 / 12)
    assert pooled("rdp", places).item() == pytest.approx(4.0, abs=1e-5)
    assert pooled("hybrid:gamma=1,p=2", places).item() == pytest.approx(math.sqrt(16 / 2))


@pytest.mark.parametrize("name", EVERY)
@given(seed=st.integers(0, 99), n=st.integers(1, 6))
@settings(deadline=None, max_examples=15)
def test_the_order_of_the_places_does_not_matter_and_places_alike_are_one(name: str, seed: int, n: int) -> None:
    places = torch.rand((2, n, 3), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    torch.testing.assert_close(pooled(name, places.flip(1)), pooled(name, places))
    alike = places[:, :1].expand(-1, n, -1)
    torch.testing.assert_close(pooled(name, alike), places[:, 0])


@pytest.mark.parametrize("name", EVERY)
@given(factor=st.floats(1e-3, 1e3))
@settings(deadline=None, max_examples=10)
def test_what_is_louder_is_louder_by_as_much(name: str, factor: float) -> None:
    torch.testing.assert_close(pooled(name, PLACES * factor), pooled(name) * factor, rtol=1e-4, atol=1e-4 * factor)


def test_large_powers_do_not_overflow() -> None:
    huge = torch.tensor([[[1e30], [2e30]]])
    assert pooled("gem:p=12", huge).item() == pytest.approx(2e30 * ((1 + 0.5**12) / 2) ** (1 / 12), rel=1e-5)
    assert torch.isfinite(pooled("rdp:gamma=200", huge)).all()


@pytest.mark.parametrize("spelling", ["gem:p=0", "rdp:gamma=-1", "hybrid:p=inf"])
def test_powers_are_numbers_above_0(spelling: str) -> None:
    with pytest.raises(UsageError, match="must be a number above 0"):
        POOLINGS.build(spelling)


def attentive(n_dims: int, **how: int) -> torch.nn.Module:
    torch.manual_seed(0)
    return POOLINGS.build("attentive", **how).module(n_dims).eval()


def test_poolings_that_learn_are_known_as_such_and_refuse_to_pool_without() -> None:
    assert [name for name in POOLINGS.entries if getattr(POOLINGS.load(name), "trained", False)] == LEARNT
    with pytest.raises(UsageError, match="pool=attentive has weights, and a frozen encoder learns none"):
        pooled("attentive")
    with pytest.raises(UsageError, match="attentive:hidden must be at least 1"):
        POOLINGS.build("attentive:hidden=0")


def test_attentive_statistics_by_hand() -> None:
    own = attentive(1, hidden=1)
    own.inner.weight.data, own.inner.bias.data = torch.tensor([[1.0, 0.0, 0.0]]), torch.zeros(1)
    own.outer.weight.data = torch.tensor([[2.0]])
    places = torch.tensor([[[0.0], [1.0], [3.0]]])
    weights = [math.exp(2 * math.tanh(x)) for x in (0.0, 1.0, 3.0)]
    mean = (weights[1] + 3 * weights[2]) / sum(weights)
    variance = (weights[1] + 9 * weights[2]) / sum(weights) - mean**2
    assert own(places)[0].tolist() == pytest.approx([mean, math.sqrt(variance)], rel=1e-4)
    own.outer.weight.data.zero_()  # all places alike: 4 / 3, and 10 / 3 - 16 / 9
    assert own(places)[0].tolist() == pytest.approx([4 / 3, math.sqrt(14 / 9)], rel=1e-4)


@given(seed=st.integers(0, 99), n=st.integers(1, 6))
@settings(deadline=None, max_examples=15)
def test_attentive_statistics_do_not_ask_for_an_order_and_of_places_alike_there_is_no_deviation(
    seed: int, n: int
) -> None:
    own = attentive(3)
    places = torch.rand((2, n, 3), generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(own(places.flip(1)), own(places), rtol=1e-4, atol=1e-5)
    alike = own(places[:, :1].expand(-1, n, -1))
    torch.testing.assert_close(alike[:, :3], places[:, 0], rtol=1e-4, atol=1e-4)
    assert alike[:, 3:].max() < 0.011  # the least deviation
