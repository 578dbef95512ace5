"""What scorers say they found: the figures and fallbacks that go into the header of a table of scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asdcli.errors import UsageError
from asdcli.scorers import SCORERS
from asdcli.scorers.gmm import Mixture
from asdcli.scorers.mahalanobis import Mahalanobis
from asdcli.scorers.nearest import Nearest, nearest_distance
from asdcli.scorers.rescale import Rescale
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.varmin import VarMin, slope
from asdcli.scorers.vectors import Vectors, unit_norm
from tests.scorers.test_fitted import make_unit


def unit_of(x: np.ndarray, test: np.ndarray, is_target: np.ndarray | None = None) -> UnitVectors:
    """One window a clip."""
    train = Vectors.of(x, np.arange(len(x)))
    queries = Vectors.of(test, len(x) + np.arange(len(test)))
    domain = np.zeros(len(x), bool) if is_target is None else is_target
    return UnitVectors(name="fan", train=train, test=queries, is_target=domain)


@pytest.mark.parametrize("k", [1, 2, 3, 9])
def test_nn_averages_its_k_nearest_and_says_when_there_are_fewer(k: int) -> None:
    rng = np.random.default_rng(0)
    unit = unit_of(rng.normal(size=(4, 3)), rng.normal(size=(5, 3)))
    fitted = Nearest(k).fit(unit)
    d = np.sort((1 - unit.test.x @ unit.train.x.T) / 2, axis=1)
    assert fitted.score(unit.test) == pytest.approx(d[:, :k].mean(axis=1))
    own = np.sort((1 - unit.train.x @ unit.train.x.T) / 2 + np.diag([np.inf] * 4), axis=1)
    expected = [row[np.isfinite(row)][:k].mean() for row in own]
    assert fitted.score(unit.train) == pytest.approx(expected)
    assert fitted.diagnostics == {"n_reference": 4, "k": k, "rules": ["k-reduced"] if k > 3 else []}


def test_one_neighbour_of_a_single_clip_is_not_called_fewer_than_asked_for() -> None:
    unit = unit_of(np.eye(1, 3), np.eye(2, 3))
    assert Nearest(1).fit(unit).diagnostics["rules"] == []
    assert Nearest(2).fit(unit).diagnostics["rules"] == ["k-reduced"]
    assert np.isinf(nearest_distance(unit.reference, unit.train, 2)).all()  # nobody but itself


def test_a_single_reference_has_no_alpha() -> None:
    found = VarMin(4).fit(unit_of(np.eye(1, 3), np.eye(2, 3))).diagnostics
    assert found == {"n_reference": 1, "k": 0, "n_floored": 0, "alpha": 0.0, "n_val": 0, "rules": ["single-reference"]}


def test_duplicates_have_no_scale_to_take_the_logarithm_of() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(6, 4)), [3, 1, 1, 1, 1, 1], axis=0)  # three clips alike: two neighbours at 0
    unit = unit_of(x, rng.normal(size=(5, 4)))
    found = VarMin(2, space="log").fit(unit).diagnostics
    assert found["n_floored"] == 3 and "scale-floored" in found["rules"]
    assert VarMin(2).fit(unit).diagnostics["n_floored"] == 0
    assert VarMin(2, space="log").fit(make_unit()).diagnostics["n_floored"] == 0
    assert Rescale(2).fit(unit).diagnostics["n_floored"] == 3


def test_fallbacks_add_up() -> None:
    unit = make_unit(n_source=3, n_target=2)
    found = VarMin(16, val="train-all", alpha_range="5..6").fit(unit).diagnostics
    assert found["rules"] == ["k-reduced", "alpha-clipped"] and found["alpha"] == 5.0
    x = np.repeat(np.random.default_rng(0).normal(size=(6, 4)), [3, 1, 1, 1, 1, 1], axis=0)
    floored = replace(unit_of(x, x), rules=("zero-norm",))
    assert VarMin(2, space="log").fit(floored).diagnostics["rules"] == ["zero-norm", "scale-floored"]


def test_clusters_are_as_many_as_asked_for() -> None:
    unit = make_unit(n_source=12, n_target=3)
    for clusters, expected in ((None, 3), (2, 2), (7, 7), (50, 12)):
        found = VarMin(4, val="train-cluster", clusters=clusters).fit(unit).diagnostics
        assert found["n_val"] == expected + 3
        assert ("clusters-reduced" in found["rules"]) == (clusters == 50)


@pytest.mark.parametrize("spelling", ["varmin:clusters=0", "varmin:n_draws=0", "varmin:k=0", "nn:k=0", "rescale:k=0"])
def test_nothing_is_done_no_times(spelling: str) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        SCORERS.build(spelling)


@pytest.mark.parametrize(
    ("mean", "spread", "flat"),
    [
        (1.0, 1e-5, False),
        (1.0, 1e-7, True),  # the variance is 1e-14 of the squared mean
        (1e4, 1e-5, False),
        (1e4, 1e-7, True),
        (1e-9, 0.5, False),
        (1e-9, 1e-4, True),  # below 1e-6 the mean counts as that
        (1.0, 0.0, True),
    ],
)
def test_a_scale_is_called_flat_by_its_own_size(mean: float, spread: float, flat: bool) -> None:
    v = mean * (1 + spread * np.array([-1.0, 1.0, -1.0, 1.0]))
    found = slope(np.array([-1.0, 1.0, -1.0, 1.0]), v)
    assert found["rule"] == ("flat-scale" if flat else None)
    assert found["alpha"] == pytest.approx(0.0 if flat else 1 / (mean * spread), rel=1e-6)


def test_inlier_models_say_of_how_many_windows_they_are() -> None:
    unit = make_unit(n_source=20, n_target=4)
    n = len(unit.train)
    assert Mahalanobis().fit(unit).diagnostics["n_reference"] == n
    found = Mixture(clusters=2).fit(unit).diagnostics
    assert (found["n_reference"], found["clusters"], found["converged"]) == (n, 2, True)


def test_vectors_of_length_one_are_their_own_directions() -> None:
    x = unit_norm(np.random.default_rng(0).normal(size=(3, 4)))
    assert Vectors.of(x, np.arange(3)).raw == pytest.approx(x)
