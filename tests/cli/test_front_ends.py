"""A pretrained encoder from the front door: embed, score by bands, decide on new recordings, notice other weights."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asdcli import artifacts
from asdcli.detector import Detector
from asdcli.errors import BadArtifact
from asdcli.features.pack import WaveformPack
from asdcli.pipeline.workspace import Workspace
from tests.helpers import noise_run
from tests.helpers.tiny_encoders import tiny

pytest.importorskip("transformers")
HERE = ("--data", "data", "--dataset", "noise", "--run", "runs/noise")
EMBED = ("embed", "--embedder", "ast:checkpoint=weights,layer=2,keep=bands", "--device", "cpu")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a dataset, and weights."""
    place = tmp_path_factory.mktemp("fronts")
    noise_run.write(place)
    tiny("ast", place / "weights")
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def detector(space: Workspace) -> Detector:
    return Detector.load(
        space.detector("nn"), model=space.model, features=space.features, clips=space.clips, device="cpu"
    )


def test_from_weights_to_a_decision(asd: Callable[..., int], place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space = Workspace(Path("data"), Path("runs/noise"), "noise")
    assert asd(*EMBED, *HERE) == 0
    header = artifacts.read_header(space.embeddings, artifacts.EMBEDDINGS)
    assert header.params["embedder"] == "pretrained:model=ast,checkpoint=weights,layer=2,keep=bands"
    assert set(header.inputs) >= {"checkpoint", "config", "preprocessor"}
    assert str(place) not in header.to_json()
    assert asd("score", "-m", "beam:bands=2,method=nn", "-m", "nn", *HERE) == 0
    scored, _ = artifacts.read_table(space.scores("nn"), artifacts.SCORES)
    by_clip = dict(zip(scored["clip_id"].to_pylist(), scored["anomaly_score"].to_pylist(), strict=True))
    rows = noise_run.rows("fan")
    names = [row["clip_id"] if row["split"] == "train" else f"new/{row['clip_id']}" for row in rows]
    pack = WaveformPack.of([noise_run.waveform(row) for row in rows], names, noise_run.RATE)
    found = detector(space).score(pack, "fan").scores
    tests = [i for i, row in enumerate(rows) if row["split"] == "test"]
    assert [found[i] for i in tests] == [by_clip[rows[i]["clip_id"]] for i in tests]

    capsys.readouterr()
    assert asd(*EMBED, *HERE, "--json") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "current"
    tiny("ast", place / "weights", seed=1)
    with pytest.raises(BadArtifact, match=r"the checkpoint of .* is not the one that the detector was made with"):
        detector(space)
    capsys.readouterr()
    assert asd("doctor", *HERE) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "model.safetensors changed" in told
    again = "asd embed --embedder pretrained:model=ast,checkpoint=weights,layer=2,keep=bands --data"
    assert again in told
    assert asd(*EMBED, *HERE, "--json") == 0
    assert json.loads(capsys.readouterr().out)["status"] != "current"


def test_methods_by_bands_name_what_to_do_without_bands(
    asd: Callable[..., int], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("embed", "--embedder", "ast:checkpoint=weights", "--device", "cpu", *HERE) == 0
    assert asd("score", "-m", "beam", *HERE) == 1
    assert "these embeddings have no bands of frequencies" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spelling", "code", "words"),
    [
        ("ast", 2, "embedder 'ast' needs checkpoint"),
        ("ast:checkpoint=weights,layer=99", 2, "layer=99: this ast has the layers 1 to 3"),
        ("whisper:checkpoint=weights", 1, "is of audio-spectrogram-transformer, not of whisper"),
        ("ast:checkpoint=elsewhere.pt", 1, "there is no checkpoint elsewhere.pt"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    asd: Callable[..., int], place: Path, capsys: pytest.CaptureFixture[str], spelling: str, code: int, words: str
) -> None:
    assert asd("embed", "--embedder", spelling, *HERE) == code
    told = capsys.readouterr().err
    assert told.split("error: ")[1].startswith((words, f"weights: the checkpoint's config.json {words}"))
    assert "hint: " in told


def test_nothing_else_imports_the_library() -> None:
    code = (
        "import sys; from asdcli.cli import call; call(['embed', '--help']); call(['models']);"
        "from asdcli.embedders import EMBEDDERS; EMBEDDERS.build('logmel'); EMBEDDERS.build('ast:checkpoint=x');"
        "sys.exit('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
