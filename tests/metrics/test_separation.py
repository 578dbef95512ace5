"""The lower bound on the AUC: worked out by hand, and never above the area of the scores it was made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.metrics.roc import auc
from asdcli.metrics.separation import lower_bound

SCORES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12)


def test_the_bound_is_the_squared_difference_over_itself_and_both_variances() -> None:
    assert lower_bound([0, 2], [3, 5]) == pytest.approx(9 / (1 + 1 + 9), abs=1e-15)
    assert lower_bound([1, 1, 4], [4]) == pytest.approx(4 / (2 + 0 + 4), abs=1e-15)


def test_scores_without_spread_are_told_apart_for_certain_or_not_at_all() -> None:
    assert lower_bound([1, 1], [2, 2]) == 1
    assert lower_bound([1, 1], [1, 1]) == lower_bound([0], [0]) == 0


def test_nothing_is_promised_where_anomalies_score_below_normal_clips() -> None:
    assert lower_bound([3, 5], [0, 2]) == 0


def test_the_bound_is_reached_where_all_that_is_not_told_apart_is_tied_as_far_as_it_may_be() -> None:
    """Cantelli's inequality is sharp of two values: half the pairs tie, and the area counts a tie half."""
    assert lower_bound([0, 1], [1]) == 0.5
    assert auc([0, 1], [1]) == 0.75


@given(SCORES, SCORES)
def test_the_bound_is_never_above_the_area_that_it_bounds(normal: list[float], anomalous: list[float]) -> None:
    assert lower_bound(normal, anomalous) <= auc(normal, anomalous) + 1e-9


@given(SCORES, SCORES, st.floats(0.01, 100), st.floats(-1e3, 1e3))
def test_unit_and_zero_of_a_score_do_not_matter(
    normal: list[float], anomalous: list[float], scale: float, shift: float
) -> None:
    a, b = (np.round(x, 3) for x in (normal, anomalous))
    assert lower_bound(a * scale + shift, b * scale + shift) == pytest.approx(lower_bound(a, b), abs=1e-4)


def test_scores_near_the_end_of_the_range_do_not_overflow() -> None:
    assert lower_bound([1e300, 2e300], [4e300, 5e300]) == pytest.approx(9 / (0.25 + 0.25 + 9))


@pytest.mark.parametrize(("normal", "anomalous"), [([], [1.0]), ([1.0], []), ([np.inf], [1.0]), ([1.0], [np.nan])])
def test_scores_that_are_none_are_refused(normal: list[float], anomalous: list[float]) -> None:
    with pytest.raises(ValueError, match="finite scores of normal and of anomalous clips"):
        lower_bound(normal, anomalous)
