"""K-means: centroids that have no direction, and how many starts there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from asdcli.scorers import kmeans
from asdcli.scorers.kmeans import KMeans
from tests.scorers.test_fitted import make_unit


@pytest.fixture
def centroids(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What K-means is to find, and after it the options that it was given."""
    given: list[Any] = []

    def cluster(x: np.ndarray, n_clusters: int, **options: Any) -> tuple[np.ndarray, np.ndarray]:
        given.append(options)
        return given[0], np.zeros(len(x), int)

    monkeypatch.setattr(kmeans, "cluster", cluster)
    return given


@pytest.mark.parametrize(("n_target", "left"), [(0, [-1]), (3, [-1, 30, 31, 32])])
def test_a_centroid_at_the_origin_is_dropped_where_a_reference_is_left(
    centroids: list[Any], n_target: int, left: list[int]
) -> None:
    centroids.append(np.eye(2, 6) * [[1e-7], [2.0]])
    fitted = KMeans(clusters=2).fit(make_unit(n_target=n_target))
    assert fitted.diagnostics["rules"][-1] == "centroid-dropped"
    assert (fitted.diagnostics["clusters"], len(fitted.learnt["reference"])) == (1, len(left))
    np.testing.assert_array_equal(fitted.state()["reference.made"], np.eye(2, 6)[1:])


def test_only_centroids_without_a_direction_leave_the_target_windows_or_stay(centroids: list[Any]) -> None:
    centroids.append(np.zeros((1, 6)))
    assert KMeans(clusters=1).fit(make_unit(n_target=3)).diagnostics["clusters"] == 0
    alone = KMeans(clusters=1).fit(make_unit(n_target=0)).diagnostics
    assert (alone["clusters"], alone["rules"]) == (1, ["no-target"])


def test_as_many_starts_are_taken_as_are_asked_for(centroids: list[Any]) -> None:
    centroids.append(np.eye(1, 6))
    KMeans(clusters=1, n_init=3).fit(make_unit())
    assert centroids[1]["n_init"] == 3
