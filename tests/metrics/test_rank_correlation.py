"""Rank correlations: by hand, and as scipy has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from asdcli.metrics.rank_correlation import RankCorrelation, rank_correlation

FIGURES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=15)


def test_one_swap_of_four() -> None:
    found = rank_correlation([1, 2, 3, 4], [1, 2, 4, 3])
    assert found.spearman == pytest.approx(1 - 6 * 2 / (4 * 15))  # sum of squared rank differences 2
    assert found.kendall == pytest.approx((5 - 1) / 6)  # five pairs in one order, one in the other
    assert found.n == 4


def test_an_order_and_its_reverse() -> None:
    same, turned = rank_correlation([0, 5, 9], [1, 2, 3]), rank_correlation([0, 5, 9], [3, 2, 1])
    assert [same.spearman, same.kendall] == pytest.approx([1, 1], abs=1e-15)
    assert [turned.spearman, turned.kendall] == pytest.approx([-1, -1], abs=1e-15)


@pytest.mark.parametrize(("a", "b"), [([1.0], [2.0]), ([], []), ([1.0, 1.0], [1.0, 2.0])])
def test_there_is_none_of_one_thing_nor_of_things_that_are_all_alike(a: list[float], b: list[float]) -> None:
    assert rank_correlation(a, b) == RankCorrelation(None, None, len(a))


def test_figures_of_other_things_are_refused() -> None:
    with pytest.raises(ValueError, match="two figures of the same things"):
        rank_correlation([1, 2], [1, 2, 3])


@given(FIGURES)
def test_both_are_those_of_scipy_ties_and_all(figures: list[tuple[int, int]]) -> None:
    a, b = zip(*figures, strict=True)
    found = rank_correlation(a, b)
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert found.spearman is found.kendall is None
        return
    assert found.spearman == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    assert found.kendall == pytest.approx(kendalltau(a, b).statistic, abs=1e-12)
