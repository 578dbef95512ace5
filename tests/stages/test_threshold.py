"""`asd threshold`: the rules against their definitions, the artifact, decisions, and what evaluate makes of them."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import confusion_matrix

from asdcli import artifacts
from asdcli.errors import UsageError
from asdcli.metrics import RULES
from asdcli.metrics.decisions import FEW, Confusion, FalseAlarms, Gamma, Quantile, decide, gamma_quantile
from tests.helpers.score_files import clip_rows, make_run, random_scores, write_clips, write_scores

SCORES = np.random.default_rng(0).gamma(3, size=1000)


def thresholds(tmp_path, edition="dcase2023"):
    return artifacts.read_table(tmp_path / f"runs/{edition}/thresholds.parquet", artifacts.THRESHOLDS)


# ---- rules


def test_the_gamma_rule_is_the_baselines():
    shape, location, scale = stats.gamma.fit(SCORES)
    assert Gamma().fit(SCORES) == stats.gamma.ppf(q=0.9, a=shape, loc=location, scale=scale)


def test_the_gamma_rule_finds_the_quantile_of_a_known_distribution():
    many = np.random.default_rng(1).gamma(3, 2, size=20_000)
    # the 0.9 quantile of 20,000 draws scatters by about sqrt(0.9 * 0.1 / 20000) / density = 0.05
    assert Gamma().fit(many) == pytest.approx(stats.gamma.ppf(0.9, 3, scale=2), abs=0.15)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_no_more_than_the_asked_share_of_normal_clips_lies_above_a_quantile(scores, quantile):
    scores = np.array(scores, float)
    above = decide(scores, Quantile(quantile).fit(scores)).mean()
    assert above <= 1 - quantile + 1e-12


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=60, unique=True), st.floats(0.02, 0.9))
def test_false_alarms_are_as_many_as_allowed_and_no_more(scores, rate):
    rule = FalseAlarms(per_day=rate * 1000, clips_per_day=1000)
    scores = np.array(scores)
    above = int(decide(scores, rule.fit(scores)).sum()) if not rule.extrapolates(len(scores)) else 0
    assert above == (int(rate * len(scores) + 1e-9) if not rule.extrapolates(len(scores)) else 0)


def test_rarer_false_alarms_than_clips_can_show_lie_in_the_fitted_tail():
    rule = FalseAlarms(per_day=1, clips_per_day=8640)
    assert rule.extrapolates(1000) and not rule.extrapolates(8640)
    assert rule.fit(SCORES) == max(SCORES.max(), gamma_quantile(SCORES, 1 - 1 / 8640))


def test_a_rule_doubts_what_its_scores_cannot_show_and_nothing_else():
    guess = f"a threshold from fewer than {FEW} is a guess"
    for rule in (Gamma(), Quantile(), FalseAlarms(per_day=1, clips_per_day=10)):
        assert (rule.doubt(FEW - 1), rule.doubt(FEW)) == (guess, None)
    rare = FalseAlarms(per_day=1, clips_per_day=100)
    assert "1 false alarms in 100 clips" in rare.doubt(99) and rare.doubt(100) is None


@dataclass(frozen=True)
class Twice:
    """A rule of somebody else's: a multiple of the largest score."""

    times: float = 2.0

    def fit(self, scores):
        return self.times * float(scores.max())

    def doubt(self, n):
        return "one score is none" if n < 2 else None


def test_a_rule_is_a_class_and_one_entry(asd, tmp_path, monkeypatch):
    monkeypatch.setitem(RULES.entries, "twice", f"{__name__}:Twice")
    rows = make_run(tmp_path, "dcase2023", rows=clip_rows("dcase2023", machine_types=["fan"]))
    assert asd("threshold", "--rule", "twice:times=3", "-q") == 0
    (fitted,) = thresholds(tmp_path)[0].to_pylist()
    largest = max(s for r, s in zip(rows, random_scores(rows), strict=True) if r["split"] == "train")
    assert (fitted["rule"], fitted["threshold"]) == ("twice:times=3.0", 3 * largest)


def test_equal_scores_have_a_threshold_that_raises_no_alarm():
    same = np.full(10, 0.25)
    for rule in (Gamma(), Quantile(), FalseAlarms()):
        assert rule.fit(same) == 0.25 and not decide(same, rule.fit(same)).any()


