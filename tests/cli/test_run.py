"""`asd run`: all stages one after the other, only those that there is something to do for, to the first error."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdcli import artifacts
from asdcli.pipeline.steps.run import STAGES
from tests.helpers.typed import typed

Asd = Callable[..., int]
QUICK = ("--epochs", "1", "--method", "nn", "--machine-type", "fan")


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def stages(found: dict[str, Any]) -> list[str]:
    return [one["stage"] for one in found["facts"]["stages"]]


def wav(path: Path, *, seconds: float = 1.0, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-3000, 3000, int(16_000 * seconds), dtype=np.int16)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(noise.tobytes())


def recordings(folder: Path, *, faults: bool) -> None:
    """One machine without sections, domains or attributes: all training clips are of one class."""
    for i in range(8):
        wav(folder / "train" / "normal" / f"{i}.wav", seed=i)
        wav(folder / "test" / "normal" / f"{i}.wav", seed=20 + i)
        if faults:
            wav(folder / "test" / "abnormal" / f"{i}.wav", seed=40 + i)


def commands(said: str) -> list[str]:
    """The command lines that a hint names."""
    hint = said.rpartition("hint: ")[2]
    return [found.strip() for found in re.findall(r"asd [a-z-]+(?: [^;]*)?(?=;|$)", hint.strip())]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder after `asd run --edition synthetic`."""
    line = ("run", "--edition", "synthetic", "--size", "tiny", *QUICK)
    return typed(tmp_path_factory.mktemp("finished"), line)


@pytest.fixture
def here(finished: Path, tmp_path: Path) -> Path:
    for folder in ("data", "runs"):
        shutil.copytree(finished / folder, tmp_path / folder, copy_function=shutil.copy2)
    return tmp_path


def test_an_edition_goes_from_download_to_the_official_score(finished: Path) -> None:
    assert (finished / "data/synthetic/clips.parquet").exists()
    assert {p.name for p in (finished / "runs/synthetic").iterdir()} >= {
        "features",
        "model",
        "embeddings.parquet",
        "scores",
        "results.parquet",
    }


def test_a_second_run_leaves_alone_what_is_up_to_date_and_says_so(
    asd: Asd, finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished)
    assert asd("run", "--edition", "synthetic", "--size", "tiny", *QUICK) == 0
    said = capsys.readouterr()
    assert said.err.count("up to date: ") == len(STAGES) - 1  # what is measured is measured again
    assert "synthetic|dev|machines:1" in said.out
    assert asd("run", *QUICK, "--json", "-q") == 0
    found = told(capsys)
    assert stages(found) == list(STAGES[1:])
    assert {o["kind"]: o["status"] for o in found["outputs"]} == {
        "features": "current",
        "model": "current",
        "embeddings": "current",
        "scores": "current",
        "results": "done",
    }


