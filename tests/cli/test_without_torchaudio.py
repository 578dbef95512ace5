"""Where torchaudio is absent, as beside a torch that is newer than its last release, everything works without it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import soundfile

from asdcli.pipeline.diagnosis import software
from asdcli.pipeline.diagnosis.finding import State
from tests.helpers import noise_run
from tests.helpers.waiting import PATIENCE_S

COMMANDS = [
    ["extract-features", "--dataset", "noise"],
    ["train", "--model", "autoencoder", "--epochs", "1", "--device", "cpu"],
    ["score", "--method", "mse"],
    ["train", "--model", "discriminative:network=tests.helpers.tiny_network:TwoBranches", "--epochs", "1"],
    ["embed"],
    ["score", "--method", "nn"],
]
PROGRAM = f"""
import sys
sys.modules["torchaudio"] = None  # whoever imports it gets an ImportError
from asdcli.cli import call
for words in {COMMANDS!r}:
    if code := call([*words, "-q"]):
        sys.exit(code)
import torch
from asdcli.features.kaldi_fbank import KaldiFbank
from asdcli.features.resampled import resampled
assert KaldiFbank()(resampled(torch.ones(1, 3000), 16000, 32000, 6000)).isfinite().all()
"""


def test_every_stage_works(tmp_path: Path) -> None:
    clips, features = noise_run.write(tmp_path)
    for row in [row for machine_type in ("fan", "valve") for row in noise_run.rows(machine_type)]:
        path = clips.parent / row["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise_run.waveform(row), noise_run.RATE)
    for pack in features.rglob("*.npz"):
        pack.unlink()
    command = [sys.executable, "-c", PROGRAM]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, env=here)
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (tmp_path / "runs/noise/scores").iterdir() if path.suffix == ".parquet"}
    assert made == {"mse.parquet", "nn.parquet"}


def test_doctor_says_that_it_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    own = metadata.version

    def without(name: str) -> str:
        if name == "torchaudio":
            raise metadata.PackageNotFoundError
        return own(name)

    monkeypatch.setattr(metadata, "version", without)
    (found,) = [f for f in software.look() if f.name == "torchaudio"]
    assert found.state is State.NOTE
    assert found.text.startswith("not installed: features are made without it")