@pytest.mark.parametrize(
    "spelling", ["gamma:quantile=0.95", "quantile:quantile=0.5", "false-alarms:per_day=2.0,clips_per_day=100.0"]
)
def test_a_rule_is_spelled_as_it_is_read(spelling):
    assert RULES.spell(RULES.build(spelling)) == spelling


@pytest.mark.parametrize(
    "spelling",
    ["gamma:quantile=1", "quantile:quantile=0", "false-alarms:per_day=0", "false-alarms:per_day=9,clips_per_day=9"],
)
def test_a_rule_out_of_range_is_refused(spelling):
    with pytest.raises(UsageError, match="must lie between"):
        RULES.build(spelling)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_rates_equal_those_of_the_evaluators(pairs):
    decisions, truth = (np.array(column) for column in zip(*pairs, strict=True))
    tn, fp, fn, tp = confusion_matrix(truth, decisions, labels=[False, True]).ravel()
    counts = Confusion.of(decisions, truth)
    eps = np.finfo(float).eps
    precision, recall = tp / max(tp + fp, eps), tp / max(tp + fn, eps)
    assert (counts.true_negative, counts.precision, counts.recall) == (tn, precision, recall)
    assert counts.f1 == pytest.approx(2 * precision * recall / max(precision + recall, eps), abs=1e-15)


# ---- the command


def test_every_machine_type_gets_one_threshold_from_its_training_clips(asd, tmp_path):
    rows = make_run(tmp_path, "dcase2022", train=40, each=5)
    assert asd("threshold") == 0
    table, header = thresholds(tmp_path, "dcase2022")
    scores = random_scores(rows)
    assert table.num_rows == 7
    for row in table.to_pylist():
        own = [i for i, r in enumerate(rows) if r["machine_type"] == row["machine_type"] and r["split"] == "train"]
        assert row["threshold"] == Gamma().fit(scores[own]) and row["n_clips"] == len(own) == 3 * 40
        assert row["section"] is None and row["rule"] == "gamma:quantile=0.9"
        assert row["false_alarm_rate"] == pytest.approx(np.mean(scores[own] > row["threshold"]), abs=1e-12)
    assert header.params == {"rule": "gamma:quantile=0.9"}


