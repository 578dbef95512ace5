"""Commands that wait for torch say where they work before it is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import noise_run

PROGRAM = """
import os, sys

class First:
    def write(self, text):
        if text.strip():
            print(text.strip(), "torch" in sys.modules)
            sys.stdout.flush()
            os._exit(0)
    def __getattr__(self, name):
        return getattr(sys.__stderr__, name)

sys.stderr = First()
from asdcli.cli import call
call(sys.argv[1:])
"""


@pytest.mark.parametrize("command", ["train", "embed"])
def test_dataset_and_run_are_said_before_torch_is_loaded(tmp_path: Path, command: str) -> None:
    noise_run.write(tmp_path)
    words = [command, "--dataset", "noise"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "dataset noise, run runs/noise False\n"
