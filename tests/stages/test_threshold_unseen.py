"""`asd threshold` stands on normal clips that no model has seen, says what its number is worth, or promises nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.metrics.conformal import group_p_values, new_group_interval, p_values
from asdcli.pipeline.options import by_rule, of_thresholds
from tests.helpers.score_files import clip_rows, random_scores, write_clips, write_scores

Asd = Callable[..., int]
Rows = list[dict[str, Any]]


def own_run(rows: Rows, methods: tuple[str, ...] = ("nn",)) -> dict[str, np.ndarray]:
    """Recordings of one's own with scores in `runs/mine`, where `asd threshold` looks; the scores by method."""
    Path("data/mine").mkdir(parents=True)
    Path("data/current").write_text("mine\n")
    clips = write_clips(Path("data"), "mine", rows, layout="folders")
    scores = {method: random_scores(rows, seed) for seed, method in enumerate(methods)}
    for method, own in scores.items():
        write_scores(Path(f"runs/mine/scores/{method}.parquet"), rows, own, clips, method)
    return scores


def make_rows(scored_as: Callable[[int], str | None], n_groups: int = 4) -> Rows:
    """Fan and gearbox: 30 training clips each, the i-th of group i mod n_groups, and test clips."""
    rows = clip_rows("dcase2023", machine_types=["fan", "gearbox"], train=30, each=3)
    train: dict[str, int] = {}
    for row in rows:
        row |= {"group": None, "scored_as": None}
        if row["split"] == "train":
            i = train[row["machine_type"]] = train.get(row["machine_type"], -1) + 1
            row |= {"group": f"week {i % n_groups}", "scored_as": scored_as(i)}
    return rows


