"""An encoder that is trained on, from the front door: train, embed, score, without its weights, and with others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from asdcli import artifacts
from asdcli.pipeline.workspace import Workspace
from tests.helpers import noise_run
from tests.helpers.tiny_encoders import tiny

pytest.importorskip("transformers")
HERE = ("--data", "data", "--dataset", "noise", "--run", "runs/noise")
NETWORK = "discriminative:network=ast,checkpoint=weights,lora=4,pool=attentive,loss=scac"
TRAIN = ("train", "--model", NETWORK, "--device", "cpu", "--epochs", 1, "--batch-size", 10, "--lr", 1e-4)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a dataset, and weights."""
    place = tmp_path_factory.mktemp("tuned")
    noise_run.write(place, n_train=5)
    tiny("ast", place / "weights")
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_from_weights_to_scores(asd: Callable[..., int], place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space = Workspace(Path("data"), Path("runs/noise"), "noise")
    assert asd(*TRAIN, *HERE) == 0
    (place / "weights").rename(place / "away")
    assert asd("embed", "--device", "cpu", *HERE) == 0
    assert asd("score", "-m", "nn", *HERE) == 0
    scored, header = artifacts.read_table(space.scores("nn"), artifacts.SCORES)
    assert len(scored) == 18
    assert "network=encoder,model=ast,checkpoint=weights,pool=attentive,lora=4" in json.dumps(header.history)
    (place / "away").rename(place / "weights")

    capsys.readouterr()
    assert asd(*TRAIN, *HERE, "--json") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "current"
    tiny("ast", place / "weights", seed=1)
    assert asd("doctor", *HERE) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "model.safetensors changed" in told
    again = "asd train --model discriminative:network=encoder,model=ast,checkpoint=weights,pool=attentive,lora=4"
    assert again in told


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        (("--model", "discriminative:network=ast"), 2, "network 'ast' needs checkpoint"),
        (("--model", f"{NETWORK},rank=4"), 2, "model 'discriminative' has no parameter 'rank'"),
        (("--model", NETWORK, "--checkpoint", "elsewhere.pt"), 1, "there is no checkpoint elsewhere.pt"),
        (("--model", NETWORK.replace("ast", "whisper")), 1, "is of audio-spectrogram-transformer, not of whisper"),
        (("--model", "discriminative", "--checkpoint", "weights"), 2, "has no parameter 'checkpoint'"),
        (("--recipe", "beats-lora"), 1, "there is no checkpoint weights/BEATs_iter3.pt"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    asd: Callable[..., int],
    place: Path,
    capsys: pytest.CaptureFixture[str],
    how: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    assert asd("train", *how, *HERE) == code
    told = capsys.readouterr().err
    assert words in told.split("error: ")[1] and "hint: " in told


def test_a_pickle_that_could_run_code_is_not_trained_on(
    asd: Callable[..., int], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    torch.save({"model": {"a": torch.ones(1)}, "trainer": Path("x")}, place / "bad.pt")
    assert asd("train", "--recipe", "beats-lora", "--checkpoint", "bad.pt", *HERE) == 1
    told = capsys.readouterr().err
    assert "recipe beats-lora is discriminative:network=encoder,model=beats" in told
    assert "of BEATs_iter3.pt, as its authors give it out" in told
    assert "bad.pt is a pickle that holds more than tensors" in told


def test_models_shows_which_weights_a_recipe_goes_on_from(
    asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("models", "eat-lora") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "weights EAT-base_epoch10_pt, in the form of a hub" in shown
    assert "2023 dev 63.98 ± 0.70, eval 72.04 ± 0.77" in shown
    assert asd("models", "encoder") == 0
    assert "gradient checkpointing" in capsys.readouterr().out
