"""`asd threshold`: the artifact, what is said of it, decisions, and what evaluate makes of them."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from asdcli import artifacts
from asdcli.metrics.threshold_rules import RULES, DcaseBaseline, Quantile, set_threshold
from tests.helpers.score_files import clip_rows, make_run, random_scores, write_clips, write_scores


def thresholds(tmp_path, edition="dcase2023"):
    return artifacts.read_table(tmp_path / f"runs/{edition}/thresholds.parquet", artifacts.THRESHOLDS)


def test_every_machine_type_gets_one_threshold_from_its_training_clips(asd, tmp_path):
    rows = make_run(tmp_path, "dcase2022", train=40, each=5)
    assert asd("threshold") == 0
    table, header = thresholds(tmp_path, "dcase2022")
    scores = random_scores(rows)
    assert table.num_rows == 7
    for row in table.to_pylist():
        own = [i for i, r in enumerate(rows) if r["machine_type"] == row["machine_type"] and r["split"] == "train"]
        found = set_threshold(DcaseBaseline(), scores[own])
        assert row["threshold"] == found.value and row["n_clips"] == len(own) == 3 * 40
        assert row["section"] is None and row["rule"] == RULES.spell(found.rule)
        assert row["asked"] == "dcase-baseline:quantile=0.9" and row["promised"] == found.share.promised
        assert row["false_alarm_rate"] == pytest.approx(np.mean(scores[own] > row["threshold"]), abs=1e-12)
    assert header.params == {"rule": "dcase-baseline:quantile=0.9"}


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


def own_recordings(tmp_path, scores, names=None, method="nn", train=None):
    """A run of recordings of one's own: `scores` of normal clips, of which the first `train` are training clips."""
    names = names or [f"clip_{i:04}" for i in range(len(scores))]
    train = len(scores) if train is None else train
    rows = [
        {"clip_id": f"audio/{name}", "machine_type": "press", "section": None, "subset": "dev", "domain": None}
        | {"split": "train" if i < train else "test", "condition": "normal"}
        for i, name in enumerate(names)
    ]
    table = pa.Table.from_pylist([{**r, "path": r["clip_id"] + ".wav"} for r in rows])
    header = artifacts.Header.make(artifacts.CLIPS, dataset="press-shop")
    clips = artifacts.write_table(tmp_path / "data/press-shop/clips.parquet", artifacts.CLIPS, table, header)
    path = tmp_path / f"runs/press-shop/scores/{method}.parquet"
    write_scores(path, rows, scores, clips, method)
    return path


def test_recordings_of_ones_own_are_cut_at_their_empirical_quantile(asd, tmp_path):
    scores = np.random.default_rng(0).lognormal(size=100)
    own_recordings(tmp_path, scores)
    assert asd("threshold") == 0
    row = thresholds(tmp_path, "press-shop")[0].to_pylist()[0]
    assert row["threshold"] == Quantile(0.9).fit(scores) and row["rule"] == "quantile:quantile=0.9"
    assert asd("threshold", "--quantile", "0.5") == 0
    assert thresholds(tmp_path, "press-shop")[0]["rule"].to_pylist() == ["quantile:quantile=0.5"]


def test_a_rule_that_misses_its_scores_is_replaced_in_words_and_both_are_stored(asd, tmp_path, capsys):
    scores = 1e-3 * np.random.default_rng(2).lognormal(size=1000)  # on which scipy's fit goes astray
    own_recordings(tmp_path, scores)
    assert asd("threshold", "--rule", "dcase-baseline") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert (
        "dcase-baseline:quantile=0.9 misses its own training scores and quantile:quantile=0.9 is used instead" in said
    )
    assert "nn, press (" in said and "of 1000 above, 95 % interval" in said and "10 % promised" in said
    row = thresholds(tmp_path, "press-shop")[0].to_pylist()[0]
    assert (row["asked"], row["rule"]) == ("dcase-baseline:quantile=0.9", "quantile:quantile=0.9")
    assert row["false_alarm_rate"] == 0.099


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
    assert (fitted["rule"], fitted["threshold"], fitted["promised"]) == ("twice:times=3.0", 3 * largest, None)


