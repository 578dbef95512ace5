"""VarMin: how few points make a slope, and the sweep of its weights over several blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asdcli.scorers import SCORERS, distances
from asdcli.scorers.local_scale import LocalScale
from asdcli.scorers.unit import UnitVectors, Unseen
from asdcli.scorers.varmin import VarMin, alpha_sweep, slope
from asdcli.scorers.vectors import Vectors, unit_norm
from tests.scorers.test_fitted import make_unit


def test_a_slope_takes_three_points() -> None:
    assert slope(np.array([1.0, 3.0, 5.0]), np.array([0.0, 1.0, 2.0])) == {"alpha": 2.0, "rule": None}
    assert slope(np.array([1.0, 3.0]), np.array([0.0, 1.0])) == {"alpha": 0.0, "rule": "few-validation"}


def test_alpha_sweep_joins_the_blocks_of_its_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances, "_BLOCK", 1)  # blocks of 64 queries
    unit = make_unit()
    rng = np.random.default_rng(0)
    queries = Vectors(unit_norm(rng.standard_normal((150, 6))), 1000 + np.arange(150))
    assert len(unit.reference._blocks(queries)) == 3
    alphas = np.array([0.0, 0.5, 2.0])
    swept = alpha_sweep(unit.reference, queries, alphas, k=4)
    assert swept.shape == (3, 150)
    for row, alpha in zip(swept, alphas, strict=True):
        np.testing.assert_allclose(row, VarMin(4, alpha=float(alpha)).fit(unit).score(queries), rtol=1e-12, atol=1e-12)


def test_alpha_sweep_of_a_single_reference_is_its_distance_whatever_the_weight() -> None:
    unit = make_unit(n_source=1, n_target=0)
    swept = alpha_sweep(unit.reference, unit.test, np.array([0.0, 0.5, 1.0]), space="log")
    nearest = VarMin(space="log").fit(unit).score(unit.test)
    np.testing.assert_array_equal(swept, np.stack([nearest] * 3))


def test_a_sweep_takes_sixteen_neighbours_unless_it_is_told_otherwise() -> None:
    unit, alphas = make_unit(), np.array([0.5])
    swept = alpha_sweep(unit.reference, unit.test, alphas)
    np.testing.assert_array_equal(swept, alpha_sweep(unit.reference, unit.test, alphas, k=16))
    assert (swept != alpha_sweep(unit.reference, unit.test, alphas, k=17)).any()


SPELLINGS = [
    "exit=0.9",
    "winsorise=0.5",
    "space=log",
    "val=train-random,n_draws=3",
    "val=train-cluster,clusters=3,n_draws=2",
    "val=held-out,exit=0.9",
]


@pytest.mark.parametrize("how", SPELLINGS)
def test_the_points_of_a_method_are_those_whose_slope_its_alpha_is(how: str) -> None:
    method, unit = SCORERS.build(f"varmin:k=6,{how}"), with_left_out()
    assert isinstance(method, VarMin)
    slopes = [slope(points.u, points.v)["alpha"] for points in method.points(unit)]
    assert method.fit(unit).diagnostics["alpha"] == pytest.approx(np.mean(slopes), rel=1e-12)
    assert method.points(make_unit(n_source=1, n_target=0)) == []


def with_left_out() -> UnitVectors:
    """Clips of which a sixth were left out in turn, of two groups each."""
    unit = make_unit()
    left_out = []
    for turn in range(6):
        out = unit.train.clip % 6 == turn
        rest = replace(unit, train=unit.train.take(np.flatnonzero(~out)), is_target=unit.is_target[~out])
        left_out.append(Unseen(rest, unit.train.take(np.flatnonzero(out))))
    return replace(unit, left_out=tuple(left_out))


@pytest.mark.parametrize("quantile", [None, 0.9])
def test_points_of_clips_that_were_left_out_have_the_scale_of_what_was_left(quantile: float | None) -> None:
    unit = with_left_out()
    (points,) = VarMin(6, val="held-out", exit=quantile).points(unit)
    wanted = []
    for one in unit.left_out:
        scale = LocalScale.of(one.unit.reference, 6, exit=quantile)
        nearest, u = one.unit.reference.nearest(one.windows)
        wanted.append(np.stack([u, scale.full[nearest], one.windows.clip]))
    np.testing.assert_array_equal(np.stack([points.u, points.v, points.clip]), np.concatenate(wanted, axis=1))
    assert points.clip.dtype == np.int64 and len(points) == len(unit.train)


def test_an_alpha_may_be_limited_to_one_value() -> None:
    assert VarMin(alpha_range="0.25..0.25").fit(make_unit()).diagnostics["alpha"] == 0.25


def test_a_scale_that_was_limited_stays_so_where_it_is_taken_without_a_clip() -> None:
    unit = make_unit()
    scale = LocalScale.of(unit.reference, 4)
    rows = np.arange(len(unit.train))
    free = scale.without((rows + 1) % len(rows), rows)
    low, high = np.quantile(free, [0.2, 0.8])
    np.testing.assert_array_equal(
        scale.limited(low, high).without((rows + 1) % len(rows), rows), np.clip(free, low, high)
    )
