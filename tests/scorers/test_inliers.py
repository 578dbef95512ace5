"""Inlier models: Gaussian mixture and Mahalanobis on embeddings with their length."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from asdcli.errors import UsageError
from asdcli.scorers import SCORERS
from asdcli.scorers.gaussian import inverse_half
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors, unit_norm


def vectors(raw: np.ndarray, first: int = 0) -> Vectors:
    return Vectors(unit_norm(raw), first + np.arange(len(raw)), np.linalg.norm(raw, axis=1))


def unit(train: np.ndarray, test: np.ndarray, is_target: np.ndarray | None = None) -> UnitVectors:
    target = np.zeros(len(train), bool) if is_target is None else is_target
    return UnitVectors("fan/00", vectors(train), vectors(test, len(train)), target)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_mixture_of_one_is_the_gaussian_of_the_training_windows(rng: np.random.Generator) -> None:
    train, test = rng.standard_normal((400, 3)) @ rng.standard_normal((3, 3)) + 5, rng.standard_normal((20, 3)) + 5
    fitted = SCORERS.build("gmm:clusters=1").fit(unit(train, test))
    expected = -multivariate_normal(train.mean(0), np.cov(train.T, ddof=0)).logpdf(test)
    np.testing.assert_allclose(fitted.score(vectors(test)), expected, rtol=1e-4)
    assert fitted.diagnostics["rules"] == []


def test_mahalanobis_is_the_quadratic_form_written_out(rng: np.random.Generator) -> None:
    train, test = rng.standard_normal((50, 4)) * [1, 2, 3, 4] + 7, rng.standard_normal((9, 4))
    score = SCORERS.build("mahalanobis").fit(unit(train, test)).score(vectors(test))
    inverse = np.linalg.inv(np.cov(train.T, ddof=0))
    np.testing.assert_allclose(score, [(x - train.mean(0)) @ inverse @ (x - train.mean(0)) for x in test], rtol=1e-9)


@pytest.mark.parametrize("method", ["gmm:clusters=2", "mahalanobis"])
def test_source_data_leave_target_windows_out(rng: np.random.Generator, method: str) -> None:
    train, is_target = rng.standard_normal((60, 3)), np.arange(60) >= 50
    of = {d: SCORERS.build(f"{method}{',' if ':' in method else ':'}data={d}") for d in ("source", "all")}
    test = vectors(rng.standard_normal((5, 3)))
    mixed = of["source"].fit(unit(train, train, is_target)).score(test)
    alone = of["all"].fit(unit(train[:50], train)).score(test)
    np.testing.assert_allclose(mixed, alone, rtol=1e-12)
    assert (of["all"].fit(unit(train, train, is_target)).score(test) != mixed).all()


def test_length_matters_to_an_inlier_model(rng: np.random.Generator) -> None:
    train = rng.standard_normal((100, 3)) + 10
    for method in ("gmm:clusters=1", "mahalanobis"):
        near, far = SCORERS.build(method).fit(unit(train, train)).score(vectors(np.full((2, 3), 10.0) * [[1], [3]]))
        assert far > near


@pytest.mark.parametrize("method", ["gmm:clusters=32", "mahalanobis"])
@pytest.mark.parametrize("n", [1, 3, 20])
def test_more_clusters_or_dimensions_than_windows_give_finite_scores_and_say_so(
    rng: np.random.Generator, method: str, n: int
) -> None:
    train = rng.standard_normal((n, 24))
    fitted = SCORERS.build(method).fit(unit(train, train))
    score = fitted.score(vectors(np.concatenate([train, train + 5])))
    assert np.isfinite(score).all()
    assert score[:n].max() < score[n:].min()
    assert "covariance-singular" in fitted.diagnostics["rules"]
    assert ("components-reduced" in fitted.diagnostics["rules"]) == method.startswith("gmm")


def test_identical_windows_give_finite_scores() -> None:
    train = np.ones((30, 5))
    for method in ("gmm:clusters=4", "mahalanobis"):
        score = SCORERS.build(method).fit(unit(train, train)).score(vectors(np.array([[1.0] * 5, [2.0] * 5])))
        assert np.isfinite(score).all() and score[0] < score[1]


def test_without_source_windows_all_are_taken_and_it_is_said(rng: np.random.Generator) -> None:
    train = rng.standard_normal((10, 2))
    fitted = SCORERS.build("mahalanobis:data=source").fit(unit(train, train, np.ones(10, bool)))
    assert fitted.diagnostics["rules"] == ["no-source"]


def test_a_mixture_needs_a_cluster() -> None:
    with pytest.raises(UsageError, match="clusters must be at least 1"):
        SCORERS.build("gmm:clusters=0")


@pytest.mark.parametrize(("smallest", "widened"), [(1e-6, False), (1.1e-9, False), (0.9e-9, True), (0.0, True)])
def test_a_covariance_is_widened_only_where_it_can_hardly_be_inverted(smallest: float, widened: bool) -> None:
    variances = np.array([1.0, 2.0 - smallest, smallest])  # their mean is 1, and what is added 1e-6 of it
    half, was = inverse_half(np.diag(variances))
    assert was is widened
    np.testing.assert_allclose(half @ half.T, np.diag(1 / (variances + 1e-6 * widened)), rtol=1e-9)
