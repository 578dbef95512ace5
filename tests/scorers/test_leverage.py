"""What alpha hangs on: leverage worked by hand, the limit that chance sets, and one sentence about all units."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.scorers.leverage import CHANCE, ON_FEW, Points, hangs_on_few, limit, told
from asdcli.scorers.slopes import SLOPES, Slope
from asdcli.scorers.unit import UnitVectors, Unseen
from asdcli.scorers.varmin import VarMin, slope
from asdcli.scorers.vectors import Vectors, unit_norm
from tests.scorers.test_scorers import make_unit


def points(u: list[float], v: list[float]) -> Points:
    return Points(np.array(u, float), np.array(v, float), np.arange(len(u)))


def isolated() -> UnitVectors:
    """198 clips of one cluster and two of another, close to one another: their b is large, their distance small."""
    rng = np.random.default_rng(0)
    x = 0.3 * rng.standard_normal((240, 6)) + np.eye(6)[0]
    x[[3, 150]] = -np.eye(6)[0] + 0.01 * rng.standard_normal((2, 6))
    every = Vectors(unit_norm(x), np.arange(240))
    train = np.arange(240) < 200
    return UnitVectors("fan", every.take(train), every.take(~train), np.arange(200) == 3, seed=3)


def test_leverage_by_hand() -> None:
    one = points([0, 2, 4, 6, 8], [0, 1, 2, 3, 14])  # mean of v 4: squares 16, 9, 4, 1, 100
    np.testing.assert_allclose(one.leverage, np.array([16, 9, 4, 1, 100]) / 130, rtol=1e-12)
    assert one.first.tolist() == [4]
    assert slope(one.u, one.v)["alpha"] == pytest.approx(60 / 130)
    rest = one.without_first()
    assert slope(rest.u, rest.v)["alpha"] == pytest.approx(2)
    assert rest.clip.tolist() == [0, 1, 2, 3]


def test_points_of_one_v_have_no_leverage_and_no_points_have_none() -> None:
    assert points([1, 2, 3], [5, 5, 5]).leverage.tolist() == [0, 0, 0]
    assert len(points([], []).leverage) == 0


@pytest.mark.parametrize(("n", "first"), [(3, 1), (99, 1), (199, 1), (200, 2), (1000, 10)])
def test_the_first_are_a_hundredth_and_at_least_one(n: int, first: int) -> None:
    v = np.arange(n, dtype=float) ** 2
    assert points([0.0] * n, v.tolist()).first.tolist() == list(range(n - 1, n - 1 - first, -1))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)), min_size=3, max_size=30))
def test_alpha_is_the_mean_of_the_points_own_slopes_weighted_by_their_leverage(pairs: list[tuple[int, int]]) -> None:
    u, v = np.array(pairs, float).T
    one = Points(u, v, np.arange(len(u)))
    away = v - v.mean()
    own = np.divide(u - u.mean(), away, out=np.zeros(len(u)), where=away != 0)
    assert slope(u, v)["alpha"] == pytest.approx(float((one.leverage * own).sum()), abs=1e-9)


@pytest.mark.parametrize("n", [*CHANCE, 200, 400])
def test_the_limit_is_what_chance_keeps_below_and_never_less_than_half(n: int) -> None:
    squares = np.random.default_rng(n).exponential(size=(3000, n))
    squares = np.sort((squares - squares.mean(axis=1, keepdims=True)) ** 2, axis=1)
    shares = squares[:, -max(1, n // 100) :].sum(axis=1) / squares.sum(axis=1)
    usual = np.quantile(shares, 0.99)
    if n in CHANCE:
        assert limit(n) == pytest.approx(usual, abs=0.04)  # of 3,000 samples; the table was made of 20,000
    else:
        assert usual < limit(n) == 0.5


def test_alpha_hangs_on_few_where_they_decide_it_and_it_matters() -> None:
    assert hangs_on_few(1000, 0.51, 0.05, 0.5)
    assert not hangs_on_few(1000, 0.49, 0.05, 0.5)  # they are outvoted
    assert not hangs_on_few(1000, 0.99, 0.50, 0.55)  # they say what the others say
    assert not hangs_on_few(20, 0.7, 0.05, 0.5)  # of 20 points one often has so much
    assert not hangs_on_few(3, 2 / 3, 0.05, 0.5)


def test_a_fit_says_what_its_alpha_hangs_on() -> None:
    unit = isolated()
    fitted = VarMin(4).fit(unit)
    (one,) = VarMin(4).points(unit)
    assert sorted(one.clip[one.first].tolist()) == [3, 150]
    found = fitted.diagnostics
    assert found["leverage_top1"] == pytest.approx(one.leverage[[3, 150]].sum())
    assert found["leverage_top1"] > 0.9
    rest = np.delete(np.arange(200), [3, 150])
    assert found["alpha_without_top1"] == slope(one.u[rest], one.v[rest])["alpha"]
    assert found["top1_target"] == 0.5  # clip 3 is of the target domain
    assert fitted.rules == [ON_FEW]
    assert VarMin(4).fit(make_unit()).rules == []


def test_only_a_slope_of_least_squares_has_leverage_to_speak_of() -> None:
    unit = isolated()
    for method in (VarMin(4, alpha=0.5), *(VarMin(4, slope=how) for how in SLOPES if how != "ols")):
        found = method.fit(unit).diagnostics
        assert not {"leverage_top1", "alpha_without_top1", "top1_target"} & set(found)
        assert ON_FEW not in found["rules"]
    few = VarMin(4, "held-out").fit(unit).diagnostics
    assert few["leverage_top1"] is few["alpha_without_top1"] is few["top1_target"] is None


def test_domains_are_not_looked_at_where_nobody_knows_them() -> None:
    unit = isolated()
    assert VarMin(4, "test-all").fit(unit).diagnostics["top1_target"] is None
    assert VarMin(4).fit(replace(unit, unknown_domain=True)).diagnostics["top1_target"] is None


def test_what_alpha_would_be_stays_within_its_limits() -> None:
    found = VarMin(4, alpha_range="0..0.1").fit(isolated()).diagnostics
    assert found["alpha_without_top1"] == 0.1


def test_of_several_draws_leverage_is_the_mean() -> None:
    unit = make_unit()
    method = VarMin(4, "train-random", n_draws=3)
    draws = method.points(unit)
    found = method.fit(unit).diagnostics
    assert len(draws) == 3
    assert found["leverage_top1"] == pytest.approx(np.mean([one.leverage.max() for one in draws]))
    rest = [slope(one.u, one.v)["alpha"] for one in (draw.without_first() for draw in draws)]
    assert found["alpha_without_top1"] == pytest.approx(np.mean(rest))


@pytest.mark.parametrize("how", SLOPES)
@pytest.mark.parametrize("space", ["id", "log"])
@pytest.mark.parametrize("val", ["train-all", "train-random", "train-cluster", "test-all", "held-out"])
def test_alpha_is_the_slope_of_the_points_on_every_validation_set(val: Any, space: Any, how: Slope) -> None:
    unit = make_unit(windows=2)
    out = unit.train.clip < 8
    without = replace(unit, train=unit.train.take(~out), is_target=unit.is_target[~out])
    unit = replace(unit, left_out=(Unseen(without, unit.train.take(out)),))
    method = VarMin(4, val, space=space, slope=how, n_draws=2)
    draws = method.points(unit)
    alphas = [slope(one.u, one.v, how)["alpha"] for one in draws]
    assert method.fit(unit).diagnostics["alpha"] == pytest.approx(np.mean(alphas), rel=1e-12)
    assert len(draws) == (2 if val == "train-random" else 1)


def test_a_single_reference_has_no_points() -> None:
    assert VarMin().points(make_unit(n_source=1, n_target=0)) == []


def found(share: float, alpha: float, without: float, target: float | None = None) -> dict[str, Any]:
    return {
        "rules": [ON_FEW],
        "leverage_top1": share,
        "alpha": alpha,
        "alpha_without_top1": without,
        "top1_target": target,
    }


def test_one_sentence_says_where_by_how_much_and_what_to_type() -> None:
    of = {
        "varmin:k=8,val=train-all": {"fan": found(0.97, 0.0625, 0.461), "valve": {"rules": [], "alpha": 0.4}},
        "varmin:k=16,val=train-all": {"fan": found(0.98, 0.05, 0.4), "pump": found(0.6, 1.0, 0.3, 0.9)},
        "nn": {"fan": {"rules": []}},
    }
    assert told(of) == [
        "alpha hangs on few clips: the 1 % of points of the most unusual local scale decide the slope in "
        "fan (97 to 98 % of the leverage; alpha 0.05 to 0.062, without them 0.4 to 0.46), "
        "pump (60 % of the leverage, 90 % of them target clips; alpha 1, without them 0.3) "
        "(varmin:k=8,val=train-all, varmin:k=16,val=train-all); "
        "where they are the target clips, that may be what alpha is for; "
        "for a slope that they cannot turn: -m varmin:k=8,val=train-all,slope=theil-sen"
    ]
    assert told({"nn": {"fan": {"rules": []}}}) == []


def test_sixteen_units_are_named_and_the_rest_counted() -> None:
    (sentence,) = told({"varmin:k=8,val=train-all": {f"m{i:02d}": found(0.6 + i / 100, 0.1, 0.5) for i in range(18)}})
    assert sentence.index("m17 (77 %") < sentence.index("m02 (62 %") < sentence.index(" and 2 more (varmin")
    assert "m01" not in sentence
    assert "what alpha is for" not in sentence
