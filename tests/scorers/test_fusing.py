"""Fused scores by hand, against brute force, and what holds of all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from asdcli.errors import UsageError
from asdcli.metrics.conformal import p_values
from asdcli.scorers.fuse import FUSIONS, Fuse, spelled, unspelled
from asdcli.scorers.fusing import NORMALISED, Flat, joined, ranks, z_scores

NORMAL = np.array([True, True, True, True, False, False])
whole = arrays(np.int64, st.integers(6, 20), elements=st.integers(-50, 50), unique=True)


def test_a_z_score_is_held_against_the_normal_clips_and_a_normal_clip_against_the_others() -> None:
    found = z_scores(np.array([1.0, 2.0, 3.0, 6.0, 3.0, 9.0]), NORMAL)
    deviation = np.sqrt((4 + 1 + 0 + 9) / 3)  # of 1, 2, 3 and 6, whose mean is 3
    assert found[4:] == pytest.approx([0.0, 6 / deviation], abs=1e-12)
    assert found[3] == pytest.approx((6 - 2) / 1.0, abs=1e-12)  # among 1, 2 and 3
    assert found[0] == pytest.approx((1 - 11 / 3) / np.sqrt(13 / 3), abs=1e-12)  # among 2, 3 and 6


def test_a_rank_is_the_share_of_normal_clips_below_and_ties_count_half() -> None:
    found = ranks(np.array([1.0, 2.0, 2.0, 6.0, 2.0, 7.0]), NORMAL)
    assert found[4:].tolist() == [(1 + 2 / 2) / 4, 1.0]
    assert found[:4].tolist() == [0.0, (1 + 0.5) / 3, (1 + 0.5) / 3, 1.0]


def test_parts_are_joined_by_their_weighted_mean_or_the_smallest() -> None:
    parts = np.array([[0.0, 2.0, 4.0], [3.0, 1.0, 4.0]])
    weighted = Fuse(weights="3,1")
    assert joined(weighted, parts, weighted.shares(2)).tolist() == [0.75, 1.75, 4.0]
    assert joined(Fuse("mean"), parts, Fuse("mean").shares(2)).tolist() == [1.5, 1.5, 4.0]
    assert joined(Fuse("min"), parts, [0.5, 0.5]).tolist() == [0.0, 1.0, 4.0]


@given(whole, st.integers(3, 5))
def test_normal_clips_are_held_against_the_others_as_brute_force_has_it(values: np.ndarray, m: int) -> None:
    scores = values.astype(np.float64)
    normal = np.arange(len(scores)) < m
    by_z, by_rank = z_scores(scores, normal), ranks(scores, normal)
    for i, score in enumerate(scores):
        others = np.delete(scores[:m], i) if i < m else scores[:m]
        if len(others) > 1:
            assert by_z[i] == pytest.approx((score - others.mean()) / others.std(ddof=1), rel=1e-9, abs=1e-9)
        assert by_rank[i] == pytest.approx((others < score).mean() + 0.5 * (others == score).mean(), abs=1e-12)


def test_one_clip_far_out_costs_the_others_no_digits() -> None:
    scores = np.array([1e8, 1.0, 2.0, 4.0, 0.0])
    normal = np.array([True, True, True, True, False])
    assert z_scores(scores, normal)[0] == pytest.approx((1e8 - 7 / 3) / np.std([1, 2, 4], ddof=1), rel=1e-12)


@given(whole)
def test_a_monotone_transform_of_a_part_leaves_ranks_alone_and_a_linear_one_z_scores(values: np.ndarray) -> None:
    scores = values.astype(np.float64)
    normal = np.arange(len(scores)) % 2 == 0
    assert np.array_equal(ranks(np.exp(scores / 50), normal), ranks(scores, normal))
    assert z_scores(3 * scores + 7, normal) == pytest.approx(z_scores(scores, normal), rel=1e-9, abs=1e-9)


@given(st.permutations(range(3)), st.lists(st.integers(1, 9), min_size=3, max_size=3), st.integers(2, 50))
def test_neither_the_order_of_parts_nor_the_sum_of_weights_counts(order: list, weights: list, factor: int) -> None:
    parts = np.random.default_rng(0).normal(size=(3, 5))
    fuse, larger = (Fuse(weights=",".join(str(w * by) for w in weights)) for by in (1, factor))
    turned = Fuse(weights=",".join(str(weights[i]) for i in order))
    found = joined(fuse, parts, fuse.shares(3))
    assert fuse == larger and joined(larger, parts, larger.shares(3)).tolist() == found.tolist()
    assert joined(turned, parts[order], turned.shares(3)) == pytest.approx(found, abs=1e-5)  # weights to six places
    for by in ("z", "rank", "mean"):
        assert joined(Fuse(by), parts[order], [1 / 3] * 3) == pytest.approx(joined(Fuse(by), parts, [1 / 3] * 3))
    assert np.array_equal(joined(Fuse("min"), parts[order], [1 / 3] * 3), joined(Fuse("min"), parts, [1 / 3] * 3))


def test_a_new_normal_clip_is_called_rare_no_oftener_than_a_p_value_says() -> None:
    rng, m, n = np.random.default_rng(0), 9, 2000
    normal = np.arange(m + 1) < m
    among_themselves = rare = 0
    for _ in range(n):
        parts = rng.gamma(3, size=(3, m + 1))
        fused = np.mean([z_scores(part, normal) for part in parts], axis=0)
        own = parts[:, :m]
        plain = ((parts - own.mean(axis=1, keepdims=True)) / own.std(axis=1, ddof=1, keepdims=True)).mean(axis=0)
        rare += p_values(fused[:m], fused[m:])[0] <= 0.1
        among_themselves += p_values(plain[:m], plain[m:])[0] <= 0.1
    assert rare / n <= 0.1
    assert among_themselves / n > 0.12  # what holding normal clips against themselves too would cost


@pytest.mark.parametrize(
    ("by", "own", "said"),
    [
        ("z", [1.0, 2.0], "2 normal clips are too few for z-scores, which take 3"),
        ("min", [1.0, 1.0, 1.0], "do not differ"),
        ("z", [1.0, 1.0, 1.0, 5.0], "do not differ"),  # one of them is held against three that are alike
        ("z", [1.0, 1.0 + 1e-15, 1.0, 1.0 - 1e-15], "do not differ"),
        ("rank", [1.0], "1 normal clips are too few for ranks, which take 2"),
    ],
)
def test_normal_clips_that_give_no_scale_are_refused(by: str, own: list[float], said: str) -> None:
    scores = np.array([*own, 3.0])
    with pytest.raises(Flat, match=said):
        NORMALISED[by](scores, np.arange(len(scores)) < len(own))


def test_a_fused_method_is_spelled_after_its_parts() -> None:
    fuse = Fuse("rank", weights="3,1", runs=2)
    spelling = spelled(["nn", "varmin:k=8,val=test-all", "nn"], fuse)
    assert spelling == "nn+varmin:k=8,val=test-all+fuse:by=rank,weights=0.75_0.25,runs=2"
    assert unspelled(spelling) == (["nn", "varmin:k=8,val=test-all"], fuse)
    assert unspelled("mse+smooth:k=2,data=all") is None and unspelled("nn") is None
    assert FUSIONS.build("fuse:by=z,weights=2_2") == Fuse()


@pytest.mark.parametrize(
    ("fuse", "said"),
    [
        ({"weights": "1,x"}, "cannot read weights '1,x'"),
        ({"weights": "1,-1"}, "cannot read weights"),
        ({"weights": "0,0"}, "cannot read weights"),
        ({"weights": "1,inf"}, "cannot read weights"),
        ({"by": "min", "weights": "1,2"}, "the smallest z-score has no weights"),
        ({"by": "mean", "transductive": True}, "looks at no other clips"),
    ],
)
def test_what_does_not_go_together_is_refused(fuse: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Fuse(**fuse)


def test_each_part_has_one_weight() -> None:
    with pytest.raises(UsageError, match="there are 3 weights for 2 parts"):
        Fuse(weights="1,2,3").shares(2)
