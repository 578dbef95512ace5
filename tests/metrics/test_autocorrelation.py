"""For how long scores stay alike: by hand, against a plain estimator, and on series whose memory is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from asdcli.metrics.autocorrelation import FEWEST, alike_for, autocorrelation

_SCORES = arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e3, 1e3, width=32))


def test_a_short_series_by_hand() -> None:
    # about its mean 2: -1, 0, 1, 0; products 2 at lag 0, -1*0 + 0*1 + 1*0 = 0 at lag 1, -1*1 + 0*0 = -1 at lag 2
    assert autocorrelation([np.array([1.0, 2.0, 3.0, 2.0])]) == pytest.approx([1.0, 0.0, -0.5])


@given(st.lists(_SCORES, min_size=1, max_size=4))
def test_it_is_the_plain_estimator_of_all_series_together(series: list[np.ndarray]) -> None:
    n_lags = max(map(len, series)) // 2 + 1
    plain = np.zeros(n_lags)
    for one in series:
        centred = one - one.mean()
        of_one = np.correlate(centred, centred, "full")[len(one) - 1 :][:n_lags]
        plain[: len(of_one)] += of_one
    found = autocorrelation(series)
    scale = sum(float((one**2).sum()) for one in series)
    if plain[0] > 1e-9 * max(scale, 1e-300):
        assert found == pytest.approx(plain / plain[0], abs=1e-6)
    assert found[0] == 1.0
    assert (np.abs(found) <= 1 + 1e-9).all()


def test_scores_without_memory_are_alike_for_one_clip() -> None:
    found = [alike_for([np.random.default_rng(seed).normal(size=400)]) for seed in range(200)]
    # one-sided: 2.5 % of the series exceed the bound at lag 1 by chance, and rarely at lag 2 too
    assert np.mean(np.equal(found, 1)) > 0.94
    assert max(found) <= 3


def test_the_longer_the_memory_the_longer_they_are_alike() -> None:
    def drifting(memory: float) -> float:
        sizes = []
        for seed in range(20):
            noise, keep = np.random.default_rng(seed).normal(size=2000), np.exp(-1 / memory)
            series = np.zeros(2000)
            for i in range(1, 2000):
                series[i] = keep * series[i - 1] + noise[i]
            sizes.append(alike_for([series]))
        return float(np.median(sizes))

    # exp(-k / memory) falls below 1.96 / sqrt(2000) = 0.044 at k = 3.1 memories
    found = [drifting(memory) for memory in (2, 8, 32)]
    assert found[0] < found[1] < found[2]
    assert 2 < found[0] / 2 < 5 and 2 < found[1] / 8 < 5


@pytest.mark.parametrize(
    ("series", "size"),
    [
        ([np.ones(FEWEST - 1)], None),
        ([], None),
        ([np.ones(50)], None),  # nothing varies
        ([np.ones(20), np.zeros(20)], None),
        ([np.arange(40.0)], None),
    ],
)
def test_few_scores_and_equal_ones_tell_nothing(series: list[np.ndarray], size: int | None) -> None:
    if series and len(series[0]) == 40:  # a ramp crosses the bound, by Box and Jenkins's estimator, before its half
        assert 5 < (alike_for(series) or 0) <= 20
    else:
        assert alike_for(series) == size
