"""The band in which a share lies when a promise is kept."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.metrics.shares import CONFIDENCE, binomial_band


def test_the_band_of_three_clips_is_what_one_counts() -> None:
    # of 3 clips at 0.1: none 0.729, one at most 0.972, two at most 0.999; at 0.5: 0.125, 0.5, 0.875, 1
    low, high = binomial_band(3, np.array([0.0, 0.1, 0.5, 1.0]))
    assert low == pytest.approx([0, 0, 0, 1])
    assert high == pytest.approx([0, 2 / 3, 1, 1])


@given(st.integers(1, 40), st.floats(0.001, 0.999))
def test_too_few_and_too_many_are_each_as_rare_as_the_band_says_and_no_narrower_band_is(n: int, p: float) -> None:
    tail = (1 - CONFIDENCE) / 2
    mass = [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    low, high = (round(float(edge[0]) * n) for edge in binomial_band(n, np.array([p])))
    rounding = 1e-9
    assert sum(mass[:low]) <= tail + rounding and sum(mass[high + 1 :]) <= tail + rounding
    assert sum(mass[: low + 1]) >= tail - rounding and sum(mass[:high]) <= 1 - tail + rounding
