"""`asd evaluate` through its front door: numbers, joins, what is left out and said, results.parquet, the signature."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import hmean
from sklearn.metrics import roc_auc_score

from asdcli import __version__, artifacts
from asdcli.metrics.specs import SPECS, MetricSpec, Term
from tests.helpers.rewrite import spoil
from tests.helpers.score_files import (
    clip_rows,
    make_run,
    of_model,
    of_vectors,
    random_scores,
    write_clips,
    write_scores,
)


def result(capsys):
    told = json.loads(capsys.readouterr().out)
    return told["facts"] | {"warnings": told["warnings"]}


def official_2022(rows, scores):
    """The rule once more, straight from the score table's rows."""
    numbers = []
    scores = np.asarray(scores)
    test = np.array([r["split"] == "test" for r in rows])
    for place in sorted({(r["machine_type"], r["section"]) for r in rows}):
        own = test & np.array([(r["machine_type"], r["section"]) == place for r in rows])
        y = np.array([r["condition"] == "anomaly" for r in rows])
        for domain in ("source", "target"):
            use = own & (y | np.array([r["domain"] == domain for r in rows]))
            numbers.append(roc_auc_score(y[use], scores[use]))
        numbers.append(roc_auc_score(y[own], scores[own], max_fpr=0.1))
    return hmean(numbers)


def test_the_official_score_is_that_of_an_independent_computation(asd, tmp_path, capsys):
    rows = make_run(tmp_path, "dcase2023")
    assert asd("evaluate", "--json") == 0
    found = result(capsys)["results"]
    assert len(found) == 1
    assert found[0]["official"] == pytest.approx(official_2022(rows, random_scores(rows)), abs=1e-12)
    assert found[0]["metric"] == "dcase2022"


def test_dev_and_eval_are_apart(asd, tmp_path, capsys):
    rows = clip_rows("dcase2022") + clip_rows("dcase2022", subset="eval")
    make_run(tmp_path, "dcase2022", rows=rows)
    asd("evaluate", "--json")
    found = {r["subset"]: r for r in result(capsys)["results"]}
    assert set(found) == {"dev", "eval"}
    assert {s["section"] for s in found["dev"]["sections"]} == {"00", "01", "02"}
    assert {s["section"] for s in found["eval"]["sections"]} == {"03", "04", "05"}
    scores = random_scores(rows)
    for subset, one in found.items():
        own = [i for i, r in enumerate(rows) if r["subset"] == subset]
        expected = official_2022([rows[i] for i in own], scores[own])
        assert one["official"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("edition", "rule", "terms"),
    [
        ("dcase2020", "dcase2020", {"auc", "pauc"}),
        ("dcase2021", "dcase2021", {"auc_source", "pauc_source", "auc_target", "pauc_target"}),
        ("dcase2026", "dcase2022", {"auc_source", "auc_target", "pauc", "pauc_source", "pauc_target"}),
    ],
)
def test_the_edition_chooses_the_rule(asd, tmp_path, capsys, edition, rule, terms):
    make_run(tmp_path, edition)
    asd("evaluate", "--json")
    one = result(capsys)["results"][0]
    assert one["metric"] == rule and {s["term"] for s in one["sections"]} == terms