def test_options_go_to_the_stages_that_take_them(asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asd("run", "score", "train", "embed", *QUICK[:2], "-m", "nn", "-m", "kmeans", "--seed", "3", "--json") == 0
    found = told(capsys)
    assert stages(found) == ["train", "embed", "score"]  # in their order, whatever was typed
    assert [o["method"] for o in found["outputs"]][2:] == ["nn", "kmeans"]
    run = here / "runs/synthetic"
    assert artifacts.read_header(run / "model", artifacts.MODEL).seed == 3
    assert artifacts.read_header(run / "scores/nn.parquet", artifacts.SCORES).seed == 3
    assert not (run / "features/logmel").exists()


def test_clips_that_models_do_not_see_are_those_that_were_asked_for(asd: Asd, here: Path) -> None:
    run, quick = here / "runs/synthetic", ("run", "train", "embed", *QUICK[:2], "-q")
    assert asd(*quick, "--folds", "2") == 0
    header = artifacts.read_header(run / "model", artifacts.MODEL)
    assert header.params["folds"] == 2 and (run / "fold-embeddings.parquet").exists()
    assert asd(*quick, "--hold-out", "0.4") == 0
    assert artifacts.read_header(run / "model", artifacts.MODEL).params["hold_out"] == 0.4
    assert asd(*quick, "--hold-out", "0.4", "--folds", "2") == 2


def test_supplemental_clips_are_for_training_and_embedding(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stage in ("train", "embed"):
        assert asd("run", stage, *QUICK[:2], "--supplemental", "use") == 1
        assert "no supplemental recordings" in capsys.readouterr().err


def test_an_embedder_without_training_is_not_trained_for(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(here / "runs")
    assert asd("run", "--embedder", "logmel", "--method", "nn", "--json", "-q") == 0
    assert stages(told(capsys)) == ["extract-features", "embed", "score", "evaluate"]
    assert [p.name for p in (here / "runs/synthetic/features").iterdir()] == ["logmel"]


def test_an_autoencoder_is_scored_by_its_own_errors_and_embeds_nothing(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("run", "--model", "autoencoder", "--epochs", "1", "--json", "-q") == 0
    found = told(capsys)
    assert stages(found) == ["extract-features", "train", "score", "evaluate"]
    assert [o["method"] for o in found["outputs"] if o["kind"] == "scores"] == ["mse"]


def test_recordings_of_one_class_are_embedded_without_training_and_it_says_so(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings(tmp_path / "pump", faults=True)
    assert asd("index", "pump", "-q") == 0
    assert asd("run", "--method", "nn") == 0
    said = capsys.readouterr()
    assert "nothing to tell apart in training: embedding with logmel, which needs none" in said.err
    assert "embedder:logmel|method:nn" in said.out
    assert not (tmp_path / "runs/pump/model").exists()
    assert asd("run", "extract-features", "train") == 1  # asked for by name, it is not quietly left out
    said = capsys.readouterr().err
    assert "one class" in said and "go on" not in said
    then = commands(said)[-1]
    assert then == "asd run extract-features embed --embedder logmel"
    assert asd(*shlex.split(then)[1:], "-q") == 0
    assert asd("run", "--model", "discriminative", "--method", "nn", "-q") == 1
    then = commands(capsys.readouterr().err)[-1]
    assert then == "asd run --method nn --embedder logmel"
    assert asd(*shlex.split(then)[1:], "-q") == 0


def test_recordings_without_known_faults_are_scored_but_not_evaluated(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings(tmp_path / "pump", faults=False)
    assert asd("index", "pump", "-q") == 0
    assert asd("run", "--method", "nn") == 0
    assert "there is nothing to evaluate" in capsys.readouterr().err
    assert (tmp_path / "runs/pump/scores/nn.parquet").exists()
    assert not (tmp_path / "runs/pump/results.parquet").exists()


def test_skipped_clips_do_not_stop_the_run_and_make_exit_code_3(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings(tmp_path / "pump", faults=True)
    assert asd("index", "pump", "-q") == 0
    wav(tmp_path / "pump/train/normal/3.wav", seconds=0)
    assert asd("run", "--method", "nn", "--on-error", "skip", "--json", "-q") == 3
    found = told(capsys)
    assert (found["exit_code"], found["status"]) == (3, "done")
    assert stages(found)[-1] == "evaluate"
    assert [o["skipped"] for o in found["outputs"] if o["kind"] == "features"] == [1]


def test_the_first_error_ends_the_run_and_names_the_command_that_goes_on(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings(tmp_path / "pump", faults=True)
    assert asd("index", "pump", "-q") == 0
    stolen = tmp_path / "pump/train/normal/3.wav"
    kept = stolen.read_bytes()
    stolen.write_bytes(kept[:20])
    assert asd("run", "--method", "nn", "-m", "kmeans", "--seed", "2", "--run", "runs/my run", "--force") == 1
    said = capsys.readouterr().err
    then = said.rpartition("go on with: ")[2].strip()
    assert "3.wav" in said
    typed = ["--seed", "2", "--method", "nn", "--method", "kmeans", "--run", "runs/my run"]
    assert shlex.split(then) == ["asd", "run", *typed]
    assert asd("run", "extract-features", "score", "--run", "runs/my run") == 1
    assert capsys.readouterr().err.strip().endswith("; then the same command goes on from here")
    stolen.write_bytes(kept)
    assert not (tmp_path / "runs/my run/scores").exists()
    assert asd(*shlex.split(then)[1:], "-q") == 0
    assert (tmp_path / "runs/my run/scores/kmeans.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "did you mean 'train'"),
        (["download"], "asd run --edition synthetic"),
        (["--edition", "synthetic", "--dataset", "other"], "exclude each other"),
        (["--edition", "dcase2023", "--size", "tiny"], "only the synthetic dataset has sizes"),
        (["--model", "discriminativ"], "did you mean 'discriminative'"),
        (["--embedder", "logmell"], "did you mean 'logmel'"),
        (["--method", "nnn"], "did you mean 'nn'"),
    ],
)
def test_a_wrong_word_is_refused_before_anything_is_done(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    before = {p: p.stat().st_mtime_ns for p in here.rglob("*")}
    assert asd("run", *arguments) == 2
    assert words in capsys.readouterr().err
    assert {p: p.stat().st_mtime_ns for p in here.rglob("*")} == before
