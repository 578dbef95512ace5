"""No numbers of a dataset, run or model that was not asked for: what was not typed is said, or is none of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asdcli import artifacts
from asdcli.pipeline import run_note

Asd = Callable[..., int]


@pytest.fixture
def place(asd: Asd) -> Asd:
    """A working folder where the synthetic dataset was worked on last."""
    assert asd("download", "synthetic", "--size", "tiny", "--machine-type", "fan", "--quiet") == 0
    return asd


def vectors(path: Path, clip_ids: list[str]) -> Path:
    rows = [
        f"{c},fan,{'train' if i < 4 else 'test'},{('normal', 'anomaly')[i > 5]},{i},{i % 3}"
        for i, c in enumerate(clip_ids)
    ]
    path.write_text("\n".join(["clip_id,machine_type,split,condition,v0,v1", *rows]))
    return path


def test_vectors_of_other_clips_are_no_part_of_the_dataset_last_worked_on(
    place: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors(Path("own.csv"), [f"c{i}" for i in range(8)])
    assert place("embed", "--from", "own.csv", "--run", "runs/mine") == 0
    assert capsys.readouterr().err.startswith("dataset mine, run runs/mine\n")
    assert run_note.dataset_of(Path("runs/mine")) == "mine"
    assert place("score", "--run", "runs/mine", "--method", "nn", "--quiet") == 0
    assert place("evaluate", "--run", "runs/mine") == 0
    assert "mine|dev|" in capsys.readouterr().out
    assert place("embed", "--from", "own.csv") == 0
    assert artifacts.read_header(Path("runs/own/embeddings.parquet"), artifacts.EMBEDDINGS).dataset == "own"


def test_vectors_of_its_own_clips_are(place: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    table, _ = artifacts.read_table(Path("data/synthetic/clips.parquet"), artifacts.CLIPS)
    vectors(Path("own.csv"), table["clip_id"].to_pylist()[-8:])
    assert place("embed", "--from", "own.csv") == 0
    assert capsys.readouterr().err.startswith("dataset synthetic, run runs/synthetic\n")


def test_scores_are_not_measured_by_the_labels_of_other_clips(place: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    vectors(Path("own.csv"), [f"c{i}" for i in range(8)])
    assert place("embed", "--from", "own.csv", "--dataset", "synthetic", "--run", "runs/mine", "--quiet") == 0
    assert place("score", "--run", "runs/mine", "--method", "nn", "--quiet") == 0
    capsys.readouterr()
    assert place("evaluate", "--run", "runs/mine") == 1
    said = capsys.readouterr().err
    assert "error: none of the clips of runs/mine/scores/nn.parquet is in the table of clips" in said


def test_a_command_says_first_on_what_it_works_where_that_was_not_typed(
    place: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert place("extract-features", "--features", "logmel") == 0
    assert capsys.readouterr().err.startswith("dataset synthetic, run runs/synthetic\n")
    for typed in (("--dataset", "synthetic"), ("--run", "runs/synthetic"), ("--quiet",)):
        assert place("extract-features", "--features", "logmel", *typed) == 0
        assert "dataset synthetic" not in capsys.readouterr().err


@pytest.mark.parametrize("line", ["index nowhere --name mine", "index empty --name mine"])
def test_a_refused_index_leaves_no_trace(line: str, place: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert place(*line.split()) == 1
    assert Path("data/current").read_text() == "synthetic\n" and not Path("data/mine").exists()


def test_a_run_without_a_model_goes_on_with_the_embedder_that_it_had(
    place: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in ("extract-features --features logmel", "embed --embedder logmel"):
        assert place(*line.split(), "--quiet") == 0
    for line in ("embed", "run --method nn"):
        capsys.readouterr()
        assert place(*line.split()) == 0
        assert "embedding with logmel, as the run's embeddings were (another: --embedder)" in capsys.readouterr().err
    assert not Path("runs/synthetic/model").exists()
    for line in ("extract-features", "train --epochs 1"):
        assert place(*line.split(), "--quiet") == 0
    assert place("embed") == 0
    warned = capsys.readouterr().err
    assert "the run's embeddings are of logmel, new ones are of its model (--embedder logmel keeps them)" in warned
