"""The shell completes methods, models, embedders, editions, datasets, devices and machine types."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def _completed(line: str, cwd: Path) -> list[str]:
    words = line.split(" ")
    asked = {"_ASD_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", "from asdcli.cli import main; main()"],
        cwd=cwd,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    return done.stdout.split()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a dataset, which is the current one, and a run with packs of two machine types."""
    (tmp_path / "data" / "pumps").mkdir(parents=True)
    (tmp_path / "data" / "pumps" / "clips.parquet").touch()
    (tmp_path / "data" / "current").write_text("pumps\n")
    packs = tmp_path / "runs" / "pumps" / "features" / "waveform"
    packs.mkdir(parents=True)
    for name in ("north", "south"):
        (packs / f"{name}.npz").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("asd score --method varm", ["varmin"]),
        ("asd train --model auto", ["autoencoder"]),
        ("asd embed --embedder log", ["logmel"]),
        ("asd download dcase202", [f"dcase202{i}" for i in range(7)]),
        ("asd datasets dcase2024", ["dcase2024"]),
        ("asd score --dataset p", ["pumps"]),
        ("asd train --device c", ["cpu", "cuda"]),
        ("asd embed --machine-type ", ["north", "south"]),
        ("asd show runs/pumps/features/waveform/n", ["runs/pumps/features/waveform/north.npz"]),
        ("asd show runs/p", ["runs/pumps/"]),
        ("asd embed --run runs/pumps --machine-type n", ["north"]),
        ("asd embed --run runs/none --machine-type ", []),
    ],
)
def test_what_is_known_is_completed(line: str, expected: list[str], place: Path) -> None:
    assert _completed(line, place) == expected


def test_without_any_data_nothing_is_completed_and_nothing_is_said(tmp_path: Path) -> None:
    assert _completed("asd embed --machine-type ", tmp_path) == []
    assert _completed("asd embed --dataset ", tmp_path) == []
