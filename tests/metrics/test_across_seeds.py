"""Scores of several seeds: mean and spread by hand, and the paired test against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from asdcli.metrics.across_seeds import Drawn, mean_and_std, paired


def test_the_spread_is_that_of_a_sample() -> None:
    mean, std = mean_and_std([60.0, 62.0, 67.0])
    assert mean == pytest.approx(63.0)
    assert std == pytest.approx((26 / 2) ** 0.5)  # 9 + 1 + 16, by n - 1


def test_one_seed_has_no_spread_and_none_has_no_mean() -> None:
    assert mean_and_std([60.0]) == (60.0, None)
    with pytest.raises(ValueError, match="no seed"):
        mean_and_std([])


def test_a_paired_test_worked_out_by_hand() -> None:
    found = paired([3.0, 4.0, 5.0], [2.0, 2.0, 2.0])  # differences 1, 2, 3: mean 2, std 1, t = 2 sqrt 3
    assert found is not None
    assert (found.difference, found.n) == (2.0, 3)
    t = 2 * 3**0.5  # of two degrees of freedom: p = 1 - t / sqrt(t^2 + 2)
    assert found.p == pytest.approx(1 - t / (t * t + 2) ** 0.5)
    assert found.tied  # 0.074


@given(st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_it_is_students_paired_t_test(n: int, seed: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, n))
    found, other = paired(a, b), paired(b, a)
    assert found is not None and other is not None
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-9)
    assert (found.p, found.difference) == (pytest.approx(other.p), pytest.approx(-other.difference))


def test_differences_without_spread_tell_apart_what_differs_at_all() -> None:
    same, apart = paired([1.0, 2.0], [1.0, 2.0]), paired([1.5, 2.5], [1.0, 2.0])
    assert same is not None and (same.p, same.tied) == (1.0, True)
    assert apart is not None and (apart.p, apart.tied) == (0.0, False)


def test_one_seed_tells_nothing_and_other_seeds_are_refused() -> None:
    assert paired([1.0], [2.0]) is None
    with pytest.raises(ValueError, match="same seeds"):
        paired([1.0, 2.0], [1.0])


# --- a mean over columns -------------------------------------------------------------------------------------------


def drawn(values: dict[int, float], resamples: np.ndarray) -> Drawn:
    return Drawn(dict(values), {seed: resamples + value for seed, value in values.items()})


def test_a_mean_over_columns_is_of_the_seeds_that_all_have() -> None:
    draws = np.random.default_rng(0).normal(size=50)
    parts = {"a/dev": drawn({0: 60.0, 1: 62.0}, draws), "b/dev": drawn({1: 30.0, 2: 20.0}, draws)}
    found = Drawn.averaged(parts, "arithmetic", 0)
    assert dict(found.observed) == {1: 46.0} and found.resampled[1].shape == (50,)
    assert Drawn.averaged(parts, "harmonic", 0).observed[1] == pytest.approx(2 / (1 / 62 + 1 / 30))
    alone = Drawn.averaged({"a/dev": parts["a/dev"]}, "arithmetic", 7)
    assert alone.observed == parts["a/dev"].observed
    assert sorted(alone.resampled[0]) == sorted(parts["a/dev"].resampled[0])


def test_columns_are_drawn_independently_and_rows_of_a_table_stay_paired() -> None:
    draws = np.random.default_rng(0).normal(size=4000)  # the same in both columns, as of machines of one name
    rows = [{name: drawn({0: mean}, draws) for name in ("a/dev", "b/dev")} for mean in (60.0, 63.0)]
    one, other = (Drawn.averaged(row, "arithmetic", 0) for row in rows)
    assert one.resampled[0].var() == pytest.approx(draws.var() / 2, rel=0.1)  # of a sum of dependent ones: the whole
    np.testing.assert_allclose(other.resampled[0] - one.resampled[0], 3.0)
