"""Events of a long recording: what opens one, what keeps it open, what joins two, and what is too short."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asdcli.metrics.events import Interval, Limits, events, told_of

#                   0    1    2    3    4    5    6    7    8    9
SCORES = np.array([0.1, 0.6, 1.2, 0.7, 0.2, 0.6, 0.3, 1.1, 0.9, 0.1])
EDGES = np.linspace(0.0, 50.0, 11)


def spans(limits: Limits) -> list[tuple[int, int, int]]:
    return [(one.first, one.last, one.peak) for one in events(SCORES, EDGES, limits)]


def test_an_event_opens_above_the_high_limit_and_lasts_above_the_low_one() -> None:
    assert spans(Limits(1.0, 0.5)) == [(1, 3, 2), (7, 8, 7)]
    assert spans(Limits(1.0, 1.0)) == [(2, 2, 2), (7, 7, 7)]
    assert spans(Limits(1.0, 5.0)) == [(2, 2, 2), (7, 7, 7)]  # what keeps it open is never higher
    assert spans(Limits(1.2, 0.5)) == []  # above is above
    assert events(SCORES, EDGES, Limits(1.0, 0.5))[0] == Interval(1, 3, 2, 5.0, 20.0)


def test_events_with_little_between_them_are_one_and_short_ones_are_none() -> None:
    assert spans(Limits(1.0, 0.5, bridged_s=14.9)) == [(1, 3, 2), (7, 8, 7)]
    assert spans(Limits(1.0, 0.5, bridged_s=15.0)) == [(1, 8, 2)]
    assert spans(Limits(1.0, 0.5, least_s=10.1)) == [(1, 3, 2)]
    assert spans(Limits(1.0, 0.5, bridged_s=15.0, least_s=40.0)) == [(1, 8, 2)]
    assert spans(Limits(1.0, 0.5, bridged_s=15.0, least_s=40.1)) == []


def test_each_moment_is_told_of_by_the_window_whose_middle_is_nearest() -> None:
    windows = np.array([[0.0, 10.0], [5.0, 15.0], [10.0, 20.0], [13.0, 23.0]])
    assert told_of(windows, 23.0).tolist() == [0.0, 7.5, 12.5, 16.5, 23.0]
    assert told_of(windows[:1], 10.0).tolist() == [0.0, 10.0]


@given(st.lists(st.floats(0, 2), min_size=1, max_size=40), st.floats(0, 2), st.floats(0, 2), st.floats(0, 30))
def test_what_opens_an_event_lies_in_exactly_one(scores: list[float], opens: float, keeps: float, gap: float) -> None:
    values = np.array(scores)
    found = events(values, np.linspace(0.0, 5.0 * len(values), len(values) + 1), Limits(opens, keeps, gap))
    covered = [i for one in found for i in range(one.first, one.last + 1)]
    assert len(covered) == len(set(covered))
    assert {*np.flatnonzero(values > opens).tolist()} <= {*covered}
    assert all(one.start_s < one.end_s and values[one.peak] > opens for one in found)
    assert all(b.start_s - a.end_s > gap for a, b in itertools.pairwise(found))
