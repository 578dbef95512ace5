"""Conformal p-values and the spread over groups: by hand, against their definitions, and what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.metrics import conformal
from asdcli.metrics.conformal import group_p_values, new_group_interval, p_values

SCORES = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=30)


def test_by_hand() -> None:
    calibration, group = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 0, 0, 1])
    assert p_values(calibration, np.array([0.0, 2.5, 4.0, 9.0])).tolist() == [1.0, 3 / 5, 2 / 5, 1 / 5]
    # of group 0 a third, of group 1 all clips are as high as 2.5: (1 + 1/3 + 1) / 3
    assert group_p_values(calibration, group, np.array([0.0, 2.5, 4.0, 9.0])) == pytest.approx([1, 7 / 9, 2 / 3, 1 / 3])


@settings(deadline=None, derandomize=True)
@given(SCORES, SCORES, st.randoms(use_true_random=False))
def test_p_values_are_their_definitions(calibration: list[float], scores: list[float], random: object) -> None:
    c, s = np.array(calibration), np.array(scores)
    group = np.unique([random.randrange(4) for _ in c], return_inverse=True)[1]  # type: ignore[attr-defined]
    n_groups = group.max() + 1
    assert p_values(c, s) == pytest.approx([(1 + (c >= x).sum()) / (len(c) + 1) for x in s])
    shares = [sum((c[group == g] >= x).mean() for g in range(n_groups)) for x in s]
    assert group_p_values(c, group, s) == pytest.approx([(1 + share) / (n_groups + 1) for share in shares])


def test_groups_of_one_clip_are_clips() -> None:
    rng = np.random.default_rng(0)
    calibration, scores = rng.normal(size=50), rng.normal(size=20)
    assert group_p_values(calibration, np.arange(50), scores) == pytest.approx(p_values(calibration, scores))


def test_new_groups_are_called_anomalous_no_more_often_than_promised_and_clip_wise_they_are() -> None:
    """Groups differ by far more than their clips: twenty groups of fifty clips tell as much as twenty clips."""
    rng = np.random.default_rng(0)
    clip_wise, group_wise = [], []
    for _ in range(400):
        centres = rng.normal(size=21)
        scores = centres[:, None] + 0.1 * rng.normal(size=(21, 50))
        calibration, group, new = scores[:20].ravel(), np.repeat(np.arange(20), 50), scores[20, :1]
        clip_wise.append(p_values(calibration, new)[0] <= 0.05)
        group_wise.append(group_p_values(calibration, group, new)[0] <= 0.05)
    assert np.mean(group_wise) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert np.mean(clip_wise) > np.mean(group_wise)


def test_each_group_is_held_against_the_others() -> None:
    """Two sessions of ten alike: of a third that lies above both all clips are alarms, of the others none."""
    scores, group = np.repeat([1.0, 2.0, 3.0], 10) + np.tile(np.arange(10) / 100, 3), np.repeat(np.arange(3), 10)
    low, high = new_group_interval(scores, group, 0.1)
    assert (low, high) == (0.0, 1.0)  # the mean of three drawn from (0, 0, 1): all from 0 to 1 occur
    shuffled = np.tile(np.arange(3), 10)
    low, high = new_group_interval(np.sort(scores), shuffled, 0.1)
    assert high <= 0.3


def test_many_groups_narrow_the_interval_and_it_holds_the_promise() -> None:
    rng = np.random.default_rng(0)
    scores, group = rng.normal(size=2000), np.repeat(np.arange(100), 20)
    low, high = new_group_interval(scores, group, 0.1)
    assert low < 0.1 < high and high - low < 0.05


def test_one_group_tells_nothing_of_others() -> None:
    assert new_group_interval(np.array([1.0, 2.0]), np.zeros(2, np.int64), 0.1) == (0.0, 1.0)


@settings(deadline=None, derandomize=True)
@given(SCORES, st.randoms(use_true_random=False), st.sampled_from([0.01, 0.1, 0.5]))
def test_the_interval_is_its_definition_however_many_groups(
    calibration: list[float], random: object, promised: float
) -> None:
    """One sort of all scores gives each group's quantile of the others, and parts of the draws are the draws."""
    c = np.array(calibration)
    group = np.unique([random.randrange(len(c)) for _ in c], return_inverse=True)[1]  # type: ignore[attr-defined]
    n_groups = group.max() + 1
    if n_groups < 2:
        return
    shares, tail = np.empty(n_groups), (1 - 0.95) / 2
    for g in range(n_groups):
        others = np.sort(c[group != g])
        rank = min(max(int(np.ceil((len(others) + 1) * (1 - promised) - 1e-9)), 1), len(others))
        shares[g] = (c[group == g] > others[rank - 1]).mean()
    draws = np.random.default_rng(0).integers(n_groups, size=(2000, n_groups))
    expected = tuple(np.quantile(shares[draws].mean(axis=1), [tail, 1 - tail]))
    assert new_group_interval(c, group, promised) == expected
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(conformal, "_CELLS", 3000)
        assert new_group_interval(c, group, promised) == expected