def test_unchanged_scores_are_left_alone_and_another_rule_is_not(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023")
    asd("threshold")
    path = tmp_path / "runs/dcase2023/thresholds.parquet"
    before = path.read_bytes()
    capsys.readouterr()
    assert asd("threshold") == 0
    assert "up to date" in capsys.readouterr().err
    asd("threshold", "--force")
    assert path.read_bytes() == before
    asd("threshold", "--rule", "quantile", "--quantile", "0.5")
    assert path.read_bytes() != before


def test_options_and_spelling_say_the_same(asd, tmp_path):
    make_run(tmp_path, "dcase2023")
    found = []
    for arguments in (
        ["--per-day", "100", "--clips-per-day", "1000"],
        ["--rule", "false-alarms:per_day=100,clips_per_day=1000"],
    ):
        assert asd("threshold", "--force", *arguments) == 0
        found.append(thresholds(tmp_path)[0].to_pylist())
    assert found[0] == found[1] and found[0][0]["rule"] == "false-alarms:per_day=100.0,clips_per_day=1000.0"


def test_decisions_are_strictly_above_the_threshold_of_their_machine_type(asd, tmp_path):
    rows = make_run(tmp_path, "dcase2023")
    assert asd("threshold", "--decisions", "decisions.csv") == 0
    limits = {r["machine_type"]: r["threshold"] for r in thresholds(tmp_path)[0].to_pylist()}
    with (tmp_path / "decisions.csv").open() as file:
        decided = {r["clip_id"]: r for r in csv.DictReader(file)}
    scores = random_scores(rows)
    test = [(r, s) for r, s in zip(rows, scores, strict=True) if r["split"] == "test"]
    assert len(decided) == len(test)
    for row, score in test:
        one = decided[row["clip_id"]]
        assert float(one["anomaly_score"]) == score and float(one["threshold"]) == limits[row["machine_type"]]
        assert one["decision"] == ("anomaly" if score > limits[row["machine_type"]] else "normal")


def test_old_thresholds_decide_new_scores_without_fitting(asd, tmp_path):
    rows = make_run(tmp_path, "dcase2023")
    asd("threshold")
    before = (tmp_path / "runs/dcase2023/thresholds.parquet").read_bytes()
    clips = artifacts.read_header(tmp_path / "data/dcase2023/clips.parquet", artifacts.CLIPS)
    new = [r for r in rows if r["split"] == "test"]
    write_scores(tmp_path / "new.parquet", new, np.full(len(new), 1e9), clips)
    given = ["--thresholds", "runs/dcase2023/thresholds.parquet"]
    assert asd("threshold", "new.parquet", *given, "--decisions", "d.parquet") == 0
    import pyarrow.parquet as pq

    assert set(pq.read_table(tmp_path / "d.parquet")["decision"].to_pylist()) == {"anomaly"}
    assert (tmp_path / "runs/dcase2023/thresholds.parquet").read_bytes() == before


def test_evaluate_shows_rates_per_domain_where_there_are_thresholds(asd, tmp_path, capsys):
    rows = make_run(tmp_path, "dcase2023")
    asd("threshold")
    capsys.readouterr()
    assert asd("evaluate", "--json") == 0
    found = json.loads(capsys.readouterr().out)["facts"]["results"][0]["decisions"]
    assert len(found) == 14
    limits = {r["machine_type"]: r["threshold"] for r in thresholds(tmp_path)[0].to_pylist()}
    scores = random_scores(rows)
    for one in found:
        own = [
            (r["condition"] == "anomaly", s > limits[r["machine_type"]])
            for r, s in zip(rows, scores, strict=True)
            if (r["split"], r["machine_type"], r["domain"]) == ("test", one["machine_type"], one["domain"])
        ]
        true = sum(y and d for y, d in own)
        assert one["precision"] == true / max(sum(d for _, d in own), 1)
        assert one["recall"] == true / sum(y for y, _ in own)
    assert asd("evaluate") == 0
    assert "precision" in capsys.readouterr().out


def test_thresholds_of_other_scores_are_left_out_and_said(asd, tmp_path, capsys):
    rows = make_run(tmp_path, "dcase2023")
    asd("threshold")
    clips = artifacts.read_header(tmp_path / "data/dcase2023/clips.parquet", artifacts.CLIPS)
    write_scores(tmp_path / "runs/dcase2023/scores/nn.parquet", rows, random_scores(rows, 9), clips)
    capsys.readouterr()
    asd("evaluate", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["facts"]["results"][0]["decisions"] == []
    assert any("fitted on other scores" in w for w in found["warnings"])


def test_few_training_clips_are_called_few(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023", rows=clip_rows("dcase2023", machine_types=["fan"], train=5))
    assert asd("threshold") == 0
    assert (
        "few training clips for this rule: fan 5; a threshold from fewer than 20 is a guess" in capsys.readouterr().err
    )
    assert asd("threshold", "--per-day", "1") == 0
    assert "so the tail of a gamma distribution is used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--rule", "gama"], 2, "did you mean 'gamma'"),
        (["--quantile", "1.5"], 2, "quantile must lie between 0 and 1, got 1.5"),
        (["--rule", "gamma", "--per-day", "3"], 2, "no parameter 'per_day'"),
        (["--thresholds", "x.parquet"], 2, "--decisions FILE"),
        (["--thresholds", "x.parquet", "--decisions", "d.csv"], 1, "no thresholds at x.parquet"),
        (["--thresholds", "x.parquet", "--decisions", "d.csv", "--rule", "gamma"], 2, "as they are"),
    ],
)
def test_refusals(asd, tmp_path, capsys, arguments, code, message):
    make_run(tmp_path, "dcase2023", rows=clip_rows("dcase2023", machine_types=["fan"]))
    assert asd("threshold", *arguments) == code
    assert message in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "d.csv").exists()


def test_scores_without_training_clips_are_refused(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023", rows=clip_rows("dcase2023", machine_types=["fan"], train=0))
    assert asd("threshold") == 1
    assert "no scores of training clips" in capsys.readouterr().err


def test_a_machine_type_without_threshold_is_named(asd, tmp_path, capsys):
    fan, both = (clip_rows("dcase2023", machine_types=m) for m in (["fan"], ["fan", "valve"]))
    clips = write_clips(tmp_path / "data", "dcase2023", both)
    write_scores(tmp_path / "fan.parquet", fan, random_scores(fan), clips)
    write_scores(tmp_path / "both.parquet", both, random_scores(both), clips)
    assert asd("threshold", "fan.parquet", "-o", "t.parquet") == 0
    assert asd("threshold", "both.parquet", "--thresholds", "t.parquet", "--decisions", "d.csv") == 0
    assert "no threshold for valve" in capsys.readouterr().err
