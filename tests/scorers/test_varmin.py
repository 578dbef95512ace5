"""VarMin: how few points make a slope, and the sweep of its weights over several blocks."""

from __future__ import annotations

import numpy as np
import pytest

from asdcli.scorers import distances
from asdcli.scorers.local_scale import LocalScale
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
