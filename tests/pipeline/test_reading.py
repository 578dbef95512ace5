"""What the stages of the chain say of what they read: stale, damaged, older than its recordings, or not there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from asdcli import artifacts
from asdcli.pipeline.chain import CHAIN, CLIPS
from tests.helpers.damage import flip

Asd = Callable[..., int]

WINDOWS = "--scores runs/synthetic/window-scores/mse.parquet --level clip"
MSE = "--method mse --level clip"
READS = {  # stage, file that it reads -> a command that reads it
    ("train", "features/waveform/fan.npz"): "train --epochs 1",
    ("embed", "features/waveform/fan.npz"): "embed",
    ("embed", "model"): "embed",
    ("embed", "model/fold-1"): "embed",
    ("score", "embeddings.parquet"): "score --method nn --seed 3",
    ("score", "fold-embeddings.parquet"): "score --method nn --seed 3",
    ("score", "features/waveform/fan.npz"): "score --method mse",
    ("score", "autoencoder"): "score --method mse",
    ("score", "autoencoder/fold-1"): "score --method mse",
    ("smooth", "window-scores/mse.parquet"): f"smooth -k 2 {WINDOWS}",
    ("smooth", "scores/mse.parquet"): f"smooth -k 2 {MSE}",
    ("smooth", "embeddings.parquet"): f"smooth -k 2 {MSE}",
    ("append", "window-scores/mse.parquet"): f"smooth --append -k 5 {WINDOWS}",
    ("append", "scores/mse.parquet"): f"smooth --append -k 5 {MSE}",
    ("append", "embeddings.parquet"): f"smooth --append -k 5 {MSE}",
    ("fraction", "window-scores/mse.parquet"): f"smooth --fraction 0.5:1.0:0.5 -k 2 --repeats 1 {WINDOWS}",
    ("fraction", "scores/mse.parquet"): f"smooth --fraction 0.5:1.0:0.5 -k 2 --repeats 1 {MSE}",
    ("fraction", "embeddings.parquet"): f"smooth --fraction 0.5:1.0:0.5 -k 2 --repeats 1 {MSE}",
    ("tune", "window-scores/mse.parquet"): f"tune -k 1 --clusters none --choose 00 --report 01 {WINDOWS}",
    ("tune", "scores/mse.parquet"): f"tune -k 1 --clusters none --choose 00 --report 01 {MSE}",
    ("tune", "embeddings.parquet"): f"tune -k 1 --clusters none --choose 00 --report 01 {MSE}",
    ("label-free", "embeddings.parquet"): "tune --objective label-free -m nn --pseudo shuffled",
    ("label-free", "fold-embeddings.parquet"): "tune --objective label-free -m nn --pseudo shuffled",
    ("fuse", "scores/nn.parquet"): "fuse nn mse",
    ("threshold", "scores/nn.parquet"): "threshold",
    ("evaluate", "scores/nn.parquet"): "evaluate",
    ("evaluate", "thresholds.parquet"): "evaluate",
}


def test_every_file_that_a_stage_of_the_chain_reads_is_tried_below() -> None:
    wanted = {(stage.name, files.pattern) for stage in CHAIN for files in stage.reads if files is not CLIPS}
    tried = {
        (s.name, f.pattern) for s in CHAIN for f in s.reads for name, path in READS if s.name == name and f.hold(path)
    }
    assert tried == wanted


def made_of_others(path: Path) -> None:
    """Let the header of a file say that it was made of something else than what lies there."""
    header = artifacts.read_header(path, artifacts.ANY)
    role = next(role for role in header.inputs if role != "clips" or len(header.inputs) == 1)
    header = replace(header, inputs={**header.inputs, role: "0" * 32})
    if path.is_dir():
        card = json.loads((path / "card.json").read_text())["card"]
        (path / "card.json").write_text(header.to_json(card=card))
    elif path.suffix == ".npz":
        artifacts.write_arrays(path, artifacts.read_arrays(path, artifacts.FEATURES)[0], header)
    else:
        kind = artifacts.KINDS[header.kind]
        artifacts.write_table(path, kind, artifacts.read_table(path, kind)[0], header)


@pytest.mark.parametrize(("stage", "path"), READS)
def test_every_stage_says_of_every_stale_file_that_it_reads_why_it_is_stale_and_what_mends_it(
    stage: str, path: str, request: pytest.FixtureRequest, asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    run: Path = request.getfixturevalue("folded_run" if "fold" in path else "whole_run")
    made_of_others(run / path)
    assert asd(*READS[stage, path].split()) == 0
    said = " ".join(capsys.readouterr().err.split())
    name = path.partition(".")[0]
    assert re.search(rf"warning: made of files that have changed since: ([^;]*; )*{name} \(\S+ changed", said), said
    assert re.search(r"bring up to date: asd \w", said)


@pytest.mark.parametrize(
    ("path", "reader", "cut"),
    [
        ("features/waveform/fan.npz", "embed --force", False),
        ("model/weights.safetensors", "embed --force", False),
        ("embeddings.parquet", "score --method nn --force", False),
        ("embeddings.parquet", "score --method nn --force", True),
        ("scores/nn.parquet", "threshold", False),
        ("scores/mse+smooth.k=2,data=source,level=clip.parquet", "evaluate", False),
        ("scores/mse+smooth.k=4,data=all,level=clip.parquet", "evaluate", True),
        ("scores/mse+smooth.tuned.parquet", "evaluate", False),
        ("scores/gmm.tuned.parquet", "evaluate", True),
        ("pools/mse+smooth.k=4,data=all,level=clip.parquet", "smooth --method mse -k 4 --level clip --append", False),
        ("pools/mse+smooth.k=4,data=all,level=clip.parquet", "smooth --method mse -k 4 --level clip --append", True),
        ("thresholds.parquet", "evaluate", False),
        ("thresholds.parquet", "evaluate", True),
    ],
)
def test_a_damaged_file_that_a_stage_reads_is_answered_with_the_command_that_makes_just_that_file(
    path: str, reader: str, cut: bool, whole_run: Path, asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    file = whole_run / path
    whole = artifacts.read_header(file.parent if file.suffix == ".safetensors" else file, artifacts.ANY)
    file.write_bytes(file.read_bytes()[:200]) if cut else flip(file)
    assert asd(*reader.split()) == 1
    error, _, command = capsys.readouterr().err.rpartition("hint: make it again: ")
    assert file.name in error
    assert asd(*shlex.split(command)[1:], "--quiet") == 0, command
    again = artifacts.read_header(file.parent if file.suffix == ".safetensors" else file, artifacts.ANY)
    assert again.params == whole.params
    assert asd(*reader.split(), "--quiet") == 0


def test_a_rule_that_no_file_knows_any_more_is_not_guessed(
    whole_run: Path, asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    (whole_run / "results.parquet").unlink()
    (whole_run / "thresholds.parquet").write_bytes(b"no more")
    assert asd("evaluate") == 1
    assert capsys.readouterr().err.endswith("hint: make it again: asd threshold --rule RULE --force\n")


def test_recordings_written_after_they_were_packed_are_named_by_whoever_reads_the_pack(
    whole_run: Path, asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = next(Path("data/synthetic").rglob("fan/train/*.wav"))
    recording.write_bytes(recording.read_bytes()[:-2000] + bytes(2000))
    for line in ("train --epochs 1", "embed", "score --method mse"):
        assert asd(*line.split()) == 0
        said = " ".join(capsys.readouterr().err.split())
        assert f"features/waveform/fan: 1 recording was written after it, the first: {recording}" in said
        assert "pack them anew: asd extract-features --machine-type fan" in said
    assert asd("extract-features") == 0
    assert asd("train", "--epochs", 1) == 0
    assert "written after it" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        "evaluate runs/synthetic/scores --data nowhere",
        "evaluate runs/synthetic/scores --data nowhere --dataset synthetic",
        "threshold runs/synthetic/scores/nn.parquet -o t.parquet --data nowhere",
        "score --embeddings runs/synthetic/embeddings.parquet -o s.parquet --data nowhere",
        "smooth --scores runs/synthetic --embeddings runs/synthetic --data nowhere --dataset synthetic",
        "submit --label Doe_Lab --edition dcase2023 --data nowhere",
        "score --from scores.csv --data nowhere",
        "train --data nowhere",
        "run --data nowhere",
    ],
)
def test_a_data_root_that_is_not_there_is_refused_by_name(
    line: str, whole_run: Path, asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd(*line.split()) == 1
    assert "error: there is no data root nowhere\n" in capsys.readouterr().err
    assert not Path("nowhere").exists()


def test_a_dataset_that_is_not_there_is_refused_with_those_that_are(
    whole_run: Path, asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("evaluate", "runs/synthetic/scores", "--dataset", "synthetik") == 1
    said = capsys.readouterr().err
    assert "error: no dataset 'synthetik' under data\n" in said and "hint: there are: synthetic\n" in said