def thresholds() -> tuple[Rows, Header]:
    table, header = artifacts.read_table(Path("runs/mine/thresholds.parquet"), artifacts.THRESHOLDS)
    return table.to_pylist(), header


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def test_it_stands_on_the_clips_that_were_held_out(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    rows = make_rows(lambda i: "held-out" if i % 4 == 3 else "seen")
    scores = own_run(rows)["nn"]
    assert asd("threshold") == 0
    assert "no false-alarm rate" not in said(capsys)
    for row in thresholds()[0]:
        own = [
            i for i, r in enumerate(rows) if (r["machine_type"], r["scored_as"]) == (row["machine_type"], "held-out")
        ]
        assert (row["n_clips"], row["n_groups"], row["scored_as"]) == (len(own), 1, "held-out")
        assert row["threshold"] == scores[own].max()  # of seven clips no other promises a tenth


def test_the_interval_beside_the_share_is_of_a_new_group(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    rows = make_rows(lambda _: "left-out group")
    scores = own_run(rows)["nn"]
    assert asd("threshold") == 0
    assert "scored as" in capsys.readouterr().out
    for row in thresholds()[0]:
        own = [i for i, r in enumerate(rows) if r["machine_type"] == row["machine_type"] and r["split"] == "train"]
        group = np.array([int(rows[i]["group"][-1]) for i in own])
        assert (row["n_clips"], row["n_groups"]) == (len(own), 4)
        assert (row["low"], row["high"]) == new_group_interval(scores[own], group, row["promised"])


def test_clips_that_the_model_was_trained_on_promise_nothing(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    own_run(make_rows(lambda _: "seen"))
    assert asd("threshold") == 1
    told = said(capsys)
    assert "the model was trained on all normal clips" in told and "nn, fan; nn, gearbox" in told
    assert "asd train --hold-out 0.1 && asd embed" in told and "--from-training" in told
    assert not Path("runs/mine/thresholds.parquet").exists()
    assert asd("threshold", "--from-training") == 0
    assert "whose share above is no false-alarm rate: nn, fan; nn, gearbox" in said(capsys)
    rows, header = thresholds()
    assert {row["scored_as"] for row in rows} == {"seen"}
    assert of_thresholds(by_rule(header)[0]) == ["--rule", "quantile:quantile=0.9", "--from-training"]


def test_a_machine_type_that_nothing_was_held_out_of_has_no_threshold_and_is_named(
    asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = make_rows(lambda i: "held-out" if i % 4 == 3 else "seen")
    own_run([{**r, "scored_as": "seen"} if r["machine_type"] == "fan" and r["scored_as"] else r for r in rows])
    assert asd("threshold") == 0
    assert "no threshold of nn, fan, because the model was trained on all normal clips" in said(capsys)
    assert [row["machine_type"] for row in thresholds()[0]] == ["gearbox"]


@pytest.mark.parametrize(
    ("scored_as", "n_groups", "sentence"),
    [
        ("left-out clip", 4, "compared with others of their own session"),
        ("held-out", 1, "of a new group, clips of 1 group promise nothing rarer than 1 alarm in 2 clips"),
    ],
)
def test_what_the_share_is_worth_is_said(
    asd: Asd, capsys: pytest.CaptureFixture[str], scored_as: str, n_groups: int, sentence: str
) -> None:
    own_run(make_rows(lambda _: scored_as, n_groups))
    assert asd("threshold") == 0
    assert sentence in said(capsys)


def test_methods_set_on_training_clips_are_remembered_beside_others(asd: Asd) -> None:
    own_run(make_rows(lambda _: "left-out group"), ("nn", "kmeans"))
    assert asd("threshold") == 0
    assert asd("threshold", "runs/mine/scores/kmeans.parquet", "--from-training") == 0
    ways = {tuple(header.inputs): of_thresholds(header) for header in by_rule(thresholds()[1])}
    rule = ["--rule", "quantile:quantile=0.9"]
    assert ways == {("kmeans",): [*rule, "--from-training"], ("nn",): rule}


def test_the_organisers_rule_takes_all_training_clips_as_they_do_and_says_what_that_is(
    asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = make_rows(lambda i: "held-out" if i % 4 == 3 else "seen")
    own_run(rows)
    assert asd("threshold", "--rule", "dcase-baseline") == 0
    assert {row["n_clips"] for row in thresholds()[0]} == {30}
    assert "no false-alarm rate" in said(capsys)


def test_decisions_have_p_values_of_clips_and_of_groups_by_domain(asd: Asd) -> None:
    rows = make_rows(lambda _: "left-out group")
    scores = own_run(rows)["nn"]
    assert asd("threshold", "--decisions", "d.csv") == 0
    with Path("d.csv").open(newline="") as file:
        decided = {row["clip_id"]: row for row in csv.DictReader(file)}
    test = [i for i, r in enumerate(rows) if r["split"] == "test"]
    assert len(decided) == len(test)
    for i in test:
        like = [
            j
            for j, r in enumerate(rows)
            if r["split"] == "train" and all(r[c] == rows[i][c] for c in ("machine_type", "domain"))
        ]
        group = np.unique([rows[j]["group"] for j in like], return_inverse=True)[1]
        row = decided[rows[i]["clip_id"]]
        assert float(row["p_value"]) == pytest.approx(p_values(scores[like], scores[[i]])[0])
        assert float(row["p_value_group"]) == pytest.approx(group_p_values(scores[like], group, scores[[i]])[0])


def test_where_the_model_has_seen_all_there_are_decisions_without_p_values(asd: Asd) -> None:
    own_run(make_rows(lambda _: "seen"))
    assert asd("threshold", "--from-training", "--decisions", "d.csv") == 0
    with Path("d.csv").open(newline="") as file:
        assert {(row["p_value"], row["p_value_group"]) for row in csv.DictReader(file)} == {("", "")}


def test_evaluate_holds_what_was_promised_against_what_came(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    rows = make_rows(lambda _: "left-out group")
    scores = own_run(rows)["nn"]
    assert asd("threshold") == 0
    limits = {row["machine_type"]: row["threshold"] for row in thresholds()[0]}
    capsys.readouterr()
    assert asd("evaluate", "--json") == 0
    found = json.loads(capsys.readouterr().out)["facts"]["results"][0]["promises"]
    for one in found:
        above = {
            condition: [
                score > limits[row["machine_type"]]
                for row, score in zip(rows, scores, strict=True)
                if (row["split"], row["domain"], row["condition"]) == ("test", one["domain"], condition)
            ]
            for condition in ("normal", "anomaly")
        }
        assert (one["false_alarms"], one["normal"]) == (sum(above["normal"]), len(above["normal"]))
        assert (one["hits"], one["anomalous"]) == (sum(above["anomaly"]), len(above["anomaly"]))
        assert one["promised"] == pytest.approx(0.1)
    assert asd("evaluate") == 0
    assert "verdict" in capsys.readouterr().out
