"""What each threshold is worth: counted by hand, by decisions one at a time, and on which side clips lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.metrics.cuts import cuts, wrong_side
from asdcli.metrics.decisions import Confusion, decide
from asdcli.metrics.roc import auc

NONE = np.empty(0)
scores = st.lists(st.integers(-4, 9).map(float), min_size=1, max_size=12).map(np.array)


def test_by_hand() -> None:
    found = cuts(np.array([1.0, 2]), np.array([2.0, 3]), NONE, np.array([0.0, 1, 2, 5]))
    assert found.at.tolist() == [0, 1, 2, 3, 5]
    assert found.false_alarms.tolist() == [1, 1, 0.5, 0, 0, 0]
    assert found.recall.tolist() == [1, 1, 1, 0.5, 0, 0]
    assert found.precision == pytest.approx([0.5, 0.5, 2 / 3, 1, 0, 0])
    assert found.learned.tolist() == [1, 0.75, 0.5, 0.25, 0.25, 0]
    assert found.alarms.tolist() == [4, 4, 3, 1, 0, 0]


@given(scores, scores, scores)
def test_every_entry_is_what_decisions_at_its_threshold_come_to(
    normal: np.ndarray, anomalous: np.ndarray, unknown: np.ndarray
) -> None:
    found = cuts(normal, anomalous, unknown, NONE)
    every = np.concatenate([normal, anomalous])
    truth = np.arange(len(every)) >= len(normal)
    for i, threshold in enumerate([-np.inf, *found.at]):
        counts = Confusion.of(decide(every, threshold), truth)
        assert found.precision[i] == counts.precision and found.recall[i] == counts.recall
        assert found.false_alarms[i] == counts.false_positive / counts.n_normal
        alarms = counts.true_positive + counts.false_positive + int(decide(unknown, threshold).sum())
        assert found.alarms[i] == alarms
    assert np.isnan(found.learned).all()


def test_what_is_not_there_is_no_number() -> None:
    found = cuts(NONE, NONE, np.array([1.0]), NONE)
    assert np.isnan(found.recall).all() and np.isnan(found.false_alarms).all() and np.isnan(found.precision).all()
    assert found.alarms.tolist() == [1, 0]


@given(scores, scores)
def test_the_mean_of_the_wrong_side_is_what_the_auc_lacks(normal: np.ndarray, anomalous: np.ndarray) -> None:
    every = np.concatenate([normal, anomalous])
    truth = np.arange(len(every)) >= len(normal)
    side = wrong_side(every, truth)
    assert side[truth].mean() == pytest.approx(1 - auc(normal, anomalous))
    assert side[~truth].mean() == pytest.approx(1 - auc(normal, anomalous))


def test_an_anomaly_below_all_normal_clips_lies_as_far_on_the_wrong_side_as_can_be() -> None:
    assert wrong_side(np.array([1.0, 2, 0, 1]), np.array([False, False, True, True])).tolist() == [0.75, 1, 1, 0.75]
    assert wrong_side(np.array([1.0, 2]), np.array([False, False])).tolist() == [0, 0]