def test_2020_shows_mean_auc_and_pauc_of_every_machine_type(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2020")
    asd("evaluate", "--json")
    one = result(capsys)["results"][0]
    table, _ = artifacts.read_table(tmp_path / "runs/dcase2020/results.parquet", artifacts.RESULTS)
    for machine_type, score in one["machine_types"].items():
        values = {
            term: np.mean(
                [s["value"] for s in one["sections"] if (s["machine_type"], s["term"]) == (machine_type, term)]
            )
            for term in ("auc", "pauc")
        }
        stored = {
            r["term"]: r["value"]
            for r in table.to_pylist()
            if r["machine_type"] == machine_type and r["section"] is None
        }
        assert stored == pytest.approx({**values, "official": score}, abs=1e-12)
        assert score == pytest.approx((values["auc"] + values["pauc"]) / 2, abs=1e-12)
    assert one["official"] == pytest.approx(np.mean(list(one["machine_types"].values())), abs=1e-12)
    overall = {r["term"]: r["value"] for r in table.to_pylist() if r["machine_type"] is None}
    assert one["official"] == overall["official"] == pytest.approx((overall["auc"] + overall["pauc"]) / 2, abs=1e-12)


def test_another_rule_can_be_asked_for_and_is_in_the_signature(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023")
    asd("evaluate", "--metric", "dcase2021", "--json")
    one = result(capsys)["results"][0]
    assert one["metric"] == "dcase2021" and "|metric:dcase2021|" in one["signature"]


def test_an_official_rule_is_one_entry(asd, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(SPECS, "plain", MetricSpec("plain", (Term("auc", "AUC"),), mean="arithmetic"))
    rows = make_run(tmp_path, "dcase2023")
    scores = random_scores(rows)
    areas = []
    for machine_type in dict.fromkeys(r["machine_type"] for r in rows):
        own = [i for i, r in enumerate(rows) if r["machine_type"] == machine_type and r["split"] == "test"]
        areas.append(roc_auc_score([rows[i]["condition"] == "anomaly" for i in own], scores[own]))
    assert asd("evaluate", "--metric", "plain", "--json") == 0
    assert result(capsys)["results"][0]["official"] == pytest.approx(np.mean(areas), abs=1e-12)


def test_the_signature_says_how_the_number_was_made(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023", ["varmin:k=16,val=test-all"])
    asd("evaluate")
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if line.startswith("dcase2023|"))
    made, number = line.split(" = ")
    before, _, after = made.partition("|made:")
    assert before == "dcase2023|dev|machines:7|embedder:logmel|method:varmin:k=16,val=test-all|seed:0"
    assert re.fullmatch(r"[0-9a-f]{6}\|asd:" + re.escape(__version__), after)
    assert re.fullmatch(r"0\.\d{4}", number)


def test_several_methods_stand_side_by_side_with_all_machine_types(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023", ["nn", "varmin:k=2,val=test-all"])
    assert asd("evaluate", "--bootstrap", "20") == 0
    out = capsys.readouterr().out
    for word in ("nn", "varmin:k=2,val=test-all", "bearing", "ToyTrain", "95 % interval"):
        assert word in out


def test_results_hold_every_term_and_reruns_write_the_same_bytes(asd, tmp_path):
    make_run(tmp_path, "dcase2023", ["nn", "rescale:k=4"])
    path = tmp_path / "runs/dcase2023/results.parquet"
    asd("evaluate", "--bootstrap", "10")
    before = path.read_bytes()
    asd("evaluate", "--bootstrap", "10")
    assert path.read_bytes() == before
    table, header = artifacts.read_table(path, artifacts.RESULTS)
    rows = table.to_pylist()
    # 2 methods x (7 sections x 5 terms + 7 machine types x 6 + 6 over all)
    assert len(rows) == 2 * (35 + 42 + 6)
    section = next(r for r in rows if r["section"] == "00" and r["term"] == "auc_source")
    assert (section["n_normal"], section["n_anomalous"]) == (10, 20)
    assert {e["kind"] for e in header.history} == {"clips", "embeddings", "scores"}


def test_csv_holds_the_same_rows_as_the_table(asd, tmp_path):
    make_run(tmp_path, "dcase2023")
    asd("evaluate", "--csv", "out.csv")
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    table, _ = artifacts.read_table(tmp_path / "runs/dcase2023/results.parquet", artifacts.RESULTS)
    assert [float(r["value"]) for r in rows] == table["value"].to_pylist()
    assert list(rows[0]) == [*table.column_names, "signature"]
    assert {r["signature"].partition("|made:")[0] for r in rows} == {
        "dcase2023|dev|machines:7|embedder:logmel|method:nn|seed:0"
    }


def test_truth_that_came_after_scoring_is_taken_from_clips(asd, tmp_path, capsys):
    rows = clip_rows("dcase2023", subset="eval")
    hidden = [{**r, "condition": None, "domain": None} if r["split"] == "test" else r for r in rows]
    scores = random_scores(rows)
    clips = write_clips(tmp_path / "data", "dcase2023", hidden)
    write_scores(tmp_path / "runs/dcase2023/scores/nn.parquet", hidden, scores, clips)
    assert asd("evaluate") == 1
    assert "no test clip has a known condition" in capsys.readouterr().err
    write_clips(tmp_path / "data", "dcase2023", rows)
    assert asd("evaluate", "--json") == 0
    assert result(capsys)["results"][0]["official"] == pytest.approx(official_2022(rows, scores), abs=1e-12)


def test_a_clip_that_the_truth_lacks_is_named_and_left_out(asd, tmp_path, capsys):
    rows = clip_rows("dcase2023", machine_types=["fan"])
    make_run(tmp_path, "dcase2023", rows=[*rows[:-1], {**rows[-1], "condition": None}])
    asd("evaluate", "--json")
    found = result(capsys)
    assert any(f"1 test clip ({rows[-1]['clip_id']}) is without known condition in dev" in w for w in found["warnings"])
    pauc = next(v for v in found["results"][0]["sections"] if v["term"] == "pauc")
    assert (pauc["n_normal"], pauc["n_anomalous"]) == (20, 19)


def test_labels_of_clips_win_over_labels_in_the_scores(asd, tmp_path, capsys):
    rows = clip_rows("dcase2023", machine_types=["fan", "valve"])
    scores = random_scores(rows)
    turned = {"normal": "anomaly", "anomaly": "normal"}
    wrong = [{**r, "condition": turned[r["condition"]]} if r["split"] == "test" else r for r in rows]
    clips = write_clips(tmp_path / "data", "dcase2023", rows)
    write_scores(tmp_path / "runs/dcase2023/scores/nn.parquet", wrong, scores, clips)
    asd("evaluate", "--json")
    assert result(capsys)["results"][0]["official"] == pytest.approx(official_2022(rows, scores), abs=1e-12)


def test_methods_that_disagree_on_the_truth_are_not_compared(asd, tmp_path, capsys):
    rows = clip_rows("dcase2023", machine_types=["fan"])
    clips = write_clips(tmp_path / "elsewhere", "dcase2023", rows)
    write_scores(tmp_path / "a.parquet", rows, random_scores(rows), clips, "a")
    write_scores(
        tmp_path / "b.parquet", [*rows[:-1], {**rows[-1], "condition": "normal"}], random_scores(rows), clips, "b"
    )
    assert asd("evaluate", "a.parquet", "b.parquet", "--compare", "a", "b") == 1
    assert f"disagree on the condition of {rows[-1]['clip_id']}" in capsys.readouterr().err.replace("\n", " ")


def test_rows_in_another_order_change_nothing(asd, tmp_path, capsys):
    rows = clip_rows("dcase2023")
    scores = random_scores(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    clips = write_clips(tmp_path / "data", "dcase2023", rows)
    found = []
    for use in (np.arange(len(rows)), order):
        write_scores(tmp_path / "runs/dcase2023/scores/nn.parquet", [rows[i] for i in use], scores[use], clips)
        asd("evaluate", "--bootstrap", "10", "--json")
        one = result(capsys)["results"][0]
        found.append((one["official"], one["interval"]))
    assert found[0] == found[1]


def test_clips_that_do_not_match_are_named_and_left_out(asd, tmp_path, capsys):
    rows = make_run(tmp_path, "dcase2023")
    test = [r for r in rows if r["split"] == "test"]
    write_clips(tmp_path / "data", "dcase2023", [r for r in rows if r is not test[3]])
    clips = artifacts.read_header(tmp_path / "data/dcase2023/clips.parquet", artifacts.CLIPS)
    short = [r for r in rows if r is not test[7]]
    write_scores(tmp_path / "runs/dcase2023/scores/nn.parquet", short, random_scores(short), clips)
    assert asd("evaluate", "--json") == 3
    found = result(capsys)
    assert any(test[3]["clip_id"] in w and "not in clips.parquet" in w for w in found["warnings"])
    assert any(test[7]["clip_id"] in w and "not scored" in w for w in found["warnings"])
    assert f"|machines:7|clips:{len(test) - 2}/{len(test) - 1}|" in found["results"][0]["signature"]


def test_a_machine_type_without_scores_is_named(asd, tmp_path, capsys):
    rows = clip_rows("dcase2023")
    clips = write_clips(tmp_path / "data", "dcase2023", rows)
    some = [r for r in rows if r["machine_type"] != "valve"]
    write_scores(tmp_path / "runs/dcase2023/scores/nn.parquet", some, random_scores(some), clips)
    assert asd("evaluate", "--json") == 3
    told = json.loads(capsys.readouterr().out)
    found = told["facts"] | {"warnings": told["warnings"]}
    assert told["exit_code"] == 3 and told["outputs"][0]["skipped"] == 40
    assert "dev: no scores for valve; the score is over the other machine types" in found["warnings"]
    assert "|machines:6|clips:240/280|" in found["results"][0]["signature"]
    assert found["results"][0]["clips"] == {"evaluated": 240, "missing": 40}


def test_a_line_over_all_clips_says_nothing_of_them_whatever_other_subsets_lack(asd, tmp_path, capsys):
    """Nothing of the evaluation part is scored: there is no number of it that could pass for a whole one."""
    rows = clip_rows("dcase2022", machine_types=["fan"]) + clip_rows("dcase2022", machine_types=["fan"], subset="eval")
    clips = write_clips(tmp_path / "data", "dcase2022", rows)
    dev = [r for r in rows if r["subset"] == "dev"]
    write_scores(tmp_path / "runs/dcase2022/scores/nn.parquet", dev, random_scores(dev), clips)
    assert asd("evaluate", "--json") == 0
    (one,) = result(capsys)["results"]
    assert "|clips:" not in one["signature"] and one["clips"] == {"evaluated": 120, "missing": 0}


def test_named_tables_that_lack_clips_end_with_exit_code_3_too(asd, tmp_path, capsys):
    rows = make_run(tmp_path, "dcase2023", machine_types=["fan", "valve"])
    clips = artifacts.read_header(tmp_path / "data/dcase2023/clips.parquet", artifacts.CLIPS)
    part = [r for r in rows if r["machine_type"] == "fan"]
    write_scores(tmp_path / "part.parquet", part, random_scores(part), clips, "rescale:k=4")
    whole = tmp_path / "runs/dcase2023/scores/nn.parquet"
    assert asd("evaluate", whole, "part.parquet", "--dataset", "dcase2023") == 3
    out = capsys.readouterr().out
    assert "|clips:40/80|embedder:logmel|method:rescale:k=4|" in out and out.count("|clips:") == 1
    row = next(line for line in out.splitlines() if "rescale:k=4" in line)
    assert "40/80" in row


def test_an_undefined_term_is_named_left_out_and_counted_in_the_signature(asd, tmp_path, capsys):
    rows = [
        r
        for r in clip_rows("dcase2023", machine_types=["fan", "valve"])
        if (r["machine_type"], r["domain"], r["condition"], r["split"]) != ("fan", "target", "normal", "test")
    ]
    make_run(tmp_path, "dcase2023", rows=rows)
    asd("evaluate", "--json")
    found = result(capsys)
    assert any("auc_target of fan section 00 (no normal clips)" in w for w in found["warnings"])
    one = found["results"][0]
    assert "|undefined:1/6|" in one["signature"] and one["official"] is not None
    defined = [s["value"] for s in one["sections"] if s["value"] is not None and not s["term"].startswith("pauc_")]
    assert len(defined) == 5 and one["official"] == pytest.approx(hmean(defined), abs=1e-12)


def test_only_normal_test_clips_give_no_number_but_say_why(asd, tmp_path, capsys):
    rows = [r for r in clip_rows("dcase2023", machine_types=["fan"]) if r["condition"] == "normal"]
    make_run(tmp_path, "dcase2023", rows=rows)
    assert asd("evaluate", "--bootstrap", "10", "--json") == 0
    found = result(capsys)
    assert found["results"][0]["official"] is None and found["results"][0]["signature"].endswith("= undefined")
    assert any("no anomalous clips" in w for w in found["warnings"])
    assert asd("evaluate") == 0  # and a table of dashes can be drawn


def test_scores_without_edition_are_evaluated_by_the_rule_that_fits_their_labels(asd, tmp_path, capsys):
    rows = [{**r, "domain": None} for r in clip_rows("dcase2023", machine_types=["fan"])]
    scores = [
        {**r, "method": "mine", "anomaly_score": float(s)} for r, s in zip(rows, random_scores(rows), strict=True)
    ]
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(scores)
    table = table.set_column(table.column_names.index("domain"), "domain", pa.nulls(len(table), pa.string()))
    pq.write_table(table, tmp_path / "theirs.parquet")
    assert asd("evaluate", "theirs.parquet", "--json") == 0
    (one,) = result(capsys)["results"]
    assert one["metric"] == "dcase2020"
    assert "|clips:40/?|" in one["signature"]  # nobody knows whether that is all
    assert one["clips"] == {"evaluated": 40, "missing": None}


@pytest.mark.parametrize("names", [("small/nn", "large/nn"), ("nn", "nn")])
def test_two_runs_of_one_method_are_told_apart_and_compared_by_either_name(asd, tmp_path, capsys, names):
    rows = clip_rows("dcase2023", machine_types=["fan"])
    clips = write_clips(tmp_path / "data", "dcase2023", rows)
    for seed, run in enumerate(("small", "large")):
        write_scores(tmp_path / run / "scores/nn.parquet", rows, random_scores(rows, seed), clips)
    assert asd("evaluate", "small/scores", "large/scores", "--compare", *names, "--json") == 0
    found = result(capsys)
    assert found["compared"] == [r["method"] for r in found["results"]] == ["small/nn", "large/nn"]
    difference = found["results"][0]["official"] - found["results"][1]["official"]
    assert found["comparisons"]["dev"]["difference"] == pytest.approx(difference, abs=1e-12) != 0


def test_a_name_that_several_methods_bear_is_refused_with_what_each_is_called(asd, tmp_path, capsys):
    rows = clip_rows("dcase2023", machine_types=["fan"])
    clips = write_clips(tmp_path / "data", "dcase2023", rows)
    for run in ("a", "b", "c"):
        write_scores(tmp_path / run / "scores/nn.parquet", rows, random_scores(rows), clips)
    write_scores(tmp_path / "a/scores/rescale.parquet", rows, random_scores(rows), clips, "rescale")
    tables = ("a/scores", "b/scores", "c/scores")
    for pair in (("nn", "nn"), ("rescale", "nn"), ("nn", "rescale")):
        assert asd("evaluate", *tables, "--compare", *pair) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "error: 3 methods are called 'nn' here hint: name the one that is meant: a/nn, b/nn, c/nn" in said
    assert asd("evaluate", *tables, "--compare", "b/nn", "b/nn") == 2
    assert "b/nn is compared with itself" in capsys.readouterr().err
    assert asd("evaluate", *tables, "--compare", "b/nn", "c/nn") == 0


def test_runs_and_tables_called_alike_are_told_apart_by_more_of_their_paths(asd, tmp_path, capsys):
    rows = clip_rows("dcase2023", machine_types=["fan"])
    clips = write_clips(tmp_path / "data", "dcase2023", rows)
    for place in ("x/run/scores/nn", "y/run/scores/nn", "four", "six"):
        write_scores(tmp_path / f"{place}.parquet", rows, random_scores(rows), clips)
    assert asd("evaluate", "x/run/scores", "y/run/scores", "--json") == 0
    assert [r["method"] for r in result(capsys)["results"]] == ["x/run/nn", "y/run/nn"]
    assert asd("evaluate", "four.parquet", "six.parquet", "--json") == 0
    assert [r["method"] for r in result(capsys)["results"]] == ["four/nn", "six/nn"]
    assert asd("evaluate", "four.parquet", "four.parquet") == 1
    assert "2 score tables hold method 'nn'" in capsys.readouterr().err


def two_models(root, *spellings, contents=("5fa2c1aa", "9bc021aa")):
    """A run with `nn` of the first model and `rescale` of the second."""
    rows = clip_rows("dcase2023", machine_types=["fan", "valve"])
    clips = write_clips(root / "data", "dcase2023", rows)
    for i, (method, spelling, content) in enumerate(zip(("nn", "rescale"), spellings, contents, strict=True)):
        vectors = of_vectors(clips, content, model=of_model(clips, spelling, content=spelling))
        path = root / f"runs/dcase2023/scores/{method}.parquet"
        write_scores(path, rows, random_scores(rows, i), clips, method, embeddings=vectors)


def test_methods_of_different_embeddings_are_marked_in_every_row_and_line(asd, tmp_path, capsys, monkeypatch):
    two_models(tmp_path, "discriminative:centers=fixed", "discriminative:centers=trainable")
    for width in ("80", "160"):
        monkeypatch.setenv("COLUMNS", width)
        assert asd("evaluate") == 0
        said = capsys.readouterr()
        rows = [line for line in said.out.splitlines() if line.startswith("│") and re.search("nn|rescale", line)]
        assert len(rows) >= 4
        for row in rows:
            assert ("5fa2c1" if "nn" in row else "9bc021") in row
        assert "|made:" in said.out and "|embeddings:5fa2c1|" in said.out and "|embeddings:9bc021|" in said.out
        told = "discriminative 5fa2c1 (nn), discriminative 9bc021 (rescale)"
        warning = f"methods of one table are not of the same embeddings: {told}"
        assert f"warning: {warning}" in " ".join(said.err.split())
    assert asd("evaluate", "--json") == 0
    found = result(capsys)
    assert warning in found["warnings"]
    assert [r["made_of"]["embeddings"]["content"] for r in found["results"]] == ["5fa2c1aa", "9bc021aa"]
    header = artifacts.read_header(tmp_path / "runs/dcase2023/results.parquet", artifacts.RESULTS)
    assert header.diagnostics["warnings"] == [warning]


def test_methods_of_the_same_embeddings_are_not_marked(asd, tmp_path, capsys):
    two_models(tmp_path, "discriminative", "discriminative", contents=("5fa2c1aa", "5fa2c1aa"))
    assert asd("evaluate") == 0
    said = capsys.readouterr()
    assert "embeddings" not in said.out and "warning" not in said.err


def test_methods_of_different_datasets_do_not_stand_in_one_table(asd, tmp_path, capsys):
    for edition in ("dcase2020", "dcase2023"):
        make_run(tmp_path, edition, ["nn", "rescale"])
    assert asd("evaluate", "runs/dcase2020/scores", "runs/dcase2023/scores", "--dataset", "dcase2020") == 0
    out = capsys.readouterr().out
    assert "dcase2020 dev: arithmetic means" in out and "dcase2023 dev: harmonic means" in out
    assert out.index("ToyConveyor") < out.index("dcase2023 dev: harmonic means") < out.index("ToyTrain")


def test_a_comparison_prints_difference_interval_and_p(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023", ["nn", "rescale:k=4"])
    assert asd("evaluate", "--compare", "nn", "rescale:k=4", "--bootstrap", "50") == 0
    assert re.search(
        r"dev: nn − rescale:k=4 = [+-]0\.\d{4}  95 % interval \[[+-]0\.\d{4}, [+-]0\.\d{4}\]  p = ",
        capsys.readouterr().out,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--metric", "dcase2032"], 2, "unknown metric 'dcase2032'"),
        (["--max-fpr", "1.5"], 2, "--max-fpr must lie in (0, 1], got 1.5"),
        (["--compare", "nn", "varmim"], 2, "unknown method 'varmim'"),
        (["nothing.parquet"], 1, "no scores at nothing.parquet"),
        (["data/dcase2023/clips.parquet"], 1, "holds clips, not scores"),
        (["--clips", "gone.parquet"], 1, "no clips at gone.parquet"),
        (["--thresholds", "gone.parquet"], 1, "no thresholds at gone.parquet"),
        (["x.parquet", "--submission", "y"], 2, "not both"),
    ],
)
def test_refusals_name_what_is_wrong_and_keep_old_results(asd, tmp_path, capsys, arguments, code, message):
    make_run(tmp_path, "dcase2023", rows=clip_rows("dcase2023", machine_types=["fan"]))
    asd("evaluate", "-q")
    results = tmp_path / "runs/dcase2023/results.parquet"
    before = results.read_bytes()
    assert asd("evaluate", *arguments) == code
    err = capsys.readouterr().err
    assert message in err.replace("\n", " ") and "Traceback" not in err
    assert results.read_bytes() == before


def test_a_score_that_is_not_finite_is_refused_with_its_clip(asd, tmp_path, capsys):
    rows = clip_rows("dcase2023", machine_types=["fan"])
    clips = write_clips(tmp_path / "data", "dcase2023", rows)
    table = tmp_path / "runs/dcase2023/scores/nn.parquet"
    write_scores(table, rows, random_scores(rows), clips)
    spoil(table, -1, anomaly_score=np.nan)
    assert asd("evaluate") == 1
    assert f"anomaly_score of {rows[-1]['clip_id']} is nan" in capsys.readouterr().err.replace("\n", " ")


def test_an_unknown_condition_is_refused(asd, tmp_path, capsys):
    rows = clip_rows("dcase2023", machine_types=["fan"])
    make_run(tmp_path, "dcase2023", rows=rows)
    spoil(tmp_path / "runs/dcase2023/scores/nn.parquet", -1, condition="abnormal")
    assert asd("evaluate") == 1
    assert "is 'abnormal': it is none of normal, anomaly" in capsys.readouterr().err.replace("\n", " ")


def test_twenty_methods_of_a_whole_edition_are_evaluated_without_torch_or_sklearn(tmp_path):
    rows = clip_rows("dcase2024", train=0, each=50) + clip_rows("dcase2024", subset="eval", train=0, each=50)
    assert len(rows) == 16 * 200
    make_run(tmp_path, "dcase2024", [f"varmin:k={k},val=test-all" for k in range(1, 21)], rows=rows)
    code = (
        "import sys; from asdcli.cli import call; code = call(['evaluate', '-q']);"
        "print(code, *[m for m in ('torch', 'sklearn', 'scipy', 'librosa', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0"], done.stdout + done.stderr
    assert Path(tmp_path / "runs/dcase2024/results.parquet").exists()
