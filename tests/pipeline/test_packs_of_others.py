"""A run that reads another run's packs: that is noted, found by later steps, judged by what lies there, and ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asdcli.outcome import Outcome
from asdcli.pipeline import run_note
from asdcli.pipeline.workspace import Workspace
from asdcli.stages import train

Asd = Callable[..., int]
PACKS = "runs/packs"
OWN = ("--run", "runs/mine", "--dataset", "synthetic")


@pytest.fixture
def lending(asd: Asd, everything: Path, tmp_path: Path) -> Path:
    """`runs/packs` with log-mel statistics, and `runs/mine` embedded from them."""
    (tmp_path / "data").symlink_to(everything / "data")
    assert asd("extract-features", "--features", "logmel", "--run", PACKS, "--dataset", "synthetic", "-q") == 0
    assert asd("embed", "--embedder", "logmel", "--features-from", PACKS, *OWN, "-q") == 0
    return tmp_path


def test_whose_packs_a_run_reads_is_noted_and_found_by_later_steps(
    lending: Path, asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    assert json.loads(Path("runs/mine/run.json").read_text()) == {"dataset": "synthetic", "features": "../packs"}
    assert Workspace(Path("data"), Path("runs/mine"), "synthetic").features == Path("runs/packs/features")
    assert not Path("runs/mine/features").exists()
    assert asd("embed", "--embedder", "logmel", *OWN) == 0
    assert "up to date" in capsys.readouterr().err
    assert asd("run", "--embedder", "logmel", "--method", "nn", *OWN) == 0
    assert "the features are those of runs/packs" in capsys.readouterr().err
    assert not Path("runs/mine/features").exists()
    assert asd("doctor", *OWN) == 0
    assert "embeddings: up to date" in capsys.readouterr().out


def test_packs_that_change_there_make_what_was_made_of_them_stale_here(
    lending: Path, asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    features = ("extract-features", "--features", "logmel", "--run", PACKS)
    assert asd(*features, "--scale", "fixed:0.5", "-q") == 0
    assert asd("score", "-m", "nn", *OWN) == 0
    assert "embeddings (features/logmel/fan changed" in capsys.readouterr().err


def test_a_run_that_makes_packs_reads_its_own_from_then_on(
    lending: Path, asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("extract-features", "--features", "logmel", *OWN) == 0
    assert "runs/mine reads its own packs from now on, not those of runs/packs" in capsys.readouterr().err
    assert json.loads(Path("runs/mine/run.json").read_text()) == {"dataset": "synthetic"}
    assert asd("embed", "--embedder", "logmel", *OWN) == 0
    assert "up to date" in capsys.readouterr().err  # the same packs


def test_packs_that_are_lent_on_are_noted_where_they_lie(lending: Path, asd: Asd) -> None:
    other = ("--run", "runs/deep/third", "--dataset", "synthetic")
    assert asd("embed", "--embedder", "logmel", "--features-from", "runs/mine", *other, "-q") == 0
    assert run_note.packs_of(Path("runs/deep/third")) == Path("runs/packs")
    assert asd("embed", "--embedder", "logmel", "--features-from", PACKS, "--run", PACKS, "-q") == 0
    assert run_note.packs_of(Path(PACKS)) is None


def test_packs_that_are_not_there_or_of_another_dataset_are_refused(
    lending: Path, asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("train", "--features-from", PACKS, *OWN) == 1
    told = capsys.readouterr().err
    assert "there are no waveform features in runs/packs" in told
    assert "make them first: asd extract-features --features waveform --dataset synthetic --run runs/packs" in told
    run_note.remember(Path("runs/far"), "dcase2023")
    assert asd("train", "--features-from", "runs/far", *OWN) == 2
    assert "runs/far is a run of dcase2023, not of synthetic" in capsys.readouterr().err


def test_several_seeds_are_trained_each_in_a_run_that_reads_the_runs_packs(
    lending: Path, asd: Asd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def run(clips: Path, features: Path, output: Path, *, seed: int, model: str, **options: Any) -> Outcome:
        asked.append((features, output, seed, model))
        output.mkdir(parents=True)
        return Outcome(output)

    monkeypatch.setattr(train, "run", run)
    monkeypatch.setattr(train, "weights_of", lambda _: [])  # there is no model to ask
    assert asd("extract-features", "--run", PACKS, "-q") == 0
    capsys.readouterr()
    assert asd("train", "--seeds", "3,0-1", "--run", PACKS, "--json") == 0
    folders = [Path(PACKS, f"seed-{n}") for n in (3, 0, 1)]
    assert asked == [
        (Path(PACKS, "features"), folder / "model", n, "discriminative")
        for folder, n in zip(folders, (3, 0, 1), strict=True)
    ]
    told = json.loads(capsys.readouterr().out)
    assert [output["path"] for output in told["outputs"]] == [str(folder / "model") for folder in folders]
    assert [run_note.packs_of(folder) for folder in folders] == [Path(PACKS)] * 3
    for words in (("--seed", "2"), ("-o", "x")):
        assert asd("train", "--seeds", "0-1", *words, "--run", PACKS) == 2
    assert "leave --seed and -o out" in capsys.readouterr().err
