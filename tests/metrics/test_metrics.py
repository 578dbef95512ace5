"""Areas and official scores: worked by hand, against scikit-learn, against an independent evaluator, and laws."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hmean
from sklearn.metrics import roc_auc_score

from asdcli.errors import UsageError
from asdcli.metrics import means, roc
from asdcli.metrics.official import SectionScores, Value, join, measure, official
from asdcli.metrics.specs import SPECS, spec_named

# few distinct values make many ties
TIED = st.lists(st.integers(0, 6), min_size=1, max_size=40)
ROUNDING = 1e-12  # sums of at most some hundred terms of size one


def section(scores, anomalous, domain, machine_type="fan", name="00"):
    return SectionScores(
        machine_type, name, np.asarray(scores, float), np.asarray(anomalous, bool), np.asarray(domain, np.str_)
    )


def random_sections(rng, n_machines, sections=("00",), ties=False):
    made = []
    for m in range(n_machines):
        for name in sections:
            n = int(rng.integers(60, 121))
            scores = rng.integers(0, 9, n) if ties else rng.normal(size=n)
            domain = rng.choice(["source", "target"], n)
            made.append(section(scores, rng.random(n) < 0.5, domain, f"m{m}", name))
    return made


# ---- by hand


def test_auc_counts_pairs_and_half_the_ties():
    # pairs (normal, anomalous) in the right order: 1<2, 1<4, 2=2 (half), 2<4, 3<4: 4.5 of 6
    assert roc.auc([1, 2, 3], [2, 4]) == 4.5 / 6


def test_pauc_of_a_curve_drawn_by_hand():
    # 10 normal clips, so max_fpr = 0.1 ends at the first false alarm. Above it lies one of the two anomalous clips:
    # the curve is 1/2 over [0, 0.1], A = 0.05, and (0.05 - 0.005) / (0.1 - 0.005) = 9/19.
    assert roc.pauc(range(10), [9.5, 3.5]) == pytest.approx(0.5 * (1 + 9 / 19), abs=ROUNDING)


def test_pauc_cuts_the_last_trapezoid_where_the_curve_crosses_the_limit():
    # 4 normal clips: the first false alarm ends at 0.25, so the limit 0.1 lies inside. The highest normal clip ties
    # with one anomaly of two: the curve rises from 0 to 1/2 over [0, 0.25] and is cut at 0.2. A = 0.1 * 0.2 / 2.
    assert roc.pauc([1, 2, 3, 9], [9, 0]) == pytest.approx(0.5 * (1 + (0.01 - 0.005) / 0.095), abs=ROUNDING)


def test_the_official_score_of_a_section_small_enough_to_check_by_eye():
    #          normal source  normal target  anomalous source  anomalous target
    scores = [1.0, 2.0, 3.0, 6.0, 4.0, 7.0, 5.0, 8.0]
    domain = ["source", "source", "target", "target", "source", "source", "target", "target"]
    eight = section(scores, [0, 0, 0, 0, 1, 1, 1, 1], domain)
    found = {v.term: v.value for v in measure(SPECS["dcase2022"], [eight])}
    assert found["auc_source"] == 1.0  # 1, 2 lie below all of 4, 7, 5, 8
    assert found["auc_target"] == 6 / 8  # 3 lies below all four, 6 below 7 and 8
    # first false alarm is 6 with 7 and 8 found: the curve is 1/2 up to the limit 0.1
    assert found["pauc"] == pytest.approx(0.5 * (1 + 9 / 19), abs=ROUNDING)
    by_hand = 3 / (1 / 1.0 + 1 / 0.75 + 1 / (0.5 * (1 + 9 / 19)))
    assert official(SPECS["dcase2022"], measure(SPECS["dcase2022"], [eight])) == pytest.approx(by_hand, abs=ROUNDING)


def test_2021_keeps_every_area_inside_one_domain():
    scores, domain = [1.0, 3.0, 2.0, 0.0], ["source", "target", "source", "target"]
    found = {v.term: v.value for v in measure(SPECS["dcase2021"], [section(scores, [0, 0, 1, 1], domain)])}
    assert found["auc_source"] == 1.0 and found["auc_target"] == 0.0


def test_2020_weighs_every_machine_type_the_same():
    values = [
        Value("fan", name, term, value, 1, 1) for name, value in (("00", 0.6), ("02", 0.8)) for term in ("auc", "pauc")
    ] + [Value("ToyCar", "01", term, 0.9, 1, 1) for term in ("auc", "pauc")]
    assert official(SPECS["dcase2020"], values) == pytest.approx((0.7 + 0.9) / 2, abs=ROUNDING)


# ---- against others


@settings(max_examples=60, deadline=None)
@given(TIED, TIED, st.sampled_from([0.05, 0.1, 0.3, 1.0]))
def test_areas_equal_scikit_learn_with_ties(normal, anomalous, max_fpr):
    truth, scores = [0] * len(normal) + [1] * len(anomalous), normal + anomalous
    assert roc.auc(normal, anomalous) == pytest.approx(roc_auc_score(truth, scores), abs=ROUNDING)
    theirs = roc_auc_score(truth, scores, max_fpr=max_fpr)
    assert roc.pauc(normal, anomalous, max_fpr) == pytest.approx(theirs, abs=ROUNDING)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [1, 2, 9, 10, 11, 100, 1000])
def test_areas_equal_scikit_learn_around_the_limit_of_the_false_positive_rate(n, ties):
    rng = np.random.default_rng(n)
    normal, anomalous = rng.normal(size=n), rng.normal(0.5, size=77)
    if ties:
        normal, anomalous = normal.round(1), anomalous.round(1)
    truth, scores = np.r_[np.zeros(n), np.ones(77)], np.r_[normal, anomalous]
    theirs = roc_auc_score(truth, scores, max_fpr=0.1)
    assert roc.pauc(normal, anomalous) == pytest.approx(theirs, abs=ROUNDING)


@settings(max_examples=30, deadline=None)
@given(TIED, TIED, st.integers(0, 2**32 - 1))
def test_counts_equal_clips_written_out_as_often_as_they_are_drawn(normal, anomalous, seed):
    rng = np.random.default_rng(seed)
    n_counts, a_counts = rng.integers(0, 3, (4, len(normal))), rng.integers(0, 3, (4, len(anomalous)))
    n_counts[:, 0] += 1
    a_counts[:, 0] += 1
    for max_fpr in (None, 0.1):
        together = roc.areas(normal, anomalous, normal_counts=n_counts, anomalous_counts=a_counts, max_fpr=max_fpr)
        for row, (n, a) in enumerate(zip(n_counts, a_counts, strict=True)):
            alone = roc.areas(np.repeat(normal, n), np.repeat(anomalous, a), max_fpr=max_fpr)[0]
            assert together[row] == pytest.approx(alone, abs=ROUNDING)


def evaluator(year, sections):
    """The organisers' rules written once more, from their description, with scikit-learn and scipy."""
    numbers, by_machine = [], {}
    for s in sections:
        y, x, d = s.anomalous.astype(int), s.scores, s.domain
        if year == 2020:
            by_machine.setdefault(s.machine_type, []).append([roc_auc_score(y, x), roc_auc_score(y, x, max_fpr=0.1)])
        for domain in ("source", "target"):
            if year == 2021:
                own = d == domain
                numbers += [roc_auc_score(y[own], x[own]), roc_auc_score(y[own], x[own], max_fpr=0.1)]
            elif year >= 2022:
                own = (d == domain) | (y != 0)
                numbers.append(roc_auc_score(y[own], x[own]))
        if year >= 2022:
            numbers.append(roc_auc_score(y, x, max_fpr=0.1))
    if year == 2020:
        return np.mean([np.mean(rows, axis=0) for rows in by_machine.values()])
    return hmean(np.maximum(numbers, sys.float_info.epsilon))


