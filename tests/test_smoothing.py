"""Neighbourhood smoothing: Eq. 7 against brute force, its laws, appending, and `asd smooth` through its front door."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli import artifacts
from asdcli.scorers import smoothing


def brute_force(scores: np.ndarray, vectors: np.ndarray, k: int, in_pool: np.ndarray) -> np.ndarray:
    """Eq. 7 word for word: each sample with the K - 1 nearest others of the pool, ties to the lower row."""
    smoothed = []
    for i in range(len(vectors)):
        others = [j for j in np.flatnonzero(in_pool) if j != i]
        others.sort(key=lambda j: (((vectors[i] - vectors[j]) ** 2).sum(), j))
        smoothed.append(np.mean([scores[i], *scores[others[: k - 1]]]))
    return np.array(smoothed)


@st.composite
def samples(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, vectors (with many ties when on a grid) and a pool."""
    n, d = draw(st.integers(1, 30)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = rng.integers(0, 3, (n, d)).astype(float) if draw(st.booleans()) else rng.standard_normal((n, d))
    return rng.standard_normal(n), vectors, rng.random(n) < draw(st.sampled_from([0.5, 1.0]))


@settings(max_examples=60, deadline=None)
@given(samples(), st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_smoothing_equals_brute_force_also_with_ties_and_a_partial_pool(
    given: tuple[np.ndarray, np.ndarray, np.ndarray], ks: list[int]
) -> None:
    scores, vectors, in_pool = given
    found = smoothing.neighbours(smoothing.prepare(vectors), max(ks) - 1, in_pool)
    for k, smoothed in zip(ks, smoothing.smooth(scores, found, ks), strict=True):
        np.testing.assert_allclose(smoothed, brute_force(scores, vectors, k, in_pool), rtol=0, atol=1e-12)


def test_many_random_samples_equal_three_lines_of_brute_force() -> None:
    rng = np.random.default_rng(0)
    scores, vectors, k = rng.random(700), rng.standard_normal((700, 16)).astype(np.float32), 64
    found = smoothing.neighbours(smoothing.prepare(vectors), k - 1)
    x = vectors.astype(float)
    d = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    d[np.arange(700), np.arange(700)] = -1
    expected = scores[np.argsort(d, axis=1, kind="stable")[:, :k]].mean(axis=1)
    np.testing.assert_allclose(smoothing.smooth(scores, found, [k])[0], expected, rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(samples())
def test_k_of_one_returns_the_scores_and_k_of_the_pool_its_mean(
    given: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    scores, vectors, in_pool = given
    n = len(scores)
    found = smoothing.neighbours(smoothing.prepare(vectors), n)
    one, whole, beyond = smoothing.smooth(scores, found, [1, n, n + 100])
    assert (one == scores).all()
    np.testing.assert_allclose(whole, scores.mean(), rtol=0, atol=1e-12)
    assert (beyond == whole).all()


def test_a_pool_of_one_or_of_nobody_leaves_the_score_alone() -> None:
    x = smoothing.prepare(np.array([[0.0], [1.0]]))
    alone = smoothing.neighbours(x[:1], 10)
    assert smoothing.smooth(np.array([0.7]), alone, [1, 10]).tolist() == [[0.7], [0.7]]
    nobody = smoothing.neighbours(x, 10, np.array([False, False]))
    assert smoothing.smooth(np.array([0.7, 0.2]), nobody, [10]).tolist() == [[0.7, 0.2]]
    outside = smoothing.neighbours(x, 10, np.array([True, False]))
    assert smoothing.smooth(np.array([0.5, 0.25]), outside, [10]).tolist() == [[0.5, 0.375]]


def test_values_worked_out_by_hand() -> None:
    # on a line at 0, 1, 3, 7 with scores 1, 2, 4, 8: the nearest of 0 is 1, of 1 is 0, of 3 is 1, of 7 is 3
    x = smoothing.prepare(np.array([[0.0], [1.0], [3.0], [7.0]]))
    smoothed = smoothing.smooth(np.array([1.0, 2.0, 4.0, 8.0]), smoothing.neighbours(x, 2), [2, 3])
    np.testing.assert_allclose(smoothed, [[1.5, 1.5, 3.0, 6.0], [7 / 3, 7 / 3, 7 / 3, 14 / 3]], rtol=1e-15)


def test_cosine_neighbours_do_not_see_the_length_of_a_vector() -> None:
    vectors = np.array([[1.0, 0.0], [100.0, 1.0], [1.0, 1.0]])
    scores = np.array([0.0, 1.0, 10.0])
    by = {
        m: smoothing.smooth(scores, smoothing.neighbours(smoothing.prepare(vectors, m), 1), [2])[0]
        for m in ("euclidean", "cosine")
    }
    assert by["euclidean"][0] == 5.0 and by["cosine"][0] == 0.5


@settings(max_examples=60, deadline=None)
@given(samples(), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_appending_equals_doing_it_all_at_once_to_the_last_bit(
    given: tuple[np.ndarray, np.ndarray, np.ndarray], k: int, seed: int
) -> None:
    scores, vectors, in_pool = given
    x = smoothing.prepare(vectors)
    arrival = np.random.default_rng(seed).integers(0, 3, len(x))
    seen = np.flatnonzero(arrival == 0)
    found = smoothing.neighbours(x[seen], k - 1, in_pool[seen])
    for step in (1, 2):
        now = np.flatnonzero(arrival <= step)
        found = smoothing.append(x[now], found, np.searchsorted(now, seen), k - 1, in_pool[now])
        seen = now
    at_once = smoothing.neighbours(x, k - 1, in_pool)
    assert (found.count == at_once.count).all()
    assert (smoothing.smooth(scores, found, [k]) == smoothing.smooth(scores, at_once, [k])).all()


def test_appending_many_samples_equals_doing_it_all_at_once_to_the_last_bit() -> None:
    rng = np.random.default_rng(1)
    x = smoothing.prepare(rng.standard_normal((900, 64)).astype(np.float32))
    x[300:340] = x[:40]  # duplicates: distances that tie
    scores, old = rng.random(900), np.sort(rng.choice(900, 700, replace=False))
    appended = smoothing.append(x, smoothing.neighbours(x[old], 99), old, 99)
    at_once = smoothing.neighbours(x, 99)
    assert (appended.index == at_once.index).all()
    assert (smoothing.smooth(scores, appended, [100]) == smoothing.smooth(scores, at_once, [100])).all()


@settings(max_examples=40, deadline=None)
@given(samples(), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_restricting_neighbours_equals_searching_among_fewer(
    given: tuple[np.ndarray, np.ndarray, np.ndarray], k: int, seed: int
) -> None:
    scores, vectors, in_pool = given
    x, keep = smoothing.prepare(vectors), np.random.default_rng(seed).random(len(vectors)) < 0.6
    fewer = smoothing.restrict(smoothing.neighbours(x, len(x), in_pool), keep)
    searched = smoothing.neighbours(x[keep], len(x), in_pool[keep])
    a, b = (smoothing.smooth(scores[keep], found, [k]) for found in (fewer, searched))
    np.testing.assert_array_equal(a, b)
