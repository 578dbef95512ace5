"""Bootstrap intervals: the draws, their coverage, the paired comparison, and the time they take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asdcli.metrics import bootstrap
from asdcli.metrics.official import SectionScores, measure, official
from asdcli.metrics.specs import SPECS, MetricSpec, Term

SPEC = SPECS["dcase2022"]


def sections(seed, n_machines=2, n=50, shift=1.0):
    """`n` clips for each of domain and condition; anomalies score `shift` higher."""
    rng = np.random.default_rng(seed)
    anomalous, domain = np.tile([False, True], 2 * n), np.repeat(["source", "target"], 2 * n)
    return [
        SectionScores(f"m{m}", "00", rng.normal(size=4 * n) + shift * anomalous, anomalous, domain)
        for m in range(n_machines)
    ]


def score(these):
    return official(SPEC, measure(SPEC, these))


def samples(these, n_resamples=400, seed=0):
    return bootstrap.resampled_scores(SPEC, these, n_resamples=n_resamples, seed=seed)


def test_a_resample_is_the_official_score_of_clips_written_out_as_often_as_drawn():
    these = sections(1)
    drawn = samples(these, n_resamples=5)
    for r in range(5):
        written_out = []
        for s in these:
            counts = next(bootstrap._draws(s, 5, 0))[r].astype(int)
            written_out.append(
                replace(
                    s,
                    scores=np.repeat(s.scores, counts),
                    anomalous=np.repeat(s.anomalous, counts),
                    domain=np.repeat(s.domain, counts),
                )
            )
        assert drawn[r] == pytest.approx(score(written_out), abs=1e-12)


def test_every_draw_keeps_the_number_of_clips_of_each_domain_and_condition():
    s = sections(2, n_machines=1)[0]
    counts = next(bootstrap._draws(s, 30, 0))
    for domain in ("source", "target"):
        for anomalous in (False, True):
            assert (counts[:, (s.domain == domain) & (s.anomalous == anomalous)].sum(1) == 50).all()
    assert counts.std() > 0.5


def test_blocks_of_resamples_are_as_many_as_asked_for(monkeypatch):
    monkeypatch.setattr(bootstrap, "_CELLS", 1000)
    s = sections(2, n_machines=1)[0]
    assert [len(b) for b in bootstrap._draws(s, 12, 0)] == [5, 5, 2]


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    these = sections(3)
    assert np.array_equal(samples(these), samples(these))
    assert not np.array_equal(samples(these), samples(these, seed=1))


def test_the_interval_covers_the_true_score_about_as_often_as_it_says():
    # the true score is that of a sample so large that its own spread is nothing
    truth = score(sections(99, n_machines=1, n=100_000))
    hits = 0
    for seed in range(60):
        low, high = bootstrap.interval(samples(sections(seed, n_machines=1), n_resamples=200))
        hits += low <= truth <= high
    assert 51 <= hits <= 60  # 0.95 * 60 = 57; fewer than 51 has a chance below 1 in 100


def test_a_method_compared_with_itself_differs_by_nothing():
    these = sections(4)
    result = bootstrap.compare(SPEC, these, these, 0.0, n_resamples=100, seed=0)
    assert (result.difference, result.low, result.high, result.p) == (0, 0, 0, 1)


def test_a_better_method_is_told_apart_and_pairing_makes_the_interval_narrow():
    a = sections(5, n=300, shift=1.0)
    rng = np.random.default_rng(0)
    b = [replace(s, scores=s.scores + 0.7 * rng.normal(size=len(s.scores))) for s in a]
    difference = score(a) - score(b)
    result = bootstrap.compare(SPEC, a, b, difference, n_resamples=400, seed=0)
    assert result.low < difference < result.high and result.low > 0
    assert result.p == pytest.approx(2 / 401)
    unpaired = bootstrap.interval(samples(a, seed=1) - samples(b, seed=2))
    assert result.high - result.low < 0.9 * (unpaired[1] - unpaired[0])


def test_comparing_turned_around_turns_the_sign_and_keeps_p():
    a, b = sections(6, shift=0.9), sections(6, shift=0.8)
    d = score(a) - score(b)
    one = bootstrap.compare(SPEC, a, b, d, n_resamples=200, seed=0)
    other = bootstrap.compare(SPEC, b, a, -d, n_resamples=200, seed=0)
    assert (one.low, one.p) == (pytest.approx(-other.high), other.p)


def test_methods_on_different_clips_are_not_compared():
    a = sections(7)
    b = [replace(a[0], anomalous=~a[0].anomalous), a[1]]
    with pytest.raises(ValueError, match="m0"):
        bootstrap.compare(SPEC, a, b, 0.0, n_resamples=10, seed=0)


def test_nothing_defined_is_refused():
    s = sections(8, n_machines=1)[0]
    with pytest.raises(ValueError, match="nothing to resample"):
        samples([replace(s, anomalous=np.zeros(200, bool))])


def without_spread(*levels):
    """Sections in which every resample is the test set: each domain and condition has one score; two are of m0."""
    anomalous, domain = np.tile([False, True], 10), np.repeat(["source", "target"], 10)
    places = (("m0", "00"), ("m0", "01"), ("m1", "00"))
    return [
        SectionScores(*place, np.where(anomalous, 0.5, np.where(domain == "source", *of)), anomalous, domain)
        for place, of in zip(places, levels, strict=True)
    ]


@pytest.mark.parametrize("name", SPECS)
def test_a_resample_of_clips_that_are_all_alike_is_the_official_score(name):
    these = without_spread((0.0, 0.6), (0.0, 0.1), (0.6, 0.2))
    found = bootstrap.resampled_scores(SPECS[name], these, n_resamples=3, seed=0)
    assert found == pytest.approx([official(SPECS[name], measure(SPECS[name], these))] * 3, rel=1e-12)


def test_a_comparison_ends_the_partial_area_where_it_is_told_to():
    a, b = without_spread((0.0, 0.6), (0.0, 0.1), (0.6, 0.2)), without_spread((0.0, 0.1), (0.0, 0.1), (0.0, 0.1))
    spec, observed = SPECS["dcase2020"], []  # an arithmetic mean, in which no area drowns the others
    for max_fpr in (0.1, 0.7):
        one, other = (official(spec, measure(spec, s, max_fpr=max_fpr)) for s in (a, b))
        found = bootstrap.compare(spec, a, b, one - other, n_resamples=5, seed=0, max_fpr=max_fpr)
        assert (found.low, found.high) == pytest.approx((one - other, one - other), rel=1e-12)
        observed.append(one - other)
    assert observed[0] != pytest.approx(observed[1])


def of_seeds(n_seeds, n=25, spread=0.5):
    """The same clips of two machines scored by several seeds, some of which are better than others."""
    rng = np.random.default_rng(11)
    base = sections(7, n=n)
    return [
        [replace(s, scores=s.scores + spread * rng.normal(size=len(s.scores)) + (i % 3) * s.anomalous) for s in base]
        for i in range(n_seeds)
    ]


def drawn_slowly(seeds, n_resamples, rng):
    """Clips and seeds drawn one resample after the other, clips written out, areas by counting pairs."""
    found = []
    for _ in range(n_resamples):
        clips = [
            np.concatenate(
                [
                    rng.choice(np.flatnonzero((s.domain == d) & (s.anomalous == a)), size=25)
                    for d in ("source", "target")
                    for a in (False, True)
                ]
            )
            for s in seeds[0]
        ]
        scores = []
        for i in rng.integers(len(seeds), size=len(seeds)):
            areas = []
            for s, chosen in zip(seeds[i], clips, strict=True):
                x, y = s.scores[chosen], s.anomalous[chosen]
                above = x[y][:, None] - x[~y]
                areas.append((above > 0).mean() + (above == 0).mean() / 2)
            scores.append(np.mean(areas))
        found.append(np.mean(scores))
    return np.array(found)


def test_clips_and_seeds_drawn_together_spread_as_in_a_plain_loop():
    seeds, spec = of_seeds(4), MetricSpec("auc", (Term("auc", "AUC"),), mean="arithmetic")
    of_each = np.stack([bootstrap.resampled_scores(spec, s, n_resamples=2000, seed=0) for s in seeds])
    fast, slow = bootstrap.over_seeds(of_each, seed=0), drawn_slowly(seeds, 2000, np.random.default_rng(3))
    assert fast.mean() == pytest.approx(slow.mean(), abs=0.1 * slow.std())
    assert fast.std() == pytest.approx(slow.std(), rel=0.1)  # the standard error of a spread of 2000 is 1.6 %
    # an end of the interval has a standard error of about 0.06 of the spread, in each of the two
    assert bootstrap.interval(fast) == pytest.approx(bootstrap.interval(slow), abs=0.3 * slow.std())
    assert fast.std() > 1.2 * of_each.mean(axis=0).std()  # of clips alone: seeds add theirs


def test_of_one_seed_only_the_clips_are_drawn_and_of_clips_that_are_alike_only_the_seeds():
    drawn = np.random.default_rng(0).random((1, 50))
    assert np.array_equal(bootstrap.over_seeds(drawn, seed=0), drawn[0])
    alike = np.repeat([[0.0], [1.0]], 4000, axis=1)
    means, counts = np.unique(bootstrap.over_seeds(alike, seed=0), return_counts=True)
    assert means.tolist() == [0.0, 0.5, 1.0]  # none, one or both of two draws are the second seed
    assert counts / 4000 == pytest.approx([0.25, 0.5, 0.25], abs=0.03)
    with pytest.raises(ValueError, match="no seed"):
        bootstrap.over_seeds(np.zeros((0, 5)), seed=0)


def test_differences_over_seeds_are_of_the_same_seeds_and_clips():
    a, b = np.random.default_rng(0).random((2, 3, 100))
    apart = bootstrap.over_seeds(a, seed=0) - bootstrap.over_seeds(b, seed=0)
    assert bootstrap.over_seeds(a - b, seed=0) == pytest.approx(apart)
    assert not np.array_equal(bootstrap.over_seeds(a, seed=0), bootstrap.over_seeds(a, seed=1))
