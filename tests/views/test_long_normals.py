"""The threshold of a recording that is longer than normal ones, and the p-values of windows and recordings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asdcli.views.calibration import Calibration
from asdcli.views.long_normals import LongNormals


def normals(scores: np.ndarray, by_time: bool = False) -> LongNormals:
    """Recordings with these scores of windows (n, n_windows)."""
    n, length = scores.shape
    names = np.array([str(i) for i in range(n)], object)
    own = Calibration(scores.max(axis=1), np.arange(n) // 2, np.full(n, None, object), "left-out group", names)
    return LongNormals(own, np.full(n, length), scores.ravel(), np.repeat(np.arange(n), length), by_time)


def test_a_longer_recording_leaves_each_of_its_stretches_a_part_of_the_promise() -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1.0, 1000.0))[:, None]
    of = normals(scores)
    assert of.limit_of(1, 990.0, 0.01) == (990.0, 1)
    assert of.limit_of(5, 990.0, 0.01) == (998.0, 1)  # the 998th of 999: two in a thousand lie above it
    assert of.limit_of(10, 990.0, 0.01) == (999.0, 1)
    above, _ = of.limit_of(100, 990.0, 0.01)  # beyond what 999 recordings can show
    assert above > 999.0


def test_alarms_a_month_leave_the_threshold_and_count_the_longer_one_several_times() -> None:
    of = normals(np.arange(1.0, 1000.0)[:, None], by_time=True)
    assert of.limit_of(10, 990.0, 0.01) == (990.0, 10)
    assert normals(np.ones((9, 20)), by_time=True).limit_of(41, 1.0, 0.1) == (1.0, 3)


def test_where_nothing_is_promised_nothing_is_changed_or_said() -> None:
    of = normals(np.arange(1.0, 100.0)[:, None])
    assert of.limit_of(10, 99.0, None) == (99.0, 1)
    seen = replace(of, own=replace(of.own, scored_as="seen"))
    assert seen.limit_of(10, 99.0, 0.1) == (99.0, 1)
    assert np.isnan(seen.of_recording(np.ones(10))).all() and np.isnan(seen.of_windows(np.ones(10))).all()


def test_each_normal_recording_counts_once_among_windows() -> None:
    of = normals(np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 1.0], [5.0, 5.0, 5.0, 0.0]]))
    # as high as 3: half of the first, none of the second, three quarters of the third
    assert of.of_windows(np.array([3.0]))[0] == pytest.approx((1 + 0.5 + 0.75) / 4)
    p, of_group = of.of_recording(np.array([0.0, 4.5, 0.0, 0.0]))
    assert p == pytest.approx((1 + 1) / 4)
    assert of_group == pytest.approx((1 + 0 / 2 + 1) / 3)  # two sessions: of the first two, and of the third
    alone = replace(of, own=replace(of.own, scored_as="left-out clip"))
    assert np.isnan(alone.of_recording(np.array([4.5]))[1])
    assert of.any_was_cut and not normals(np.ones((3, 1))).any_was_cut
