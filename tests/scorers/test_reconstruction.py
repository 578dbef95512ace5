"""Scores of residuals: mean squared error, and the baselines' selective Mahalanobis distance."""

from __future__ import annotations

import numpy as np
import pytest

from asdcli.scorers import SCORERS, Fitted
from asdcli.scorers.residuals import Residuals
from asdcli.vocabulary import Domain


@pytest.fixture
def residuals() -> list[np.ndarray]:
    """Training residuals (n_vectors, 5, 6) of 12 clips, the last three of the target domain with another spread."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal((40, 5, 6)) * (3.0 if i >= 9 else 1.0) + 0.1 for i in range(12)]


def fit(method: str, residuals: list[np.ndarray], n_target: int = 3) -> Fitted:
    training = Residuals(residuals[0].shape[-1], sum(map(len, residuals)))
    for i, one in enumerate(residuals):
        training.add(one, Domain.TARGET if i >= len(residuals) - n_target else Domain.SOURCE)
    return SCORERS.build(method).fit(training)


def test_mse_is_the_mean_of_the_squares() -> None:
    fitted = fit("mse", [np.zeros((1, 5, 2))])
    window = np.array([[[1.0, 2.0]] * 5, [[3.0, 0.0]] * 5])
    assert fitted.score([window, window[:1]]).tolist() == [14 / 4, 5 / 2]


def test_selective_mahalanobis_is_the_smaller_of_two_quadratic_forms(residuals: list[np.ndarray]) -> None:
    inverse = [np.linalg.inv(np.cov(np.concatenate(r).reshape(-1, 6).T)) for r in (residuals[:9], residuals[9:])]
    test = np.random.default_rng(1).standard_normal((30, 5, 6)) * 2 + 0.5
    rows = test.reshape(-1, 6)
    fitted = fit("selective-mahalanobis:mode=per-frame", residuals)
    assert fitted.score([test])[0] == pytest.approx(min(np.mean([r @ p @ r for r in rows]) for p in inverse))
    assert fitted.rules == []


def test_the_organisers_mahalanobis_takes_the_mean_off_each_shuffled_batch(residuals: list[np.ndarray]) -> None:
    every, target = np.concatenate(residuals), np.repeat(np.arange(12) >= 9, 40)
    order = np.empty(len(every), int)
    order[np.random.default_rng(0).permutation(len(every))] = np.arange(len(every))
    inverse = []
    for domain in (~target, target):
        products = np.zeros((6, 6))
        for batch in np.array_split(order, range(256, len(order), 256)):
            rows = every[[i for i in batch if domain[i]]].reshape(-1, 6)
            products += (rows - rows.mean(axis=0)).T @ (rows - rows.mean(axis=0))
        inverse.append(np.linalg.inv(products / (domain.sum() - 1)))
    test = np.random.default_rng(1).standard_normal((30, 5, 6)) * 2 + 0.5
    flat = test.reshape(-1, 6)
    gram = [flat @ p @ flat.T for p in inverse]  # whose mean over all entries is that code's score
    fitted = fit("selective-mahalanobis", residuals)
    assert fitted.score([test])[0] == pytest.approx(min(g.mean() for g in gram))


def test_without_target_residuals_the_source_covariance_serves_alone(residuals: list[np.ndarray]) -> None:
    alone = fit("selective-mahalanobis", residuals[:9], n_target=0)
    both = fit("selective-mahalanobis", residuals[:9] + residuals[9:], n_target=3)
    assert alone.rules == ["no-target"]
    assert (alone.score(residuals) >= both.score(residuals)).all()


def test_a_singular_covariance_is_widened_and_said(residuals: list[np.ndarray]) -> None:
    flat = [np.concatenate([r, r[..., :1]], axis=-1) for r in residuals]
    fitted = fit("selective-mahalanobis:mode=per-frame", flat)
    assert fitted.rules == ["covariance-singular"] * 2 and np.isfinite(fitted.score(flat)).all()


def test_residuals_of_one_domain_alone_have_its_covariance() -> None:
    rng = np.random.default_rng(0)
    clips = [rng.standard_normal((4, 5, 6)) for _ in range(3)]
    for domain, missing in ((Domain.TARGET, "no-source"), (Domain.SOURCE, "no-target")):
        training = Residuals(6, 12)
        for clip in clips:
            training.add(clip, domain)
        fitted = SCORERS.build("selective-mahalanobis:mode=per-frame").fit(training)
        assert fitted.diagnostics["rules"] == [missing]
        rows = np.concatenate(clips).reshape(-1, 6)
        expected = np.einsum("ij,jk,ik->i", rows[:20], np.linalg.inv(np.cov(rows.T)), rows[:20]).mean()
        assert fitted.score(clips[:1]) == pytest.approx([expected])  # rows[:20] are those of the first clip


def test_two_rows_have_a_covariance_and_one_has_none() -> None:
    a, b = np.array([1.0, 2.0]), np.array([3.0, -2.0])
    training = Residuals(2, 2)
    training.add(a[None, None], Domain.SOURCE)
    assert training.covariance(Domain.SOURCE) is None and training.batch_covariance(Domain.SOURCE) is None
    training.add(b[None, None], Domain.SOURCE)
    np.testing.assert_allclose(training.covariance(Domain.SOURCE), np.cov(np.stack([a, b]).T))
    np.testing.assert_allclose(training.batch_covariance(Domain.SOURCE), np.cov(np.stack([a, b]).T))


def test_the_mean_of_a_mini_batch_is_that_of_its_own_rows() -> None:
    rng = np.random.default_rng(0)
    clip = rng.standard_normal((257, 1, 3))  # one vector more than a batch holds: the last batch is a single row
    training = Residuals(3, 257)
    training.add(clip, Domain.SOURCE)
    batch, rows = training._batch_of, clip[:, 0]
    centred = np.concatenate([rows[batch == i] - rows[batch == i].mean(axis=0) for i in range(2)])
    np.testing.assert_allclose(training.batch_covariance(Domain.SOURCE), centred.T @ centred / 256, atol=1e-12)