@pytest.mark.parametrize(
    ("year", "rule", "names"),
    [
        (2020, "dcase2020", ("01", "03", "05")),
        (2021, "dcase2021", ("03", "04", "05")),
        (2022, "dcase2022", ("03", "04", "05")),
        (2023, "dcase2022", ("00",)),
    ],
)
@pytest.mark.parametrize("ties", [False, True])
def test_every_rule_equals_an_independent_evaluator(year, rule, names, ties):
    sections = random_sections(np.random.default_rng(year), 7, names, ties)
    spec = spec_named(rule)
    assert official(spec, measure(spec, sections)) == pytest.approx(evaluator(year, sections), abs=ROUNDING)


def test_the_number_of_areas_is_that_of_the_evaluators():
    rng = np.random.default_rng(0)
    counts = {}
    for rule, names, machines in (("dcase2021", 3, 7), ("dcase2022", 3, 7), ("dcase2022", 1, 9)):
        spec = spec_named(rule)
        own = {t.name for t in spec.terms}
        values = measure(spec, random_sections(rng, machines, [f"{i:02}" for i in range(names)]))
        counts[rule, names] = sum(v.term in own for v in values)
    assert counts == {("dcase2021", 3): 84, ("dcase2022", 3): 63, ("dcase2022", 1): 27}


def test_the_harmonic_mean_of_published_rows_is_the_published_total(shared: Path):
    published = json.loads((shared / "published" / "dcase_baseline_scores.json").read_text())
    systems = [(year, name, table) for year, of_year in published.items() for name, table in of_year.items()]
    assert len(systems) == 8
    for year, name, table in systems:
        rows = [table[row] for row in ("AUC (source)", "AUC (target)", "pAUC (source, target)")]
        machine_types = [m for m in rows[0] if m not in ("h-mean", "a-mean")]
        values = [
            Value(m, "00", term.name, row[m], 100, 100)
            for row, term in zip(rows, SPECS["dcase2022"].terms, strict=True)
            for m in machine_types
        ]
        total = official(SPECS["dcase2022"], values)
        assert total == pytest.approx(table["TOTAL score"]["h-mean"], abs=ROUNDING), (year, name)
        for row in rows:
            own = [row[m] for m in machine_types]
            assert means.harmonic(own) == pytest.approx(row["h-mean"], abs=ROUNDING)
            assert means.arithmetic(own) == pytest.approx(row["a-mean"], abs=ROUNDING)


