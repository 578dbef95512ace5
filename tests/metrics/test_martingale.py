"""A bet on a change: what it has won by hand, how seldom it wins by chance, and that a change is found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, ks_2samp, kstest

from asdcli.metrics.kolmogorov import ks_p
from asdcli.metrics.martingale import LINE, change, fewest, log_capital, online_p_values


def plainly(p: list[float]) -> list[float]:
    """The capital after each, with every stake and rate of jumping by itself."""
    stakes, found = (0, 1, 2), []
    laid = {(j, e): 1 / 15 for j in (1e-4, 1e-3, 1e-2, 1e-1, 1.0) for e in stakes}
    for one in p:
        of_rate = {j: sum(laid[j, e] for e in stakes) for j, _ in laid}
        laid = {(j, e): ((1 - j) * laid[j, e] + j * of_rate[j] / 3) * (1 + e * (0.5 - one)) for j, e in laid}
        found.append(sum(laid.values()))
    return found


def ranks(scores: np.ndarray, calibration: np.ndarray) -> np.ndarray:
    found: np.ndarray = (calibration[None] >= scores[:, None]).sum(axis=1)
    return found


def test_the_capital_is_that_of_all_stakes_by_themselves() -> None:
    assert np.exp(log_capital(np.array([0.0])))[0] == pytest.approx(1.5)  # stakes 0, 1 and 2: (1 + 1.5 + 2) / 3
    # twice as much: (1 + 2.25 + 4) / 3 of what never jumps, 1.5 x 1.5 of what always does
    jumps = np.mean([1e-4, 1e-3, 1e-2, 1e-1, 1])
    assert np.exp(log_capital(np.zeros(2)))[1] == pytest.approx(jumps * 2.25 + (1 - jumps) * 7.25 / 3)
    p = np.random.default_rng(3).random((2, 50)) ** 2
    for own in p:
        np.testing.assert_allclose(np.exp(log_capital(own)), plainly(own.tolist()), rtol=1e-9)
    np.testing.assert_allclose(log_capital(p), [log_capital(own) for own in p])
    assert np.isfinite(log_capital(np.zeros(3000))).all()  # more than any float


def test_ranks_count_what_was_learned_and_what_came_before() -> None:
    rng = np.random.default_rng(1)
    calibration, scores = rng.normal(size=7), rng.normal(size=30)
    above = ranks(scores, calibration)
    found = online_p_values(above, 7, np.random.default_rng(0))
    lots = np.random.default_rng(0).random((2, 30))
    place = above + lots[0]
    for t in range(30):
        higher = above[t] + sum(place[s] < place[t] for s in range(t))
        assert found[t] == pytest.approx((higher + lots[1, t]) / (8 + t))


def test_exchangeable_recordings_have_uniform_ranks_and_win_no_oftener_than_stated() -> None:
    rng = np.random.default_rng(11)
    p = np.empty((1500, 80))
    for own in p:
        calibration = rng.normal(size=15)
        own[:] = online_p_values(ranks(rng.normal(size=80), calibration), 15, rng)
    assert kstest(p[:, ::8].ravel(), "uniform").pvalue > 0.01
    assert abs(np.corrcoef(p[:, :-1].ravel(), p[:, 1:].ravel())[0, 1]) < 0.01  # nor do they hang together
    highest = np.exp(log_capital(p)).max(axis=1)
    for line in (10.0, 20.0, LINE):  # no more than by chance above 1 / line
        assert binomtest(int((highest >= line).sum()), len(p), 1 / line, alternative="greater").pvalue > 0.01
    assert (highest >= 5).any()


def test_plain_p_values_would_win_by_the_luck_of_what_was_learned() -> None:
    """Why ranks are among all before: a rank among the same few again and again only tells of these few."""
    rng = np.random.default_rng(5)
    own = [(1 + ranks(rng.normal(size=400), rng.normal(size=15))) / 16 for _ in range(200)]
    assert (np.exp(log_capital(np.array(own))).max(axis=1) >= LINE).mean() > 0.05


def test_recordings_that_are_more_like_the_learned_ones_than_they_are_to_one_another_are_no_change() -> None:
    rng = np.random.default_rng(7)
    for _ in range(60):
        scores, calibration = rng.normal(size=100) - 0.5, rng.normal(size=60)
        assert change(log_capital(online_p_values(ranks(scores, calibration), 60, rng))) is None
        assert ks_p(ranks(scores, calibration), 60) > 0.01


def test_a_change_is_found_and_where_it_began() -> None:
    rng = np.random.default_rng(7)
    began, told = [], []
    for _ in range(60):
        scores = rng.normal(size=100)
        scores[60:] += 1.5
        capital = log_capital(online_p_values(ranks(scores, rng.normal(size=60)), 60, rng))
        found = change(capital)
        assert found is None or capital[found[0]] >= np.log(LINE) > capital[: found[0]].max()
        began += [found[1]] if found else []
        told += [found[0] + 1 - 60] if found else []
    assert len(began) >= 57 and abs(np.median(began) - 60) <= 5 and abs(np.median(told) - 20) <= 2


def test_a_change_begins_at_the_lowest_point_before_the_line() -> None:
    line = np.log(LINE)
    assert change(np.array([-1.0, -2.0, 1.0, line, 9.0, -9.0])) == (3, 2)
    assert change(np.array([1.0, 2.0, line])) == (2, 0)
    assert change(np.array([1.0, line - 1e-9])) is None and change(np.empty(0)) is None


def test_so_few_as_are_needed_are_enough_and_no_fewer() -> None:
    assert [fewest(m) for m in (1, 40)] == [None, 10]
    for m in (5, 30):
        n = fewest(m)
        assert n is not None
        t = np.arange(n)
        capital = log_capital((t / 2 + 0.5) / (m + t + 1))  # each above all learned, in the middle of those before
        assert capital[-1] >= np.log(LINE) > capital[-2]


def test_the_spread_of_p_values_is_that_of_scores_beside_the_learned() -> None:
    rng = np.random.default_rng(2)
    for shift in (0.0, 1.0):
        calibration, scores = rng.normal(size=37), rng.normal(size=23) + shift
        assert ks_p(ranks(scores, calibration), 37) == pytest.approx(
            ks_2samp(scores, calibration, alternative="less").pvalue
        )
