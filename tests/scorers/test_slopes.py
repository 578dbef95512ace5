"""Slopes of u on v: worked by hand, against scipy and scikit-learn, where they agree and whom they listen to."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import theilslopes
from sklearn.linear_model import HuberRegressor

from asdcli.errors import BadData
from asdcli.scorers import slopes
from asdcli.scorers.slopes import SLOPES, huber, least_squares, theil_sen, winsorised
from asdcli.scorers.varmin import slope


def noisy(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """u = 0.5 v + noise of heavy tails, v skewed as local scales are."""
    rng = np.random.default_rng(seed)
    v = rng.exponential(size=n)
    return 0.5 * v + 0.2 * rng.standard_t(3, n), v


def test_least_squares_is_eq_8_to_the_bit() -> None:
    u, v = noisy()
    assert least_squares(u, v) == np.mean((u - u.mean()) * (v - v.mean())) / np.mean((v - v.mean()) ** 2)
    assert slope(u, v) == slope(u, v, "ols") == {"alpha": least_squares(u, v), "rule": None}


@pytest.mark.parametrize("seed", range(5))
def test_theil_sen_is_scipys(seed: int) -> None:
    u, v = noisy(50, seed)
    assert theil_sen(u, v) == theilslopes(u, v)[0]
    assert theil_sen(u, np.round(v, 1)) == theilslopes(u, np.round(v, 1))[0]  # ties in v are no pair


def test_theil_sen_by_hand() -> None:
    # pairs of (0, 0), (1, 1), (2, 2), (4, 40): slopes 1, 1, 10, 1, 13, 19
    assert theil_sen(np.array([0.0, 1, 2, 40]), np.array([0.0, 1, 2, 4])) == 5.5


@pytest.mark.parametrize(("n", "pairs"), [(41, 100), (40, 100), (60, 7), (9, 1)])
def test_of_many_points_theil_sen_takes_pairs_in_steps_of_their_rank(
    n: int, pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slopes, "PAIRS", pairs)
    u, v = noisy(n)
    step = min(-(-n * (n - 1) // 2 // pairs), n)
    by_v = sorted(zip(v, u, strict=True))
    gaps = {(step + 1) // 2 + i * step for i in range(n)}
    taken = [
        (by_v[j][1] - by_v[i][1]) / (by_v[j][0] - by_v[i][0])
        for i, j in itertools.combinations(range(n), 2)
        if j - i in gaps
    ]
    assert n // 2 <= len(taken) <= max(pairs + n, n)
    assert theil_sen(u, v) == pytest.approx(np.median(taken), rel=1e-12)
    shuffled = np.random.default_rng(1).permutation(n)
    assert theil_sen(u[shuffled], v[shuffled]) == theil_sen(u, v)


def test_a_sample_of_pairs_finds_the_slope_that_all_have() -> None:
    u, v = noisy(4000)  # 8 million pairs, of which one in eight is looked at
    assert theil_sen(u, v) == pytest.approx(0.5, abs=0.02)  # four standard errors: 0.2 * 1.5 / sqrt(4000)


@pytest.mark.parametrize("seed", range(5))
def test_huber_is_scikit_learns_and_the_minimum_of_its_sum(seed: int) -> None:
    u, v = noisy(seed=seed)
    theirs = HuberRegressor(alpha=0.0, tol=1e-9, max_iter=1000).fit(v[:, None], u).coef_[0]
    assert huber(u, v) == pytest.approx(theirs, rel=1e-4)  # the sum is flat at its minimum

    def loss(at: np.ndarray) -> float:
        a, c, sigma = at[0], at[1], np.exp(at[2])
        z = np.abs(u - a * v - c) / sigma
        return float(np.sum(sigma + sigma * np.where(z <= 1.35, z**2, 1.35 * (2 * z - 1.35))))

    how = {"xatol": 1e-8, "fatol": 1e-12, "maxiter": 4000}
    assert huber(u, v) == pytest.approx(minimize(loss, [0.5, 0, -1], method="Nelder-Mead", options=how).x[0], rel=1e-4)
    assert huber(1e-3 * u, 1e-4 * v) == pytest.approx(10 * huber(u, v), rel=1e-9)  # of b's size, too


def test_a_huber_line_that_does_not_settle_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("HuberRegressor convergence failed")

    monkeypatch.setattr(HuberRegressor, "fit", fail)
    with pytest.raises(BadData, match="Huber's line through 60 points did not settle"):
        huber(*noisy())


def test_winsorised_by_hand() -> None:
    # 21 points: the 5 % and 95 % quantiles are the second and the last but one, 1 and 19 of both u and v
    v = np.arange(21.0)
    u = v.copy()
    u[20], v[20] = 1000.0, 30.0
    assert winsorised(u, v) == pytest.approx(1.0, rel=1e-12)
    assert least_squares(u, v) > 10


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 1000), min_size=5, max_size=40),
    st.floats(-3, 3).filter(lambda a: abs(a) > 0.01),
    st.floats(-1, 1),
)
@example([99, 99, 121, 364, 829], 1.0, 0.0)  # where Huber's search stops short
def test_all_slopes_agree_on_points_of_a_line(v: list[int], a: float, c: float) -> None:
    x = np.array(v, float)
    assume(np.ptp(np.clip(x, *np.quantile(x, [0.05, 0.95]))) > 0.5)
    for how in SLOPES:
        assert slope(a * x + c, x, how)["alpha"] == pytest.approx(a, rel=1e-5), how


def test_a_point_far_from_the_line_turns_least_squares_only() -> None:
    u, v = noisy(100)
    u[np.argmax(v)] = 100.0
    found = {how: slope(u, v, how)["alpha"] for how in SLOPES}
    assert found.pop("ols") > 2
    assert all(alpha == pytest.approx(0.5, abs=0.1) for alpha in found.values())


def test_isolated_points_turn_least_squares_and_huber() -> None:
    u, v = noisy(100)
    u[:2], v[:2] = 0.0, 50.0
    found = {how: slope(u, v, how)["alpha"] for how in SLOPES}
    assert found["ols"] == pytest.approx(0, abs=0.05)
    assert found["huber"] == pytest.approx(0, abs=0.05)
    assert found["theil-sen"] == pytest.approx(0.5, abs=0.1)
    assert found["winsorised"] == pytest.approx(0.5, abs=0.15)  # they still pull, from the edge of the others


@pytest.mark.parametrize("how", SLOPES)
def test_the_rules_hold_for_every_slope(how: slopes.Slope) -> None:
    assert slope(np.array([1.0, 3.0]), np.array([0.0, 1.0]), how) == {"alpha": 0.0, "rule": "few-validation"}
    assert slope(np.arange(9.0), np.full(9, 0.1), how) == {"alpha": 0.0, "rule": "flat-scale"}
    assert slope(np.full(9, 2.0), np.arange(9.0), how) == {"alpha": 0.0, "rule": None}


def test_a_scale_that_is_flat_once_its_ends_are_cut_has_no_winsorised_slope() -> None:
    u, v = noisy(40)
    v[:], v[0] = 1.0, 2.0
    assert slope(u, v, "winsorised") == {"alpha": 0.0, "rule": "flat-scale"}
    assert slope(u, v, "theil-sen")["rule"] is None
