"""`pca`: what lies outside the principal components, against numpy's singular values and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from asdcli.errors import UsageError
from asdcli.scorers import SCORERS
from tests.scorers.test_inliers import unit, vectors


@pytest.mark.parametrize(("keep", "data"), [(0.5, "all"), (0.95, "all"), (0.9, "source")])
def test_a_residual_is_what_singular_vectors_leave(keep: float, data: str) -> None:
    rng = np.random.default_rng(0)
    train, test = rng.standard_normal((60, 6)) * [9, 5, 3, 2, 1, 0.5] + 4, rng.standard_normal((9, 6)) * 5
    is_target = np.arange(60) >= 50
    fitted = SCORERS.build(f"pca:keep={keep},data={data}").fit(unit(train, test, is_target))
    x = train[~is_target] if data == "source" else train
    _, s, vt = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    n = int(np.searchsorted(np.cumsum(s**2) / (s**2).sum(), keep, side="right")) + 1
    assert fitted.diagnostics["components"] == n
    expected = [sum((centred @ v) ** 2 for v in vt[n:]) for centred in test - x.mean(axis=0)]
    np.testing.assert_allclose(fitted.score(vectors(test)), expected, rtol=1e-9)


def test_what_lies_off_a_line_by_hand() -> None:
    train = np.array([[0.0, 1], [1, 1], [2, 1], [3, 1]])
    fitted = SCORERS.build("pca").fit(unit(train, train))
    assert fitted.diagnostics["components"] == 1
    assert fitted.score(vectors(np.array([[7.0, 1], [1, 3], [-5, -2]]))) == pytest.approx([0.0, 4.0, 9.0], abs=1e-12)


def test_more_dimensions_than_windows_and_windows_that_are_alike() -> None:
    rng = np.random.default_rng(0)
    train = rng.standard_normal((5, 40))
    score = SCORERS.build("pca:keep=0.999").fit(unit(train, train)).score(vectors(np.concatenate([train, train + 3])))
    assert score[:5] == pytest.approx(np.zeros(5), abs=1e-9) and (score[5:] > 1).all()
    alike = SCORERS.build("pca").fit(unit(np.ones((4, 3)), train))
    assert alike.score(vectors(np.array([[1.0, 1, 3]]))) == pytest.approx([4.0])
    assert alike.diagnostics["rules"] == ["no-spread"]


def test_turning_the_space_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    train, test = rng.standard_normal((40, 5)) * [5, 3, 1, 1, 1], rng.standard_normal((6, 5))
    turn, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    one, other = (
        SCORERS.build("pca:keep=0.8").fit(unit(x, y)).score(vectors(y))
        for x, y in ((train, test), (train @ turn, test @ turn))
    )
    np.testing.assert_allclose(one, other, rtol=1e-9)


@pytest.mark.parametrize("keep", ["0", "1", "1.5", "-1"])
def test_a_share_lies_between_nothing_and_all(keep: str) -> None:
    with pytest.raises(UsageError, match="pca:keep must be above 0 and below 1"):
        SCORERS.build(f"pca:keep={keep}")