# ---- laws


@settings(max_examples=40, deadline=None)
@given(TIED, TIED)
def test_areas_see_only_the_order_of_scores(normal, anomalous):
    n, a = np.array(normal, float), np.array(anomalous, float)
    for area in (roc.auc, roc.pauc):
        assert area(n * 1e3, a * 1e3) == area(n, a)
        assert area(np.exp(n) - 5, np.exp(a) - 5) == area(n, a)


@settings(max_examples=40, deadline=None)
@given(TIED, TIED)
def test_turning_scores_over_turns_auc_over(normal, anomalous):
    n, a = np.array(normal, float), np.array(anomalous, float)
    assert roc.auc(-n, -a) == pytest.approx(1 - roc.auc(n, a), abs=ROUNDING)


@settings(max_examples=40, deadline=None)
@given(TIED, TIED)
def test_areas_stay_in_their_range(normal, anomalous):
    assert 0 <= roc.auc(normal, anomalous) <= 1
    assert 0.5 * (1 - 0.005 / 0.095) - ROUNDING <= roc.pauc(normal, anomalous) <= 1 + ROUNDING


def test_perfect_is_one_and_reversed_is_zero_for_every_rule():
    rng = np.random.default_rng(3)
    for spec in SPECS.values():
        perfect = [
            section(s.anomalous + rng.random(len(s.scores)) / 2, s.anomalous, s.domain, s.machine_type)
            for s in random_sections(rng, 3)
        ]
        assert official(spec, measure(spec, perfect)) == pytest.approx(1, abs=ROUNDING)
        flipped = [section(-s.scores, s.anomalous, s.domain, s.machine_type) for s in perfect]
        for v in measure(spec, flipped):
            assert v.value == (pytest.approx(0.5 * (1 - 1 / 19)) if v.term.startswith("pauc") else 0)


def test_constant_scores_are_chance():
    n, a = np.zeros(30), np.zeros(20)
    assert roc.auc(n, a) == 0.5 and roc.pauc(n, a) == pytest.approx(0.5, abs=ROUNDING)


def test_a_zero_is_lifted_to_epsilon_as_the_evaluators_do():
    assert means.harmonic([0.0, 0.0]) == hmean(np.full(2, sys.float_info.epsilon))


def test_the_mean_of_many_resamples_is_the_mean_of_each():
    rng = np.random.default_rng(0)
    areas, machine_types = rng.random((6, 5)), ["a", "a", "b", "c", "c", "c"]
    for spec in SPECS.values():
        together = join(spec, machine_types, areas)
        assert together.shape == (5,)
        for r in range(5):
            assert together[r] == pytest.approx(float(join(spec, machine_types, areas[:, r])), abs=ROUNDING)


# ---- undefined and refused


def test_an_undefined_term_says_why_and_stays_out_of_the_mean():
    no_target = section([1, 2, 3, 4], [0, 0, 1, 1], ["source"] * 4)
    values = measure(SPECS["dcase2022"], [no_target])
    lost = {v.term: v.why_undefined for v in values if v.value is None}
    assert lost == {"auc_target": "no normal clips", "pauc_target": "no normal clips"}
    assert official(SPECS["dcase2022"], values) == pytest.approx(1)


def test_only_normal_clips_give_no_score_instead_of_a_number():
    values = measure(SPECS["dcase2022"], [section([1, 2], [0, 0], ["source", "target"])])
    assert {v.why_undefined for v in values} == {"no anomalous clips"}
    assert official(SPECS["dcase2022"], values) is None


@pytest.mark.parametrize("bad", [[], [np.nan], [np.inf, 1.0], [[1.0]]])
def test_areas_refuse_what_is_no_list_of_finite_scores(bad):
    with pytest.raises(ValueError, match="normal"):
        roc.auc(bad, [1.0])


@pytest.mark.parametrize("max_fpr", [0, -0.1, 1.5, float("nan")])
def test_pauc_refuses_a_limit_outside_zero_to_one(max_fpr):
    with pytest.raises(ValueError, match="max_fpr"):
        roc.pauc([0.0], [1.0], max_fpr)


def test_an_unknown_rule_is_answered_with_the_nearest():
    with pytest.raises(UsageError) as caught:
        spec_named("dcase2032")
    assert "did you mean" in str(caught.value.hint)


def test_machine_types_weigh_the_same_however_many_sections_they_have() -> None:
    areas = [0.9, 0.1, 0.2, 0.3, 0.4, 0.5]
    owners = ["fan", "pump", "pump", "valve", "valve", "valve"]
    assert join(SPECS["dcase2020"], owners, areas) == pytest.approx((0.9 + 0.15 + 0.4) / 3)


def test_counts_of_both_conditions_stand_beside_an_area() -> None:
    section = SectionScores("fan", "00", np.arange(5.0), np.array([0, 0, 0, 1, 1], bool), np.array(["source"] * 5))
    (auc, _) = measure(SPECS["dcase2020"], [section])
    assert (auc.value, auc.n_normal, auc.n_anomalous) == (1.0, 3, 2)
