"""A working folder with a tiny dataset and a plan of two seeds and two models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.sweeps import OBEDIENT

PLAN = f"""
datasets = ["synthetic"]
seeds = "0-1"
methods = ["nn", "smote", "{OBEDIENT}"]
[models]
logmel = {{ embed = "logmel" }}
again = {{ embed = "logmel", methods = ["kmeans:clusters=2"] }}
"""


@pytest.fixture
def here(everything: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data of a run that is made once, and `tiny.toml`; workers find the methods of these tests."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    (tmp_path / "data").symlink_to(everything / "data")
    (tmp_path / "tiny.toml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Type a command line with --json; what it says, with what stderr got as `heard`."""
    from asdcli.cli import call

    def told(*words: str) -> dict[str, Any]:
        capsys.readouterr()
        call([*words, "--json"])
        said = capsys.readouterr()
        return {**json.loads(said.out), "heard": said.err}

    return told
