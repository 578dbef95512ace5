"""SMOTE: which segment a point lies on, and when there is nothing to interpolate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.scorers.smote import Smote, segment_ends, synthesise
from tests.scorers.test_fitted import make_unit


def test_a_point_belongs_to_the_long_segment_that_it_lies_on_and_not_to_a_short_one_beside_it() -> None:
    # (5, 0) lies on a-b: 5 + 5 - 10 = 0; of c-d, closer and shorter: 1 + sqrt(2) - 1 > 0
    a, b, c, d = [0.0, 0.0], [10.0, 0.0], [5.0, 1.0], [6.0, 1.0]
    ends = segment_ends(np.array([[5.0, 0.0]]), np.array([a, b, c, d]), 3)
    assert sorted(ends[0]) == [0, 1]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 9), st.integers(1, 8), st.floats(0.05, 0.95))
def test_a_point_between_two_neighbours_belongs_to_them(seed: int, n: int, k: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    target, k = rng.standard_normal((n, 4)), min(k, n - 1)
    distance = np.linalg.norm(target[:, None] - target[None], axis=2) + np.diag(np.full(n, np.inf))
    pairs = [(a, b) for a in range(n) for b in np.argsort(distance[a])[:k]]
    a, b = pairs[rng.integers(len(pairs))]
    found = segment_ends((target[a] + share * (target[b] - target[a]))[None], target, k)
    assert set(found[0]) == {a, b}


@pytest.mark.parametrize(("n_target", "k", "rules"), [(6, 5, []), (5, 5, ["smote-k-reduced"]), (3, 2, []), (2, 1, [])])
def test_k_is_called_reduced_only_where_it_is(n_target: int, k: int, rules: list[str]) -> None:
    found = Smote(ratio=0.5, k=k).fit(make_unit(n_source=40, n_target=n_target)).diagnostics
    assert (found["rules"], found["k"]) == (rules, min(k, n_target - 1))
    assert found["n_synthetic"] == 20 - n_target


def test_as_many_target_windows_as_wanted_are_left_as_they_are() -> None:
    at = Smote(ratio=0.5).fit(make_unit(n_source=12, n_target=6)).diagnostics
    one_more = Smote(ratio=0.5).fit(make_unit(n_source=14, n_target=6)).diagnostics
    assert (at["rules"], at["n_synthetic"]) == (["ratio-met"], 0)
    assert (one_more["rules"], one_more["n_synthetic"]) == ([], 1)


def test_synthetic_windows_stand_behind_all_training_windows_each_once() -> None:
    unit = make_unit(n_source=40, n_target=6)
    state = Smote(ratio=0.5).fit(unit).state()
    assert state["reference.chosen"].tolist() == [*range(46), *range(-1, -15, -1)]


def test_without_target_windows_there_is_no_k() -> None:
    assert Smote().fit(make_unit(n_target=0)).diagnostics["k"] == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(1, 60), st.booleans())
def test_the_points_are_those_of_imbalanced_learn_to_the_last_bit(seed: int, n: int, n_new: int, ties: bool) -> None:
    from imblearn.over_sampling import SMOTE

    rng = np.random.default_rng(seed)
    target = rng.standard_normal((n, 24))
    if ties:
        target = np.round(target[rng.integers(0, n, n)])
    k = int(rng.integers(1, n))
    x = np.concatenate([rng.standard_normal((n + n_new, 24)), target])
    is_target = np.repeat([0, 1], [n + n_new, n])
    sampler = SMOTE(sampling_strategy={1: n + n_new}, k_neighbors=k, random_state=seed)
    np.testing.assert_array_equal(
        synthesise(target, n_new, k, seed=seed), sampler.fit_resample(x, is_target)[0][len(x) :]
    )
