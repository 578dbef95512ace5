"""Back-ends that hold distances against a density: against plain loops from the equations, by hand, and their laws."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import LocalOutlierFactor as Theirs

from asdcli.scorers import SCORERS
from asdcli.scorers.backends import Torch
from asdcli.scorers.domains import by_domain
from asdcli.scorers.pools import Mean, Ranked, UpToExit, smoothed_ratios
from asdcli.scorers.rules import RULES
from asdcli.scorers.terms import terms
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors, unit_norm
from tests.scorers.test_scorers import CLOSE, alpha_brute, dist, make_unit, nearest_brute, scale_brute, scored

INF = math.inf


def to_others(ref: Vectors, y: int, left_out: int | None) -> list[float]:
    """Distances from row y to rows of other clips, ascending, `left_out` not among them."""
    return sorted(dist(ref.x[y], ref.x[j]) for j in range(len(ref)) if ref.clip[j] not in (ref.clip[y], left_out))


def least(ref: Vectors, queries: Vectors, b, combine) -> np.ndarray:
    """min over rows y of other clips of combine(D(x, y), b(y, clip of x))."""
    known = set(ref.clip.tolist())
    full = [b(y, None) for y in range(len(ref))]
    out = []
    for x, clip in zip(queries.x, queries.clip, strict=True):
        of = [
            combine(dist(x, ref.x[y]), b(y, clip) if clip in known else full[y])
            for y in range(len(ref))
            if ref.clip[y] != clip
        ]
        out.append(min(of))
    return np.array(out)


def without(unit: UnitVectors, clip: int) -> UnitVectors:
    keep = unit.train.clip != clip
    return replace(unit, train=unit.train.take(keep), is_target=unit.is_target[keep])


# ---------------------------------------------------------------------------------------------------------------------
# GWRP


@pytest.mark.parametrize("form", ["ratio", "difference"])
@pytest.mark.parametrize(("r", "windows"), [(0.9, 1), (0.5, 1), (1.0, 1), (0.9, 3)])
def test_gwrp_equals_plain_loops(form: str, r: float, windows: int) -> None:
    unit = make_unit(n_source=18 // windows, windows=windows)

    def b(y: int, left_out: int | None) -> float:
        d = to_others(unit.train, y, left_out)
        return sum(r**k * one for k, one in enumerate(d)) / sum(r**k for k in range(len(d)))

    combine = (lambda d, b: d / b) if form == "ratio" else (lambda d, b: d - b)
    train, test, found = scored(f"gwrp:r={r},form={form}", unit)
    np.testing.assert_allclose(train, least(unit.train, unit.train, b, combine), **CLOSE)
    np.testing.assert_allclose(test, least(unit.train, unit.test, b, combine), **CLOSE)
    assert found["rules"] == []


def test_the_weights_of_gwrp_by_hand() -> None:
    assert Ranked(0.5)(np.array([[1.0, 2.0, 4.0], [3.0, INF, INF], [INF, INF, INF]]))[:2] == pytest.approx(
        [(1 + 0.5 * 2 + 0.25 * 4) / 1.75, 3.0]
    )
    assert Ranked(1.0).width(50) == 50
    assert Ranked(0.9).width(10_000) == 285 and 0.9**285 < 1e-13 < 0.9**284


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(66, 90), st.floats(0.3, 1.0))
def test_a_lost_neighbour_changes_gwrp_as_if_all_were_sorted_anew(seed: int, m: int, r: float) -> None:
    rng = np.random.default_rng(seed)
    k = 65
    distances = np.sort(rng.random((5, m)), axis=1)
    distances[4, rng.integers(2, m) :] = INF
    rows, place = rng.integers(0, 5, 8), rng.integers(0, k, 8)
    place = np.minimum(place, np.isfinite(distances).sum(axis=1)[rows] - 1)
    lost = np.arange(m) == place[:, None]
    expected = Ranked(r)(np.sort(np.where(lost, INF, distances[rows]), axis=1)[:, :k])
    np.testing.assert_allclose(Ranked(r).without(distances, rows, lost, k), expected, rtol=1e-11)


def test_gwrp_without_neighbours_beyond_the_first_is_a_scale_of_one() -> None:
    unit = make_unit()
    np.testing.assert_allclose(scored("gwrp:r=1e-9", unit)[1], scored("ratio", unit)[1], rtol=1e-7)


# ---------------------------------------------------------------------------------------------------------------------
# Cluster exit


def exit_brute(ref: Vectors, k: int, quantile: float):
    """K(y) as the docstring of `rescale` has it, and the mean of so many distances."""

    def ratios(d: list[float]) -> list[float]:
        r = [d[i] / d[i + 1] for i in range(len(d) - 1)]
        return [(r[i] + r[i + 1]) / 2 for i in range(len(r) - 1)]

    every = np.array([ratios(to_others(ref, y, None)[:k]) for y in range(len(ref))])
    limits = [float(np.quantile(column, quantile)) for column in every.T]

    def b(y: int, left_out: int | None) -> float:
        d = to_others(ref, y, left_out)[:k]
        exits = [i + 1 for i, one in enumerate(ratios(d)) if one < limits[i]]
        return sum(d[: max(exits[0] if exits else k - 2, 2)]) / max(exits[0] if exits else k - 2, 2)

    return b


@pytest.mark.parametrize(("k", "quantile"), [(8, 0.04), (8, 0.3), (5, 0.5), (3, 0.2)])
def test_cluster_exit_equals_plain_loops_in_ratio_difference_and_varmin(k: int, quantile: float) -> None:
    unit = make_unit(n_source=20, n_test=7)
    b = exit_brute(unit.train, k, quantile)
    for form, combine in (("ratio", lambda d, b: d / b), ("difference", lambda d, b: d - b)):
        train, test, _ = scored(f"rescale:k={k},exit={quantile},form={form}", unit)
        np.testing.assert_allclose(train, least(unit.train, unit.train, b, combine), **CLOSE)
        np.testing.assert_allclose(test, least(unit.train, unit.test, b, combine), **CLOSE)
    train, test, found = scored(f"varmin:k={k},exit={quantile}", unit)
    u, v = [], []
    for z, clip in zip(unit.train.x, unit.train.clip, strict=True):
        d, y = min((dist(z, unit.train.x[y]), y) for y in range(len(unit.train)) if unit.train.clip[y] != clip)
        u.append(d)
        v.append(b(y, clip))
    alpha = np.cov(u, v, ddof=0)[0, 1] / np.var(v)
    assert found["alpha"] == pytest.approx(alpha, rel=1e-9)
    np.testing.assert_allclose(test, least(unit.train, unit.test, b, lambda d, b: d - alpha * b), **CLOSE)


def test_where_a_neighbourhood_leaves_its_cluster_by_hand() -> None:
    # ratios 0.8, 0.9, 0.1, 0.9: the gap lies behind the third neighbour, and the smoothed ratios are 0.85 0.5 0.5
    d = np.array([[0.0648, 0.081, 0.09, 0.9, 1.0]])
    assert smoothed_ratios(d)[0] == pytest.approx([0.85, 0.5, 0.5])
    assert UpToExit(np.full(3, 0.6)).counts(d).tolist() == [2]
    assert UpToExit(np.array([0.9, 0.0, 0.0])).counts(d).tolist() == [2]  # two at least
    assert UpToExit(np.array([0.0, 0.0, 0.6])).counts(d).tolist() == [3]
    assert UpToExit(np.zeros(3)).counts(d).tolist() == [3]  # no gap: K - 2
    assert UpToExit(np.full(3, 0.6))(d)[0] == pytest.approx((0.0648 + 0.081) / 2)
    assert UpToExit(np.empty(0)).counts(d[:, :2]).tolist() == [2]


def test_duplicates_and_lacking_neighbours_are_no_gaps() -> None:
    d = np.array([[0.0, 0.0, 0.0, 0.0], [0.1, 0.2, INF, INF], [INF, INF, INF, INF]])
    assert smoothed_ratios(d)[0].tolist() == [1.0, 1.0]
    assert np.isnan(smoothed_ratios(d)[1:]).all()
    found = UpToExit.of(d, 0.5)
    assert found.limits.tolist() == [1.0, 1.0]
    assert found(d)[:2] == pytest.approx([0.0, 0.15]) and np.isnan(found(d)[2])


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.1, 10))
def test_a_gap_is_a_gap_in_any_unit(seed: int, c: float) -> None:
    d = np.sort(np.random.default_rng(seed).random((20, 9)), axis=1)
    one, other = UpToExit.of(d, 0.1), UpToExit.of(c * d, 0.1)
    np.testing.assert_allclose(one.limits, other.limits, rtol=1e-12)
    assert (one.counts(d) <= 7).all() and (one.counts(d) >= 2).all()
    assert (one(d) <= Mean()(d) + 1e-15).all()


# ---------------------------------------------------------------------------------------------------------------------
# Domains


@pytest.mark.parametrize(("ks", "kt", "windows"), [(16, 9, 1), (3, 2, 1), (40, 40, 1), (4, 3, 2)])
def test_domain_density_equals_plain_loops(ks: int, kt: int, windows: int) -> None:
    unit = make_unit(n_source=24 // windows, n_target=6, windows=windows)
    train, test, found = scored(f"domain-density:k_source={ks},k_target={kt}", unit)
    for got, queries in ((train, unit.train), (test, unit.test)):
        of = []
        for own, k in ((~unit.is_target, ks), (unit.is_target, kt)):
            ref = unit.train.take(own)
            of.append(least(ref, queries, lambda y, out, ref=ref, k=k: scale_brute(ref, y, k, out), lambda d, b: d / b))
        np.testing.assert_allclose(got, np.minimum(*of), **CLOSE)
    assert ("k-reduced" in found["rules"]) == (kt > 5)


@pytest.mark.parametrize("windows", [1, 2])
def test_k_of_each_domain_equals_plain_loops(windows: int) -> None:
    unit = make_unit(windows=windows)
    source, target = unit.train.take(~unit.is_target), unit.train.take(unit.is_target)
    for spelling, ks, kt in (("nn:k_source=3,k_target=2", 3, 2), ("nn:k=4,k_target=1", 4, 1), ("nn:k_source=2", 2, 1)):
        train, test, _ = scored(spelling, unit)
        for got, queries in ((train, unit.train), (test, unit.test)):
            of = nearest_brute(source, queries, ks), nearest_brute(target, queries, kt)
            np.testing.assert_allclose(got, np.minimum(*of), **CLOSE)
    np.testing.assert_array_equal(scored("nn:k_source=1,k_target=1", unit)[1], scored("nn", unit)[1])


def zscore_brute(unit: UnitVectors, queries: Vectors) -> np.ndarray:
    """(D_d - mu_d) / sigma_target from loops, of a training clip by a unit that has never had it."""
    out = []
    for x, clip in zip(queries.x, queries.clip, strict=True):
        keep = unit.train.clip != clip
        of = [unit.train.take(keep & own) for own in (~unit.is_target, unit.is_target)]
        own = [nearest_brute(ref, ref) for ref in of]
        sigma = np.std(own[1])
        out.append(min((min(dist(x, y) for y in ref.x) - np.mean(u)) / sigma for ref, u in zip(of, own, strict=True)))
    return np.array(out)


@pytest.mark.parametrize("windows", [1, 2])
def test_domain_zscore_equals_plain_loops_and_a_training_clip_has_no_part_in_its_own(windows: int) -> None:
    unit = make_unit(n_target=6, windows=windows)
    train, test, found = scored("domain-zscore", unit)
    np.testing.assert_allclose(test, zscore_brute(unit, unit.test), **CLOSE)
    np.testing.assert_allclose(train, zscore_brute(unit, unit.train), **CLOSE)
    assert found["sigma"] > 0 and found["rules"] == []


def test_a_zscore_by_hand() -> None:
    # on a circle: source at 0, 10, 20 and 60 degrees, target at 180, 182, 186, 194
    angles = np.deg2rad([0, 10, 20, 60, 180, 182, 186, 194])
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    query = Vectors(np.array([[0.0, 1.0]]), np.array([99]))
    unit = UnitVectors("fan", Vectors(x, np.arange(8)), query, np.arange(8) >= 4)

    def d(degrees: float) -> float:
        return (1 - math.cos(math.radians(degrees))) / 2

    mu_source = np.mean([d(10), d(10), d(10), d(40)])
    target = [d(2), d(2), d(4), d(8)]
    expected = min(d(30) - mu_source, d(90) - np.mean(target)) / np.std(target)
    assert SCORERS.build("domain-zscore").fit(unit).score(query) == pytest.approx([expected], rel=1e-9)


@pytest.mark.parametrize(
    ("spelling", "unit", "rules"),
    [
        ("domain-density", {"n_target": 0}, ["no-target"]),
        ("domain-density", {"n_target": 1}, ["domain-too-small"]),
        ("domain-density", {"n_source": 0, "n_target": 20}, ["no-source"]),
        ("domain-density", {"n_source": 1, "n_target": 0}, ["no-target", "single-reference"]),
        ("domain-zscore", {"n_target": 0}, ["no-target"]),
        ("domain-zscore", {"n_target": 2}, ["domain-too-small"]),
        ("domain-zscore", {"n_source": 1, "n_target": 0}, ["no-target", "flat-spread", "single-reference"]),
        ("nn:k_target=2", {"n_target": 0}, ["no-target"]),
        ("nn:k_target=9", {"n_target": 5}, ["k-reduced"]),
        ("lof:k=4", {"n_source": 1, "n_target": 0}, ["single-reference"]),
        ("lof:k=40", {}, ["k-reduced"]),
        ("gwrp", {"n_source": 1, "n_target": 0}, ["single-reference"]),
        ("cluster-exit:k=4", {"n_source": 1, "n_target": 0}, ["single-reference"]),
        ("pca", {"n_source": 1, "n_target": 0}, ["no-spread"]),
    ],
)
def test_a_fallback_is_taken_and_named(spelling: str, unit: dict[str, int], rules: list[str]) -> None:
    made = make_unit(**unit)
    train, test, found = scored(spelling, made)
    assert [rule for rule in found["rules"] if rule != "k-reduced" or "k-reduced" in rules] == rules
    assert set(rules) <= set(RULES)
    assert np.isfinite(test).all()
    assert np.isfinite(train).all() or len(made.train) == 1


def test_each_domain_is_searched_where_it_is_asked_for() -> None:
    of, _ = by_domain(replace(make_unit(), device="torch:cpu"))
    assert [type(one._backend) for one in of.values()] == [Torch, Torch]


def test_a_domain_of_one_clip_counts_as_of_the_other() -> None:
    unit = make_unit(n_target=1)
    found = scored("domain-density:k_source=4", unit)[1]
    np.testing.assert_array_equal(found, scored("rescale:k=4", unit)[1])


def test_duplicates_alone_have_no_spread_to_divide_by() -> None:
    x = np.tile([[1.0, 0.0]], (12, 1))
    unit = UnitVectors("fan", Vectors(x, np.arange(12)), Vectors(-x[:2], 20 + np.arange(2)), np.arange(12) > 7)
    train, test, found = scored("domain-zscore", unit)
    assert train.tolist() == [0.0] * 12 and test.tolist() == [1.0, 1.0]
    assert found["rules"] == ["flat-spread"]


# ---------------------------------------------------------------------------------------------------------------------
# LOF


@pytest.mark.parametrize("k", [1, 4, 16, 27])
def test_lof_is_that_of_scikit_learn_also_for_clips_that_it_has_never_had(k: int) -> None:
    unit = make_unit()
    train, test, _ = scored(f"lof:k={k}", unit)
    theirs = Theirs(n_neighbors=k, novelty=True).fit(unit.train.x)
    np.testing.assert_allclose(test, -theirs.score_samples(unit.test.x), **CLOSE)
    for i in range(len(unit.train)):
        keep = np.arange(len(unit.train)) != i
        alone = Theirs(n_neighbors=k, novelty=True).fit(unit.train.x[keep])
        assert train[i] == pytest.approx(-alone.score_samples(unit.train.x[i : i + 1])[0], rel=1e-9)


def test_lof_of_a_lattice_is_one_and_more_outside() -> None:
    angles = 2 * np.pi * np.arange(24) / 24
    x = np.stack([np.cos(angles), np.sin(angles), np.ones(24)], axis=1)
    unit = UnitVectors("fan", Vectors(unit_norm(x), np.arange(24)), Vectors(x[:0], np.arange(0)), np.zeros(24, bool))
    fitted = SCORERS.build("lof:k=2").fit(unit)
    near, far = fitted.score(Vectors(unit_norm(np.array([[1.0, 0, 1], [0, 0, 1]])), np.array([90, 91])))
    assert near == pytest.approx(1.0, abs=0.4) and far > 2
    assert np.ptp(fitted.score(unit.train)) < 1e-9


# ---------------------------------------------------------------------------------------------------------------------
# What holds of all of them

ALL = (
    "difference:k=4",
    "ratio",
    "gwrp",
    "gwrp:form=difference",
    "cluster-exit:k=6",
    "varmin:k=6,exit=0.2",
    "lof:k=4",
    "nn:k_source=3,k_target=2",
    "domain-density:k_source=4,k_target=3",
    "domain-zscore",
)
EXACT = [one for one in ALL if "exit" not in one]  # the gaps and alpha are found with the clip


@pytest.mark.parametrize("spelling", EXACT)
@pytest.mark.parametrize("windows", [1, 2])
def test_a_training_clip_is_scored_as_by_a_method_that_never_had_it(spelling: str, windows: int) -> None:
    unit = make_unit(n_source=14, n_target=6, windows=windows)
    fitted = SCORERS.build(spelling).fit(unit)
    together = fitted.score(unit.train)
    for clip in (0, 9, 13, 14, 19):
        own = unit.train.take(unit.train.clip == clip)
        alone = SCORERS.build(spelling).fit(without(unit, clip)).score(own)
        np.testing.assert_allclose(together[unit.train.clip == clip], alone, rtol=1e-9, atol=1e-9)
    assert fitted.diagnostics.get("n_floored", 0) == 0  # a floor of b would be that of all references


@pytest.mark.parametrize("spelling", ALL)
def test_the_order_of_references_changes_no_score(spelling: str) -> None:
    unit = make_unit()
    order = np.random.default_rng(1).permutation(len(unit.train))
    shuffled = UnitVectors("fan", unit.train.take(order), unit.test, unit.is_target[order])
    train, test, _ = scored(spelling, shuffled)
    np.testing.assert_allclose(test, scored(spelling, unit)[1], **CLOSE)
    np.testing.assert_allclose(train, scored(spelling, unit)[0][order], **CLOSE)


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.floats(0.1, 10))
def test_the_length_of_vectors_changes_no_score_of_directions(seed: int, c: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(24, 5)) + 1
    of = [
        UnitVectors(
            "fan", Vectors.of(k * x[:20], np.arange(20)), Vectors.of(k * x[20:], np.arange(20, 24)), np.arange(20) > 14
        )
        for k in (1.0, c)
    ]
    for spelling in ("gwrp", "lof:k=3", "domain-zscore", "domain-density:k_source=3,k_target=2"):
        one, other = (SCORERS.build(spelling).fit(unit).score(unit.test) for unit in of)
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    "spelling",
    ["gwrp", "gwrp:form=difference", "difference", "cluster-exit:k=6", "varmin:k=6,exit=0.2", "domain-density"],
)
def test_the_least_of_what_explains_a_score_is_the_score(spelling: str) -> None:
    unit = make_unit(n_target=8, windows=2)
    fitted = SCORERS.build(spelling).fit(unit)
    for windows in (unit.test, unit.train):
        found = terms(fitted, windows)
        assert found is not None and found.clip.shape == found.b.shape[1:]
        assert np.array_equal(found.adjusted.min(axis=1), fitted.score(windows))
    alone = replace(unit, train=unit.train.take(np.arange(2)), is_target=np.zeros(2, bool))
    assert terms(SCORERS.build(spelling).fit(alone), unit.test) is None


def test_the_alpha_of_all_neighbours_is_that_of_no_exit() -> None:
    unit = make_unit()
    assert scored("varmin:k=4", unit)[2]["alpha"] == pytest.approx(alpha_brute(unit.train, unit.train, 4, True))
    assert "k_mean" in scored("varmin:k=4,exit=0.1", unit)[2] and "k_mean" not in scored("varmin:k=4", unit)[2]