def test_a_promise_that_the_training_scores_do_not_keep_is_said_with_its_interval(asd, tmp_path, capsys):
    own_recordings(tmp_path, np.full(500, 0.25))
    assert asd("threshold") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "do not keep the promise: nn, press (0 % of 500 above, 95 % interval 0 % to 0.74 %, 10 % promised)" in said


def test_few_training_clips_are_called_few(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023", rows=clip_rows("dcase2023", machine_types=["fan"], train=5))
    assert asd("threshold") == 0
    assert (
        "few training clips for this rule: fan 5; a threshold from fewer than 20 is a guess" in capsys.readouterr().err
    )
    assert asd("threshold", "--rule", "quantile") == 0
    said = capsys.readouterr().err
    assert (
        "few training clips for this rule: fan 5; quantile 0.9 takes 9; the highest score is used, above which" in said
    )


def test_false_alarms_rarer_than_the_clips_can_promise_are_said(asd, tmp_path, capsys):
    own_recordings(tmp_path, np.random.default_rng(0).gamma(3, size=20))
    asd("threshold", "--per-day", "1", "--clips-per-day", "24")
    said = capsys.readouterr().err
    assert "few training clips for this rule: press 20; 1 false alarms a day of 24 clips cannot be promised" in said
    assert "what lies further out is not checked; to see that it is so takes about 240" in said
    row = thresholds(tmp_path, "press-shop")[0].to_pylist()[0]
    assert row["rule"].startswith("gamma:quantile=0.958") and row["clips_per_day"] == 24
    own_recordings(tmp_path, np.random.default_rng(0).gamma(3, size=100))
    asd("threshold", "--per-day", "1", "--clips-per-day", "24")
    assert "1 false alarms a day of 24 clips are promised on average; to see that" in capsys.readouterr().err
    own_recordings(tmp_path, np.random.default_rng(0).gamma(3, size=240))
    asd("threshold", "--per-day", "1", "--clips-per-day", "24")
    assert "warning" not in capsys.readouterr().err


def test_the_clips_of_a_day_are_asked_for_or_told_by_their_names_and_never_assumed(asd, tmp_path, capsys):
    scores = np.random.default_rng(0).gamma(3, size=50)
    own_recordings(tmp_path, scores)
    assert asd("threshold", "--per-day", "1") == 2
    assert "--clips-per-day 24 for one an hour" in capsys.readouterr().err
    assert not (tmp_path / "runs/press-shop/thresholds.parquet").exists()
    assert asd("threshold") == 0
    assert "false alarms/day" not in capsys.readouterr().out
    assert asd("threshold", "--clips-per-day", "1000") == 0
    assert "80 of 1000" in capsys.readouterr().out
    own_recordings(tmp_path, scores, [f"2024-10-{1 + i // 10:02}T{i % 10:02}-00-00" for i in range(50)])
    assert asd("threshold", "--per-day", "1") == 0
    assert "0.8 of 10" in capsys.readouterr().out
    row = thresholds(tmp_path, "press-shop")[0].to_pylist()[0]
    assert row["rule"] == "false-alarms:per_day=1.0,clips_per_day=10.0" and row["asked"] == "false-alarms:per_day=1.0"


def test_thresholds_of_one_table_stay_when_another_gets_its_own(asd, tmp_path):
    rows = make_run(tmp_path, "dcase2023", ["a", "b"])
    asd("threshold")
    before = {r["method"]: r for r in thresholds(tmp_path)[0].to_pylist() if r["machine_type"] == "fan"}
    assert asd("threshold", "runs/dcase2023/scores/b.parquet", "--rule", "quantile", "--quantile", "0.5") == 0
    table, header = thresholds(tmp_path)
    after = {r["method"]: r for r in table.to_pylist() if r["machine_type"] == "fan"}
    assert after["a"] == before["a"] and after["b"]["rule"] == "quantile:quantile=0.5"
    assert table.num_rows == 14
    assert header.params["rules"] == {"a": "dcase-baseline:quantile=0.9", "b": "quantile:quantile=0.5"}
    assert set(header.inputs) == {"a", "b"}
    contents = [e["content"] for e in header.history if e["kind"] == "scores"]
    assert sorted(contents) == sorted(header.inputs.values())
    # scored again, a's old scores leave the history with its old thresholds
    clips = artifacts.read_header(tmp_path / "data/dcase2023/clips.parquet", artifacts.CLIPS)
    write_scores(tmp_path / "runs/dcase2023/scores/a.parquet", rows, random_scores(rows, 9), clips, "a")
    assert asd("threshold", "runs/dcase2023/scores/a.parquet") == 0
    header = thresholds(tmp_path)[1]
    contents = [e["content"] for e in header.history if e["kind"] == "scores"]
    assert sorted(contents) == sorted(header.inputs.values())


def test_what_was_set_for_one_table_is_up_to_date_again(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023", ["a", "b"])
    asd("threshold")
    capsys.readouterr()
    assert asd("threshold", "runs/dcase2023/scores/b.parquet") == 0
    assert "up to date" in capsys.readouterr().err


def test_a_table_without_a_clip_is_an_error_in_words(asd, tmp_path, capsys):
    path = own_recordings(tmp_path, [1.0])
    table, header = artifacts.read_table(path, artifacts.SCORES)
    artifacts.write_table(path, artifacts.SCORES, table.slice(0, 0), header)
    for command in ("threshold", "evaluate"):
        assert asd(command) == 1
        assert "nn.parquet holds no clip: not one could be scored" in capsys.readouterr().err.replace("\n", " ")
    assert not path.parents[1].joinpath("thresholds.parquet").exists()


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_scored_clips_have_a_threshold_that_is_called_a_guess(asd, tmp_path, capsys, n):
    own_recordings(tmp_path, list(range(1, n + 1)))
    assert asd("threshold", "--rule", "gamma") == 0
    said = capsys.readouterr().err
    assert f"few training clips for this rule: press {n}" in said and "is a guess" in said
    assert thresholds(tmp_path, "press-shop")[0]["threshold"].to_pylist() == [n]


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


def test_recordings_without_a_test_clip_get_thresholds_and_an_empty_list_of_decisions(asd, tmp_path, capsys):
    rows = [row for row in clip_rows("dcase2023", machine_types=["fan"]) if row["split"] == "train"]
    make_run(tmp_path, "dcase2023", rows=rows)
    assert asd("threshold", "--decisions", "d.csv", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert any("no test clip to decide on" in warning for warning in said["warnings"])
    assert said["facts"]["decisions"] == {"clips": 0, "alarms": 0}
    assert len(thresholds(tmp_path)[0]) and len((tmp_path / "d.csv").read_text().splitlines()) == 1


def test_where_no_test_clip_has_a_threshold_those_that_there_are_are_named(asd, tmp_path, capsys):
    fan, valve = (clip_rows("dcase2023", machine_types=[m]) for m in ("fan", "valve"))
    clips = write_clips(tmp_path / "data", "dcase2023", fan + valve)
    for name, rows in (("fan", fan), ("valve", valve)):
        write_scores(tmp_path / f"{name}.parquet", rows, random_scores(rows), clips)
    assert asd("threshold", "fan.parquet", "-o", "t.parquet") == 0
    assert asd("threshold", "valve.parquet", "--thresholds", "t.parquet", "--decisions", "d.csv") == 1
    assert "it holds thresholds of fan (" in capsys.readouterr().err


def test_damaged_thresholds_are_not_replaced_with_those_of_one_table_unless_forced(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023", methods=("nn", "kmeans"))
    assert asd("threshold") == 0
    path = tmp_path / "runs/dcase2023/thresholds.parquet"
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 1
    path.write_bytes(bytes(damaged))
    one = ("threshold", "runs/dcase2023/scores/nn.parquet", "--rule", "quantile")
    assert asd(*one) == 1
    assert "is damaged" in capsys.readouterr().err and path.read_bytes() == bytes(damaged)
    assert asd(*one, "--force") == 0
    assert "thresholds of other methods in it are gone" in capsys.readouterr().err
    assert set(thresholds(tmp_path)[0]["method"].to_pylist()) == {"nn"}
