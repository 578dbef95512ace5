"""p-values of recordings of many windows: by hand, and how often they are as small as they say."""

from __future__ import annotations

import numpy as np
import pytest

from asdcli.metrics.conformal import p_values
from asdcli.metrics.false_discovery import together
from asdcli.metrics.long_recordings import Stretches, highest_of


def test_simes_by_hand() -> None:
    assert together(np.array([0.3])) == 0.3
    assert together(np.array([0.04, 0.02, 0.9])) == pytest.approx(0.06)  # 3 * 0.02 / 1, 3 * 0.04 / 2, 0.9
    assert together(np.array([0.9, 0.95])) == 0.95


def test_the_highest_of_whole_stretches_and_of_nothing_else() -> None:
    windows = np.array([1.0, 5.0, 2.0, 3.0, 9.0, 4.0, 7.0, 8.0, 6.0, 0.5])
    recording = np.array([0, 0, 0, 0, 0, 1, 2, 2, 2, 2])
    highest, of = highest_of(windows, recording, 2)
    assert (highest.tolist(), of.tolist()) == ([5.0, 3.0, 8.0, 6.0], [0, 0, 2, 2])
    highest, of = highest_of(windows, recording, 1)
    assert (highest.tolist(), of.tolist()) == (windows.tolist(), recording.tolist())


def test_stretches_are_as_long_as_normal_recordings_and_the_rest_is_one_more() -> None:
    assert Stretches.of(20, np.full(9, 20)) == Stretches(20, 1)
    assert Stretches.of(3, np.full(9, 20)) == Stretches(3, 1)
    assert Stretches.of(41, np.full(9, 20)) == Stretches(20, 3)
    assert Stretches.of(41, np.array([1] * 99)) == Stretches(1, 41)
    # many short normal recordings and few long ones: 60/(80 + 1) against 1/(40 + 1)
    assert Stretches.of(60, np.array([1] * 40 + [60] * 40)) == Stretches(60, 1)
    assert Stretches.of(2, np.array([1] * 99 + [2])) == Stretches(1, 2)


def test_among_as_long_ones_it_is_the_conformal_p_value_of_the_highest_window() -> None:
    rng = np.random.default_rng(0)
    windows, own = rng.normal(size=(30, 12)), rng.normal(size=12)
    recording = np.repeat(np.arange(30), 12)
    found = Stretches.of(12, np.full(30, 12)).p_value(own, windows.ravel(), recording, np.arange(30))
    assert found == pytest.approx(p_values(windows.max(axis=1), np.array([own.max()]))[0])
    sessions = np.arange(30) // 10  # of each a third of the recordings are as high, at most
    of_session = Stretches.of(12, np.full(30, 12)).p_value(own, windows.ravel(), recording, sessions)
    shares = [(windows[sessions == s].max(axis=1) >= own.max()).mean() for s in range(3)]
    assert of_session == pytest.approx((1 + sum(shares)) / 4)


def overlapping(rng: np.random.Generator, n: int, length: int, between: float) -> np.ndarray:
    """(n, length) scores of windows: neighbours share half their sound, and recordings differ by `between`."""
    halves = rng.normal(size=(n, length + 1))
    return (halves[:, 1:] + halves[:, :-1]) / np.sqrt(2) + between * rng.normal(size=(n, 1))


@pytest.mark.parametrize("between", [0.0, 1.0])
@pytest.mark.parametrize(("learned", "checked"), [(60, 60), (60, 10), (1, 60), (20, 90)])
def test_of_normal_recordings_no_more_have_small_p_values_than_they_say(
    learned: int, checked: int, between: float
) -> None:
    n, trials = 39, 400
    rng = np.random.default_rng(7)
    recording = np.repeat(np.arange(n), learned)
    cut = Stretches.of(checked, np.full(n, learned))
    p = np.array(
        [
            cut.p_value(
                overlapping(rng, 1, checked, between)[0],
                overlapping(rng, n, learned, between).ravel(),
                recording,
                np.arange(n),
            )
            for _ in range(trials)
        ]
    )
    for share in (0.025, 0.05, 0.1, 0.25, 0.5):
        # three standard deviations of a share of so many trials: one bound in a thousand is missed by chance
        assert (p <= share).mean() <= share + 3 * np.sqrt(share * (1 - share) / trials), share
    if learned == checked:  # and no fewer, where recordings are exchangeable
        assert (p <= 0.5).mean() >= 0.5 - 3 * np.sqrt(0.25 / trials)
