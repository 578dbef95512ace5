"""`asd index`: what becomes of recordings that nobody labelled, on the way from the door to the evaluation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asdcli import artifacts

Asd = Callable[..., int]


def record(folder: Path, names: Sequence[str]) -> None:
    """Noise of a tenth of a second, another one in each file."""
    for seed, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, 3200).clip(-1, 1), 16_000, "PCM_16")


def table(dataset: str) -> list[dict[str, Any]]:
    return artifacts.read_table(Path("data") / dataset / "clips.parquet", artifacts.CLIPS)[0].to_pylist()


def said(dataset: str) -> Counter[tuple[Any, ...]]:
    return Counter((r["split"], r["condition"], r["condition_from"]) for r in table(dataset))


def test_recordings_without_any_label_train_with_a_loud_line_that_says_how_to_say_otherwise(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", [f"{i}.wav" for i in range(5)])
    assert asd("index", "mine", "--json") == 0
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert warning.startswith("NOT LABELLED: all 5 recordings of mine are taken as normal training clips")
    assert "--unlabelled test" in warning and "--manifest" in warning
    assert said("mine") == {("train", "normal", "assumed"): 5}
    assert asd("index", "mine", "--unlabelled", "test") == 0
    assert said("mine") == {("test", None, None): 5}
    assert "none to train on" in capsys.readouterr().err


def test_unlabelled_recordings_beside_labelled_ones_test_are_scored_and_count_in_no_evaluation(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", [f"October normal/{i}.wav" for i in range(6)] + ["broken/0.wav", "week 47/0.wav"])
    record(tmp_path / "mine", [f"week 47/{i}.wav" for i in range(1, 4)])
    assert asd("index", "mine", "--machine", "fan 3") == 0
    assert said("mine") == {
        ("train", "normal", "folder"): 5,
        ("test", "normal", "folder"): 1,
        ("test", "anomaly", "folder"): 1,
        ("test", None, None): 4,
    }
    told = capsys.readouterr().err
    assert "4 test clips of fan 3 have no label: they are scored, and count in no evaluation" in told
    assert "NOT LABELLED" not in told
    for line in ("extract-features --features logmel", "embed --embedder logmel", "score -m nn", "threshold"):
        assert asd(*line.split(), "--quiet") == 0
    scores, _ = artifacts.read_table(Path("runs/mine/scores/nn.parquet"), artifacts.SCORES)
    assert len(scores) == 11
    assert asd("threshold", "--decisions", "decisions.csv", "--quiet") == 0
    assert len(Path("decisions.csv").read_text().splitlines()) == 1 + 6
    capsys.readouterr()
    assert asd("evaluate", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert any("4 test clips" in w and "without known condition" in w for w in told["warnings"])
    results, _ = artifacts.read_table(Path("runs/mine/results.parquet"), artifacts.RESULTS)
    counts = {(r["n_normal"], r["n_anomalous"]) for r in results.to_pylist() if r["n_normal"] is not None}
    assert counts == {(1, 1)}


def test_an_empty_label_of_a_manifest_is_never_made_a_normal_one(asd: Asd, tmp_path: Path) -> None:
    record(tmp_path / "mine", ["a.wav", "b.wav", "c.wav", "d.wav"])
    (tmp_path / "m.csv").write_text("path,label\na.wav,normal\nb.wav,normal\nc.wav,\nd.wav,not ok\n")
    assert asd("index", "mine", "--manifest", "m.csv", "--test-fraction", 0.4) == 0
    assert {r["path"][6:7]: (r["condition"], r["condition_from"]) for r in table("mine")} == {
        "a": ("normal", "manifest"),
        "b": ("normal", "manifest"),
        "c": (None, "manifest"),
        "d": ("anomaly", "manifest"),
    }
    assert {r["split"] for r in table("mine") if r["condition"] is None} == {"test"}


def test_an_empty_label_of_what_a_manifest_says_to_train_is_warned_of_and_trains(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", ["a.wav", "b.wav", "c.wav"])
    (tmp_path / "m.csv").write_text("path,split,label\na.wav,train,\nb.wav,train,0\nc.wav,test,1\n")
    assert asd("index", "mine", "--manifest", "m.csv") == 0
    assert "NOT LABELLED: 1 recordings of mine, whose condition is empty in the manifest" in capsys.readouterr().err
    assert said("mine")["train", None, "manifest"] == 1
    for line in ("extract-features --features logmel", "embed --embedder logmel", "score -m nn", "threshold"):
        assert asd(*line.split(), "--quiet") == 0
    thresholds, _ = artifacts.read_table(Path("runs/mine/thresholds.parquet"), artifacts.THRESHOLDS)
    assert thresholds["n_clips"].to_pylist() == [2]


def test_a_manifest_without_labels_does_not_make_normal_what_names_call_otherwise(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", ["normal/a.wav", "abnormal/b.wav"])
    (tmp_path / "m.csv").write_text("path\nnormal/a.wav\nabnormal/b.wav\n")
    assert asd("index", "mine", "--manifest", "m.csv") == 1
    told = capsys.readouterr().err
    assert "'abnormal'; the first is abnormal/b.wav" in told
    assert "say it in a column condition of m.csv" in told and "--condition-word" not in told
    assert not Path("data").exists()
    (tmp_path / "m.csv").write_text("path,label\nnormal/a.wav,0\nabnormal/b.wav,0\n")
    assert asd("index", "mine", "--manifest", "m.csv") == 0
    told = capsys.readouterr().err
    assert "1 recordings that m.csv calls normal may be anomalies by their names: abnormal/b.wav" in told
    assert asd("index", "mine", "--manifest", "m.csv", "--condition-word", "abnormal=none") == 2


def test_machine_types_of_a_manifest_that_differ_by_a_condition_are_refused(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", ["a.wav", "b.wav"])
    for pair in (("fan", "fan_broken"), ("balanced", "unbalanced")):
        (tmp_path / "m.csv").write_text("path,machine\na.wav,{}\nb.wav,{}\n".format(*pair))
        assert asd("index", "mine", "--manifest", "m.csv") == 1
        told = capsys.readouterr().err
        assert "say it in a column condition of m.csv" in told and "--condition-word" not in told


def test_a_folder_of_anomalies_by_its_own_name_does_not_train(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "rec" / "abnormal", ["a.wav"])
    assert asd("index", "rec/abnormal", "--name", "x") == 1
    assert "their folder is 'abnormal'" in capsys.readouterr().err
    assert asd("index", "rec/abnormal", "--name", "x", "--unlabelled", "test") == 0


def test_names_beside_conditions_that_say_none_are_told_where_splits_are_stated(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", [f"test/{c}/a.wav" for c in ("good", "broken_large", "contamination")])
    record(tmp_path / "mine", ["train/good/a.wav", "train/heavyload/a.wav"])
    assert asd("index", "mine") == 0
    told = capsys.readouterr().err
    assert "warning: training clips are normal by definition, but some names may say otherwise: 'heavyload'" in told
    assert "warning: test clips count in no evaluation while what their names say is not read: 'contamination'" in told
    words = ["--condition-word", "contamination=anomaly", "--condition-word", "heavyload=normal"]
    assert asd("index", "mine", *words) == 0
    assert said("mine")["test", "anomaly", "option"] == 1
    assert "may say otherwise" not in capsys.readouterr().err


def test_a_refused_name_leaves_nothing_and_the_command_that_is_told_works(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", ["engine1_ok/a.wav", "engine1_ok/b.wav", "engine2_broken/a.wav"])
    assert asd("index", "mine") == 1
    told = capsys.readouterr().err
    assert "'broken' in engine2_broken; the first is engine2_broken/a.wav" in told
    assert "--condition-word broken=anomaly" in told and "--machine NAME" in told
    assert not Path("data").exists()
    assert asd("index", "mine", "--machine", "engine") == 0
    assert said("mine")["test", "anomaly", "folder"] == 1
    capsys.readouterr()
    assert asd("index", "mine", "--condition-word", "broken=anomaly", "--condition-word", "ok=normal") == 0
    assert said("mine")["test", "anomaly", "option"] == 1
    assert "last time data/mine/clips.parquet was made with other options: machine engine" in capsys.readouterr().err


def test_the_hint_does_not_say_what_was_just_typed(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", ["train/good and bad/a.wav"])
    assert asd("index", "mine", "--machine", "fan") == 1
    told = capsys.readouterr().err
    assert "--condition-word" in told and "--machine NAME" not in told


def test_doctor_and_the_next_command_keep_the_options_that_were_typed(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", ["niO/a.wav", "week 1/b.wav"])
    typed = ["--machine", "fan 3", "--unlabelled", "train", "--condition-word", "niO=anomaly", "--data", "store"]
    assert asd("index", "mine", *typed) == 0
    assert "--data store" in capsys.readouterr().err.partition("next: ")[2]
    (tmp_path / "mine" / "week 1" / "b.wav").unlink()
    asd("doctor", "--data", "store", "--json")
    fixes = [f["fix"] for f in json.loads(capsys.readouterr().out)["facts"]["findings"] if f["name"] == "mine"]
    assert any("--machine 'fan 3' --unlabelled train --condition-word niO=anomaly" in (fix or "") for fix in fixes), (
        fixes
    )


def test_missing_paths_of_a_manifest_are_counted_and_named_with_what_is_there(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", ["sub/n0.flac", "n1.wav"])
    (tmp_path / "m.csv").write_text("path;label\nsub/n0.wav;normal\nD:\\rec\\n1.wav;normal\n/old/n2.wav;normal\n")
    assert asd("index", "mine", "--manifest", "m.csv") == 1
    told = capsys.readouterr().err
    assert "not one of 3 listed paths exists, such as" in told
    (tmp_path / "m.csv").write_text("path;label\nsub/n0.wav;normal\nn1.wav;normal\n")
    assert asd("index", "mine", "--manifest", "m.csv") == 3
    assert (
        "left out 1 (does not exist, though m.csv lists it: sub/n0.flac is there): sub/n0.wav"
        in capsys.readouterr().err
    )


def test_days_that_look_like_machines_are_told_with_what_makes_them_one(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", [f"2024-01-0{day}/{c}/a.wav" for day in (3, 4) for c in ("normal", "abnormal")])
    assert asd("index", "mine") == 0
    assert "told apart by numbers or dates alone: 2024-01-03, 2024-01-04" in capsys.readouterr().err
    assert asd("index", "mine", "--machine", "fan") == 0
    assert "told apart" not in capsys.readouterr().err


def test_a_machine_type_with_nothing_to_train_on_is_warned_of_with_the_way_out(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", ["fan/a.wav", "fan/b.wav", "fan_broken/c.wav"])
    assert asd("index", "mine") == 0
    told = capsys.readouterr().err
    assert "fan: 3 clips, but none to train on" in told and "2 have no label, and --unlabelled train" in told
    assert asd("index", "mine", "--unlabelled", "train") == 0
    assert said("mine") == {("train", "normal", "option"): 2, ("test", "anomaly", "folder"): 1}


def test_editions_say_where_their_conditions_come_from_and_older_tables_are_read(asd: Asd) -> None:
    assert asd("download", "synthetic", "--size", "tiny", "-q") == 0
    assert {r["condition_from"] for r in table("synthetic")} == {"name"}
    path = Path("data/synthetic/clips.parquet")
    old, header = artifacts.read_table(path, artifacts.CLIPS)
    older = artifacts.CLIPS.__class__(
        "clips",
        1,
        "asd download",
        ("clip_id",),
        tuple(c for c in artifacts.CLIPS.columns if c.name != "condition_from"),
    )
    artifacts.write_table(path, older, old.drop_columns(["condition_from"]), header)
    assert {r["condition_from"] for r in table("synthetic")} == {None}
    assert asd("extract-features", "-q") == 0
