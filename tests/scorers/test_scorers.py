"""Score back-ends against plain loops written from the equations, their laws, and their edges."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.errors import UsageError
from asdcli.scorers import DEFAULT, PAPER, SCORERS
from asdcli.scorers.groups import Groups
from asdcli.scorers.kmeans import cluster
from asdcli.scorers.local_scale import LocalScale
from asdcli.scorers.reference import Reference
from asdcli.scorers.rules import RULES
from asdcli.scorers.scaled import scale_floor
from asdcli.scorers.smallest import smallest
from asdcli.scorers.smote import Smote, segment_ends, synthesise
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.validation import choose, representatives
from asdcli.scorers.varmin import VarMin, alpha_sweep, slope
from asdcli.scorers.vectors import Vectors, unit_norm

# 1e-9 absolute: distances lie in [0, 1] and float64 sums of a few products differ by 1e-16; ratios divide by b > 1e-3
CLOSE = {"rtol": 1e-9, "atol": 1e-9}


def make_unit(
    n_source: int = 24,
    n_target: int = 5,
    n_test: int = 11,
    n_dims: int = 6,
    seed: int = 0,
    windows: int = 1,
    duplicates: int = 0,
) -> UnitVectors:
    """Two source clusters of different density, a sparse target cluster, and test clips of all three."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((3, n_dims))

    def draw(n: int, which: int) -> np.ndarray:
        return centres[which] + (0.2, 0.7, 1.0)[which] * rng.standard_normal((n, n_dims))

    half = n_source // 2
    train = np.concatenate([draw(half, 0), draw(n_source - half, 1), draw(n_target, 2)])
    train[1 : 1 + duplicates] = train[0]
    test = np.concatenate([draw(n_test // 3, 0), draw(n_test // 3, 1), draw(n_test - 2 * (n_test // 3), 2)])
    n = len(train)

    def spread(x: np.ndarray) -> np.ndarray:
        return unit_norm(
            np.repeat(x, windows, axis=0) + (windows > 1) * 0.05 * rng.standard_normal((len(x) * windows, n_dims))
        )

    return UnitVectors(
        name="fan",
        train=Vectors(spread(train), np.repeat(np.arange(n), windows)),
        test=Vectors(spread(test), np.repeat(n + np.arange(n_test), windows)),
        is_target=np.repeat(np.arange(n) >= n_source, windows),
        seed=3,
    )


# ---------------------------------------------------------------------------------------------------------------------
# The independent implementation: loops over clips, no shared code, no tricks.


def dist(x: np.ndarray, y: np.ndarray) -> float:
    return max(0.0, (1.0 - sum(float(a) * float(b) for a, b in zip(x, y, strict=True))) / 2.0)


def scale_brute(ref: Vectors, y: int, k: int, left_out: int | None, euclid: bool = False) -> float:
    """Eq. 4: mean distance of row y to its k nearest rows of other clips, `left_out` not among them."""
    d = []
    for j in range(len(ref)):
        if ref.clip[j] != ref.clip[y] and ref.clip[j] != left_out:
            one = dist(ref.x[y], ref.x[j])
            d.append(math.sqrt(one) if euclid else one)
    d.sort()
    return sum(d[:k]) / len(d[:k])


def alpha_brute(ref: Vectors, val: Vectors, k: int, strict: bool, g=lambda t: t) -> float:
    u, v = [], []
    for z in range(len(val)):
        best, best_y = math.inf, -1
        for y in range(len(ref)):
            if ref.clip[y] != val.clip[z] and dist(val.x[z], ref.x[y]) < best:
                best, best_y = dist(val.x[z], ref.x[y]), y
        u.append(g(best))
        v.append(g(scale_brute(ref, best_y, k, val.clip[z] if strict else None)))
    mu, mv = sum(u) / len(u), sum(v) / len(v)
    cov = sum((a - mu) * (b - mv) for a, b in zip(u, v, strict=True))
    return cov / sum((b - mv) ** 2 for b in v)


def scores_brute(ref: Vectors, queries: Vectors, k: int, strict: bool, combine, euclid: bool = False) -> np.ndarray:
    """min over rows y of other clips of combine(D(x, y), b(y)); b without the query's clip where `strict`."""
    out = []
    for x, clip in zip(queries.x, queries.clip, strict=True):
        best = math.inf
        for y in range(len(ref)):
            if ref.clip[y] == clip:
                continue
            d = dist(x, ref.x[y])
            b = scale_brute(ref, y, k, clip if strict else None, euclid)
            best = min(best, combine(math.sqrt(d) if euclid else d, b))
        out.append(best)
    return np.array(out)


def nearest_brute(ref: Vectors, queries: Vectors, k: int = 1) -> np.ndarray:
    out = []
    for x, clip in zip(queries.x, queries.clip, strict=True):
        d = sorted(dist(x, ref.x[y]) for y in range(len(ref)) if ref.clip[y] != clip)[:k]
        out.append(sum(d) / len(d))
    return np.array(out)


def scored(spelling: str, unit: UnitVectors) -> tuple[np.ndarray, np.ndarray, dict]:
    fitted = SCORERS.build(spelling).fit(unit)
    return fitted.score(unit.train), fitted.score(unit.test), fitted.diagnostics


# ---------------------------------------------------------------------------------------------------------------------
# Agreement


@pytest.mark.parametrize("k", [1, 3, 28, 50])
@pytest.mark.parametrize("windows", [1, 2])
def test_nn_equals_plain_loops(k: int, windows: int) -> None:
    unit = make_unit(windows=windows)
    train, test, _ = scored(f"nn:k={k}", unit)
    np.testing.assert_allclose(train, nearest_brute(unit.train, unit.train, k), **CLOSE)
    np.testing.assert_allclose(test, nearest_brute(unit.train, unit.test, k), **CLOSE)


@pytest.mark.parametrize("form", ["ratio", "difference"])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize(("k", "windows"), [(1, 1), (4, 1), (16, 1), (28, 1), (60, 1), (4, 3)])
def test_rescale_equals_plain_loops(form: str, metric: str, k: int, windows: int) -> None:
    unit = make_unit(n_source=24 // windows, windows=windows)
    train, test, _ = scored(f"rescale:k={k},form={form},metric={metric}", unit)
    combine = (lambda d, b: d / b) if form == "ratio" else (lambda d, b: d - b)
    for got, queries in ((train, unit.train), (test, unit.test)):
        np.testing.assert_allclose(
            got, scores_brute(unit.train, queries, k, True, combine, metric == "euclidean"), **CLOSE
        )


@pytest.mark.parametrize("loo", ["strict", "loose"])
@pytest.mark.parametrize("space", ["id", "log"])
@pytest.mark.parametrize("val", ["train-all", "train-random", "train-cluster", "test-all"])
@pytest.mark.parametrize(("k", "windows"), [(1, 1), (4, 1), (28, 1), (60, 1), (4, 3)])
def test_varmin_equals_plain_loops(loo: str, space: str, val: str, k: int, windows: int) -> None:
    unit = make_unit(n_source=18 // windows, n_test=8, windows=windows, seed=k)
    train, test, found = scored(f"varmin:k={k},val={val},loo={loo},space={space}", unit)
    g = (lambda t: t) if space == "id" else math.log
    strict = loo == "strict"
    sets = {"train-all": unit.train, "test-all": unit.test}
    x_val = sets.get(val) or choose(unit, val).draws[0]  # what the two drawn sets hold has tests of its own
    alpha = alpha_brute(unit.train, x_val, k, strict, g)
    assert found["alpha"] == pytest.approx(alpha, rel=1e-9)
    assert found["n_val"] == len(x_val)
    for got, queries in ((train, unit.train), (test, unit.test)):
        expected = scores_brute(unit.train, queries, k, strict, lambda d, b: g(d) - alpha * g(b))
        np.testing.assert_allclose(got, expected, **CLOSE)


def test_kmeans_equals_plain_loops_over_centroids_of_sklearn() -> None:
    from sklearn.cluster import KMeans

    unit = make_unit(n_source=40)
    source, target = unit.train.take(~unit.is_target), unit.train.take(unit.is_target)
    centres = KMeans(7, n_init=10, random_state=unit.seed_for("kmeans")).fit(source.x).cluster_centers_
    for renormalise in (True, False):
        kept = centres / np.linalg.norm(centres, axis=1, keepdims=True) if renormalise else centres
        ref = Vectors(np.concatenate([kept, target.x]), np.concatenate([-1 - np.arange(7), target.clip]))
        train, test, found = scored(f"kmeans:clusters=7,renormalise={renormalise}", unit)
        np.testing.assert_allclose(train, nearest_brute(ref, unit.train), **CLOSE)
        np.testing.assert_allclose(test, nearest_brute(ref, unit.test), **CLOSE)
        assert (found["clusters"], found["n_reference"]) == (7, 12)


def test_smote_equals_plain_loops_over_the_same_points_and_leaves_out_what_a_clip_made() -> None:
    unit = make_unit(n_source=60, n_target=6)
    target = unit.train.take(unit.is_target)
    points = synthesise(target.x, 30 - 6, 5, seed=unit.seed_for("smote"))
    ends = segment_ends(points, target.x, 5)
    made = unit_norm(points)
    train, test, found = scored("smote:ratio=0.5", unit)
    assert found["n_synthetic"] == 24
    everything = Vectors(np.concatenate([unit.train.x, made]), np.concatenate([unit.train.clip, -1 - np.arange(24)]))
    np.testing.assert_allclose(test, nearest_brute(everything, unit.test), **CLOSE)
    expected = []
    for x, clip in zip(unit.train.x, unit.train.clip, strict=True):
        d = [dist(x, y) for y, c in zip(unit.train.x, unit.train.clip, strict=True) if c != clip]
        d += [dist(x, p) for p, (a, b) in zip(made, ends, strict=True) if clip not in target.clip[[a, b]]]
        expected.append(min(d))
    np.testing.assert_allclose(train, expected, **CLOSE)


def test_smote_points_lie_between_target_points_and_make_the_ratio() -> None:
    unit = make_unit(n_source=99, n_target=4, n_dims=8)
    target = unit.train.x[unit.is_target]
    for ratio, expected in ((0.05, 0), (0.07, 2), (0.5, 45)):
        found = Smote(ratio=ratio).fit(unit).diagnostics
        assert found["n_synthetic"] == expected == max(math.floor(ratio * 99) - 4, 0)
    for point in synthesise(target, 49 - 4, 3, seed=1):
        excess = min(
            np.linalg.norm(point - a) + np.linalg.norm(point - b) - np.linalg.norm(a - b)
            for a, b in itertools.combinations(target, 2)
        )
        assert excess < 1e-9


def test_train_random_holds_all_target_clips_and_as_many_drawn_source_clips() -> None:
    unit = make_unit(n_source=40, n_target=5)
    drawn = choose(unit, "train-random", n_draws=3).draws
    for one in drawn:
        assert list(one.clip[-5:]) == [40, 41, 42, 43, 44]
        assert len(set(one.clip)) == 10
    assert len({tuple(one.clip) for one in drawn}) == 3
    again = choose(make_unit(n_source=40, n_target=5), "train-random").draws[0]
    assert list(again.clip) == list(drawn[0].clip)
    few = choose(make_unit(n_source=3, n_target=5), "train-random").draws[0]
    assert len(few) == 8


def test_train_cluster_holds_the_source_clip_closest_to_each_centroid() -> None:
    from sklearn.cluster import KMeans

    unit = make_unit(n_source=40, n_target=5)
    x = unit.train.x[~unit.is_target]
    lloyd = KMeans(5, n_init=10, random_state=unit.seed_for("train-cluster")).fit(x)
    expected = []
    for c in range(5):
        centre = lloyd.cluster_centers_[c] / np.linalg.norm(lloyd.cluster_centers_[c])
        members = [i for i in range(40) if lloyd.labels_[i] == c]
        expected.append(min(members, key=lambda i: (dist(x[i], centre), i)))
    assert list(choose(unit, "train-cluster").draws[0].clip) == [*sorted(expected), 40, 41, 42, 43, 44]


def test_train_cluster_takes_as_many_clusters_as_a_section_has_target_clips() -> None:
    unit = make_unit(n_source=40, n_target=18)
    of_2021 = UnitVectors("pump", unit.train, unit.test, unit.is_target, n_sections=6)
    assert len(choose(of_2021, "train-cluster").draws[0]) == 18 + 3
    assert len(choose(unit, "train-cluster").draws[0]) == 18 + 18
    assert len(choose(of_2021, "train-cluster", clusters=7).draws[0]) == 18 + 7


def test_averaged_draws_give_the_mean_of_their_alphas() -> None:
    unit = make_unit()
    alphas = [alpha_brute(unit.train, d, 4, True) for d in choose(unit, "train-random", n_draws=3).draws]
    assert VarMin(4, "train-random", n_draws=3).fit(unit).diagnostics["alpha"] == pytest.approx(np.mean(alphas))


# ---------------------------------------------------------------------------------------------------------------------
# Laws

numbers = st.floats(-10, 10, allow_nan=False).map(lambda t: round(t, 6))
pairs = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=30)


@settings(max_examples=60, deadline=None)
@given(pairs, st.floats(-3, 3))
def test_no_weight_gives_less_variance_than_the_closed_form(points: list[tuple[float, float]], other: float) -> None:
    u, v = np.array(points).T
    alpha = slope(u, v)["alpha"]
    least = np.var(u - alpha * v)
    slack = 1e-9 * (1 + np.var(u))
    assert least <= np.var(u) + slack
    assert least <= np.var(u - other * v) + slack or slope(u, v)["rule"] == "flat-scale"


@settings(max_examples=40, deadline=None)
@given(pairs, st.floats(0.01, 100))
def test_scaling_all_distances_leaves_alpha(points: list[tuple[float, float]], c: float) -> None:
    u, v = np.array(points).T
    one, other = slope(u, v), slope(c * u, c * v)
    if one["rule"] is None and other["rule"] is None and np.std(v) > 1e-3:
        assert other["alpha"] == pytest.approx(one["alpha"], rel=1e-6, abs=1e-9)


def test_the_closed_form_is_the_best_of_a_grid() -> None:
    unit = make_unit(n_source=60, n_test=30)
    fitted = VarMin(8, "test-all").fit(unit)
    (points,) = VarMin(8, "test-all").points(unit)
    u, v = points.u, points.v
    grid = np.arange(-3, 3, 1e-4)
    best = grid[np.argmin([np.var(u - a * v) for a in grid])]
    assert fitted.diagnostics["alpha"] == pytest.approx(best, abs=1e-4)
    assert fitted.diagnostics["variance_after"] <= fitted.diagnostics["variance_before"]
    r = np.corrcoef(u, v)[0, 1]
    assert fitted.diagnostics["correlation"] == pytest.approx(r)
    assert fitted.diagnostics["variance_after"] == pytest.approx(np.var(u) * (1 - r**2))


def test_alpha_zero_is_the_baseline_to_the_bit() -> None:
    unit = make_unit()
    for got, expected in zip(scored("varmin:alpha=0", unit)[:2], scored("nn", unit)[:2], strict=True):
        np.testing.assert_array_equal(got, expected)


def test_alpha_one_in_log_space_is_the_logarithm_of_ratio_rescaling() -> None:
    unit = make_unit()
    for a, b in zip(scored("varmin:k=4,alpha=1,space=log", unit)[:2], scored("rescale:k=4", unit)[:2], strict=True):
        np.testing.assert_allclose(np.exp(a), b, **CLOSE)


def test_alpha_sweep_equals_scoring_with_each_weight() -> None:
    unit = make_unit()
    alphas = np.array([-0.5, 0.0, 0.3, 1.0, 2.0])
    for space in ("id", "log"):
        for queries in (unit.train, unit.test):
            swept = alpha_sweep(unit.reference, queries, alphas, k=4, space=space)
            for row, alpha in zip(swept, alphas, strict=True):
                single = VarMin(4, alpha=float(alpha), space=space).fit(unit).score(queries)
                np.testing.assert_allclose(row, single, rtol=1e-12, atol=1e-12)


def test_strict_equals_loose_where_no_validation_clip_is_a_neighbour_of_its_nearest() -> None:
    # k = 1 and a chain of growing steps: the nearest of each clip is the one before it, whose own nearest is another
    angles = np.cumsum([0.0, 0.01, 0.015, 0.03, 0.06, 0.12, 0.24])
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    train = Vectors(x, np.arange(7))
    chain = UnitVectors("fan", train, Vectors(x[:0], np.arange(0)), np.zeros(7, bool))
    val = train.take(np.arange(2, 7))
    scale = LocalScale.of(chain.reference, 1)
    nearest = Reference(train).nearest(train)[0][2:]
    np.testing.assert_array_equal(nearest, [1, 2, 3, 4, 5])
    np.testing.assert_allclose(scale.without(val.clip, nearest), scale.full[nearest], rtol=1e-12)
    # and differs for the first two, which are each other's nearest
    assert scale.without(np.array([0]), np.array([1]))[0] > scale.full[1]


def test_order_of_references_changes_no_test_score() -> None:
    unit = make_unit()
    order = np.random.default_rng(1).permutation(len(unit.train))
    shuffled = UnitVectors("fan", unit.train.take(order), unit.test, unit.is_target[order])
    for spelling in ("nn", "rescale:k=8", "varmin:k=8,val=train-all", "varmin:k=8,val=test-all"):
        np.testing.assert_allclose(scored(spelling, shuffled)[1], scored(spelling, unit)[1], **CLOSE)


def test_memory_of_past_distances_changes_nothing() -> None:
    unit = make_unit(n_source=300)
    kept, fresh = Reference(unit.train, keep=True), Reference(unit.train)
    for _ in range(2):
        for reference in (kept, fresh):
            np.testing.assert_array_equal(reference.neighbours(5)[0], kept.neighbours(5)[0])
            np.testing.assert_array_equal(reference.nearest(unit.test)[1], kept.nearest(unit.test)[1])
    assert kept._kept
    assert not fresh._kept


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4000), st.integers(1, 20), st.integers(0, 10**6), st.booleans())
def test_the_smallest_entries_of_a_row_are_those_of_a_full_sort(n: int, m: int, seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    d = rng.integers(0, 5, (2, n)).astype(float) if ties else rng.random((2, n))
    d[:, rng.random(n) < 0.1] = np.inf
    m = min(m, n)
    columns, values = smallest(d, m)
    expected = np.argsort(d, axis=1, kind="stable")[:, :m]
    np.testing.assert_array_equal(columns, expected)
    np.testing.assert_array_equal(values, np.take_along_axis(d, expected, axis=1))


def test_groups_give_every_value_under_a_key() -> None:
    i, values = Groups(np.array([3, 1, 3, -1]), np.array([10, 11, 12, 13])).of(np.array([3, 2, 1, 3]))
    assert list(zip(i, values, strict=True)) == [(0, 10), (0, 12), (2, 11), (3, 10), (3, 12)]


# ---------------------------------------------------------------------------------------------------------------------
# Edges


def test_duplicate_clips_score_lowest_and_never_divide_by_zero() -> None:
    unit = make_unit(duplicates=6)
    same_as_reference = Vectors(unit.train.x[:1], np.array([999]))
    others = nearest_brute(unit.train, unit.test).argmin()
    for spelling in ("nn", "rescale:k=4", "rescale:k=4,metric=euclidean", "varmin:k=4,space=log", "varmin:k=4"):
        fitted = SCORERS.build(spelling).fit(unit)
        assert np.isfinite(fitted.score(unit.train)).all(), spelling
        assert np.isfinite(fitted.score(unit.test)).all(), spelling
        if spelling != "varmin:k=4":
            assert fitted.score(same_as_reference)[0] < fitted.score(unit.test)[others], spelling
    fitted = SCORERS.build("rescale:k=4").fit(unit)
    assert fitted.diagnostics["n_floored"] == 7
    assert fitted.diagnostics["rules"] == ["scale-floored"]
    assert fitted.score(same_as_reference)[0] == 0.0


def test_the_floor_of_the_scale_is_a_thousandth_of_the_median_above_zero() -> None:
    assert scale_floor(np.array([0.0, 0.5, 0.1, 0.3])) == pytest.approx(3e-4, rel=1e-15)
    assert scale_floor(np.zeros(3)) == 1e-12


def test_all_clips_alike_fall_back_to_alpha_zero() -> None:
    x = np.tile([[1.0, 0.0]], (20, 1))
    unit = UnitVectors("fan", Vectors(x, np.arange(20)), Vectors(-x[:3], 20 + np.arange(3)), np.arange(20) > 14)
    for spelling in PAPER:
        train, test, _ = scored(spelling, unit)
        assert np.isfinite(train).all(), spelling
        assert np.isfinite(test).all(), spelling
        assert (train < test.min()).all(), spelling
    found = scored("varmin:k=4", unit)[2]
    assert (found["alpha"], found["rules"]) == (0.0, ["flat-scale"])


@pytest.mark.parametrize(
    ("spelling", "unit", "rules"),
    [
        ("kmeans", {"n_target": 0}, ["no-target"]),
        ("kmeans", {"n_source": 0}, ["no-source"]),
        ("kmeans:clusters=30", {}, ["clusters-reduced"]),
        ("smote", {"n_target": 0}, ["no-target"]),
        ("smote:ratio=0.5", {"n_target": 1}, ["single-target"]),
        ("smote:ratio=0.5", {"n_target": 2}, ["smote-k-reduced"]),
        ("smote:ratio=0.5", {"n_target": 3}, ["smote-k-reduced"]),
        ("smote", {}, ["ratio-met"]),
        ("smote", {"n_source": 0}, ["no-source"]),
        ("varmin:k=4,val=train-random", {"n_target": 0}, ["no-target", "val-train-all"]),
        ("varmin:k=4,val=train-cluster", {"n_source": 0}, ["no-source", "val-train-all"]),
        ("varmin:k=4,val=train-random", {"n_target": 1}, ["few-validation"]),
        ("varmin:k=4,val=train-cluster", {"n_target": 1}, ["few-validation"]),
        ("varmin:k=4,val=train-cluster", {"n_source": 3}, ["clusters-reduced"]),
        ("varmin:k=4,val=test-all", {"n_test": 2}, ["few-validation"]),
        ("varmin:k=40", {}, ["k-reduced"]),
        ("rescale:k=40", {}, ["k-reduced"]),
        ("nn:k=40", {}, ["k-reduced"]),
        ("varmin:k=4,alpha_range=5..6", {}, ["alpha-clipped"]),
        ("varmin:k=4", {"n_source": 1, "n_target": 0}, ["single-reference"]),
        ("rescale:k=4", {"n_source": 1, "n_target": 0}, ["single-reference"]),
    ],
)
def test_a_fallback_is_taken_and_named(spelling: str, unit: dict[str, int], rules: list[str]) -> None:
    given_unit = make_unit(**unit)
    train, test, found = scored(spelling, given_unit)
    assert found["rules"] == rules
    assert set(rules) <= set(RULES)
    assert np.isfinite(test).all()
    assert len(test) == len(given_unit.test)
    if len(given_unit.train) > 1:
        assert np.isfinite(train).all()


def test_fallbacks_to_the_baseline_score_as_the_baseline() -> None:
    for spelling, size in (
        ("varmin:k=4,val=train-random", {"n_target": 1}),
        ("varmin:k=4", {"n_source": 1, "n_target": 0}),
        ("rescale:k=4", {"n_source": 1, "n_target": 0}),
        ("smote:ratio=0.5", {"n_target": 1}),
    ):
        unit = make_unit(**size)
        np.testing.assert_array_equal(scored(spelling, unit)[1], scored("nn", unit)[1])
    unit = make_unit(n_target=0)
    np.testing.assert_array_equal(scored("varmin:val=train-cluster", unit)[1], scored("varmin", unit)[1])


def test_the_only_training_clip_has_no_leave_one_out_score() -> None:
    unit = make_unit(n_source=1, n_target=0, windows=3)
    for spelling in ("nn", "rescale", "varmin"):
        assert np.isinf(scored(spelling, unit)[0]).all()


def test_k_of_all_other_clips_averages_all_other_clips() -> None:
    unit = make_unit()
    n = len(unit.train)
    for spelling in ("rescale:k={}", "varmin:k={}"):
        enough = SCORERS.build(spelling.format(n - 1)).fit(unit)
        more = SCORERS.build(spelling.format(n)).fit(unit)
        assert (enough.diagnostics["k"], more.diagnostics["k"]) == (n - 1, n - 1)
        np.testing.assert_array_equal(enough.score(unit.test), more.score(unit.test))


def test_a_zero_vector_is_halfway_from_everything() -> None:
    unit = make_unit()
    zero = Vectors(unit_norm(np.zeros((1, 6))), np.array([999]))
    assert SCORERS.build("nn").fit(unit).score(zero)[0] == 0.5


def test_unknown_domains_count_as_source_and_are_named() -> None:
    unit = make_unit(n_target=0)
    blind = UnitVectors("fan", unit.train, unit.test, unit.is_target, unknown_domain=True)
    for spelling in ("kmeans", "smote", "varmin:val=train-random"):
        assert "unknown-domain" in scored(spelling, blind)[2]["rules"]
    for spelling in ("nn", "rescale", "varmin", "varmin:val=test-all"):
        assert scored(spelling, blind)[2]["rules"] == []


def test_winsorising_caps_the_scale_of_an_isolated_reference() -> None:
    # Sec. 4.2 of the paper, Fig. 3: one reference far from all others lowers the scores of everything near it
    unit = make_unit(n_source=40, n_target=0)
    x = np.concatenate([unit.train.x, unit_norm(-unit.train.x[:1])])
    isolated = UnitVectors("pump", Vectors(x, np.arange(41)), unit.test, np.zeros(41, bool))
    near_it = Vectors(unit_norm(x[-1:] + 0.2), np.array([999]))
    plain = VarMin(8, alpha=1.0).fit(isolated).score(near_it)[0]
    capped = VarMin(8, alpha=1.0, winsorise=0.9).fit(isolated).score(near_it)[0]
    b = LocalScale.of(isolated.reference, 8).full
    assert b.argmax() == 40
    assert capped - plain == pytest.approx(b[40] - np.quantile(b, 0.9))


def test_clusters_do_not_depend_on_the_number_of_threads() -> None:
    from threadpoolctl import threadpool_limits

    x = make_unit(n_source=400).train.x
    found = []
    for n in (1, 2):
        with threadpool_limits(n):
            found.append(cluster(x, 9, seed=1)[0])
    np.testing.assert_array_equal(*found)
    assert len(representatives(x, 9, seed=1)) == 9


def test_seeds_differ_by_unit_purpose_and_seed_and_stay_the_same_between_runs() -> None:
    unit = make_unit()
    other = UnitVectors("pump", unit.train, unit.test, unit.is_target, seed=3)
    seeds = [unit.seed_for("smote"), unit.seed_for("kmeans"), other.seed_for("smote")]
    assert len(set(seeds)) == 3
    assert unit.seed_for("smote") == 2621618741


# ---------------------------------------------------------------------------------------------------------------------
# Spellings


def test_the_papers_thirteen_methods_are_canonical_and_distinct() -> None:
    assert len(set(PAPER)) == 13
    assert [SCORERS.spell(SCORERS.build(s)) for s in PAPER] == list(PAPER)
    assert SCORERS.spell(SCORERS.build("varmin")) == DEFAULT


@pytest.mark.parametrize(
    ("spelling", "words"),
    [
        ("varmni", "did you mean 'varmin'"),
        ("varmin:val=test-al", "did you mean 'test-all'"),
        ("varmin:k=0", "varmin:k must be at least 1, got 0"),
        ("varmin:k=two", "whole number"),
        ("nn:val=test-all", "has no parameter 'val'"),
        ("varmin:alpha_range=1..0", "LOW..HIGH"),
        ("varmin:alpha_range=a..b", "LOW..HIGH"),
        ("varmin:alpha_range=5", "for example alpha_range=0..1"),
        ("varmin:alpha=inf", "finite"),
        ("varmin:winsorise=1.5", "above 0 and at most 1"),
        ("smote:ratio=0", "above 0 and at most 1"),
        ("kmeans:clusters=0", "kmeans:clusters must be at least 1"),
        ("kmeans:n_init=0", "kmeans:n_init must be at least 1"),
        ("smote:k=0", "smote:k must be at least 1"),
        ("rescale:form=quotient", "known: difference, ratio"),
    ],
)
def test_a_wrong_spelling_is_refused_with_a_hint(spelling: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        SCORERS.build(spelling)
    assert words in f"{caught.value.message} {caught.value.hint}"
