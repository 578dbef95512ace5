"""Scores and neighbours found by a search in float32 are those of all distances in float64, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from asdcli.scorers import SCORERS, candidates, columns, distances, exact_search
from asdcli.scorers.columns import columns_of
from asdcli.scorers.reference import Reference
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.vocabulary import Distance

N_DIMS = 64
SPELLINGS = [
    "nn",
    "nn:k=5",
    "kmeans:clusters=3,n_init=1",
    "smote:ratio=0.05",
    "rescale:k=4",
    "rescale:k=4,metric=euclidean",
    "rescale:k=4,form=difference",
    "lof:k=4",
    "domain-density:k_source=4,k_target=3",
    "varmin:k=4,val=test-all",
    "varmin:k=1,alpha=-3",
    "varmin:k=4,alpha=2,loo=loose",
    "varmin:k=4,alpha=40,space=log",
    "varmin:k=4,winsorise=0.5,space=log,val=test-all",
    "rescale:k=4,form=difference,metric=euclidean",  # the last: it looks at all distances, which are kept then
]


Given = tuple[np.ndarray, np.ndarray, np.ndarray]


def vectors(near: float | None, seed: int, n_windows: int) -> Given:
    """Training vectors, the clips that they are windows of, and test vectors; `near` is how wide clusters are."""
    rng, n = np.random.default_rng(seed), 4200 + 97 * seed
    x = noise = rng.standard_normal((n + 150, N_DIMS))
    if near is not None:
        x = rng.standard_normal((300, N_DIMS))[np.sort(rng.integers(0, 300, n + 150))] + near * noise
    x[100:120] = x[:20]
    x[200:210] = x[:10] + 1e-8 * noise[:10]
    x[300] = 0.0
    order = rng.permutation(len(x))
    return x[order[:n]], np.arange(n) // n_windows, x[order[n:]]


CASES = [vectors(None, 0, 1), vectors(0.3, 1, 2), vectors(1e-4, 2, 3)]


def unit_of(given: Given, device: str = "cpu") -> UnitVectors:
    train, clip, test = given
    return UnitVectors(
        "fan",
        Vectors.of(train, clip),
        Vectors.of(test, 10_000 + np.arange(len(test))),
        np.arange(len(train)) >= len(train) - 60,
        device=device,
    )


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many distances in a hundred were computed in float64 by each block of a search."""
    shares, some = [], Reference._some_distances

    def counted(self: Reference, *given: object) -> tuple[np.ndarray, np.ndarray]:
        found = some(self, *given)
        shares.append(100 * found[1].shape[1] // len(self))
        return found

    monkeypatch.setattr(Reference, "_some_distances", counted)
    return shares


@pytest.mark.parametrize("given", CASES)
def test_every_method_scores_as_by_all_distances_to_the_last_bit(given: Given, searched: list[int]) -> None:
    by = {}
    for way, many in (("search", candidates.MANY), ("all", 10**9)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(candidates, "MANY", many)
            patch.setattr(distances, "_SEARCHES", 100)
            unit = unit_of(given)
            fitted = [SCORERS.build(spelling).fit(unit) for spelling in SPELLINGS]
            own = unit.train.take(np.arange(0, 4200, 7))
            by[way] = [(f.score(own), f.score(unit.test), f.diagnostics) for f in fitted]
            by[way, "neighbours"] = unit.reference.neighbours(16)
        if way == "search":
            assert np.median(searched) < 50
    for spelling, a, b in zip(SPELLINGS, by["search"], by["all"], strict=True):
        assert np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1]) and a[2] == b[2], spelling
    for a, b in zip(by["search", "neighbours"], by["all", "neighbours"], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("given", "scale", "metric"), [(CASES[0], 0, "cosine"), (CASES[1], -30, "euclidean"), (CASES[2], 120, "euclidean")]
)
def test_smoothing_finds_the_neighbours_of_all_distances_to_the_last_bit(
    given: Given, scale: int, metric: Distance
) -> None:
    train, clip, test = given
    x = exact_search.prepare(np.concatenate([train, test]) * 10.0**scale, metric)
    apart = np.concatenate([clip, 10_000 + np.arange(len(test))])
    in_pool = np.arange(len(x)) % 50 > 0
    by = []
    for many in (candidates.MANY, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(candidates, "MANY", many)
            by.append(exact_search.neighbours(x, 7, in_pool, apart))
    for a, b in zip(*((f.index, f.distance, f.count) for f in by), strict=True):
        np.testing.assert_array_equal(a, b)


def test_torch_finds_what_numpy_finds_to_the_last_bit() -> None:
    given = (np.random.default_rng(3).standard_normal((4200, N_DIMS)), np.arange(4200) // 2, np.zeros((150, N_DIMS)))
    given[2][:] = given[0][:150] + 0.01
    units = [unit_of(given), unit_of(given, "torch:cpu")]
    for spelling in ("nn", "varmin:k=4,val=test-all", "smote:ratio=0.05"):
        fitted = [SCORERS.build(spelling).fit(unit) for unit in units]
        np.testing.assert_array_equal(*(f.score(unit.test) for f, unit in zip(fitted, units, strict=True)))


def test_a_blas_whose_bits_hang_on_the_place_is_answered_with_all_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    given = (np.random.default_rng(4).standard_normal((4500, N_DIMS)), np.arange(4500), np.zeros((1, N_DIMS)))
    monkeypatch.setattr(columns, "_steady", lambda *_: False)
    assert columns_of(np.ones((64, N_DIMS)), given[0], np.arange(3)) is None
    found = Reference(unit_of(given).train).neighbours(4)
    monkeypatch.setattr(candidates, "MANY", 10**9)
    for a, b in zip(found, Reference(unit_of(given).train).neighbours(4), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n_x", [1, 2, 13, 64])
@pytest.mark.parametrize("n_y", [20_000, 20_001, 20_100])
def test_columns_of_a_product_have_the_bits_that_they_have_in_the_whole(n_x: int, n_y: int) -> None:
    rng = np.random.default_rng(n_x + n_y)
    x, y = rng.standard_normal((n_x, N_DIMS)), rng.standard_normal((n_y, N_DIMS))
    inner = np.sort(rng.choice(n_y - 1, 300, replace=False))
    for wanted in (np.append(inner, n_y - 1), inner[:1], np.arange(n_y - 250, n_y)):
        with distances.spread(1):
            found, whole = columns_of(x, y, wanted), x @ y.T
        assert found is not None or n_x < 3
        if found is not None:
            np.testing.assert_array_equal(found, whole[:, wanted])
    assert columns_of(x, y, np.arange(n_y // 2)) is None


def test_squares_below_what_float64_holds_are_told_apart_by_nothing_and_stay_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(candidates, "MANY", 100)
    x = exact_search.prepare(np.random.default_rng(5).standard_normal((200, 3)) * 1e-170)
    assert exact_search.neighbours(x, 2).index[:3].tolist() == [[1, 2], [0, 2], [0, 1]]
