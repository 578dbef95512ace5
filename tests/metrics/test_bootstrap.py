"""Bootstrap intervals: the draws, their coverage, the paired comparison, and the time they take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asdcli.metrics import bootstrap
from asdcli.metrics.official import SectionScores, measure, official
from asdcli.metrics.specs import SPECS

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
