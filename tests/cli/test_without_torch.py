"""Where nothing was trained, no command waits for torch: learn, check and explain of log-mel statistics."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.helpers.machines import healthy, sound, write

HEAVY = ("torch", "torchaudio", "sklearn", "matplotlib", "pandas")
PROGRAM = f"""
import sys
from asdcli.cli import call
for words in (["learn", "fan 3"], ["check", "week.wav"], ["explain", "2024-10-01_0000"]):
    assert call([*words, "-q"]) == 0, words
    print("waited for:", *(name for name in {HEAVY!r} if name in sys.modules))
"""


def test_learn_check_and_explain_import_nothing_that_takes_seconds(tmp_path: Path) -> None:
    healthy(tmp_path / "fan 3", 8)
    write(tmp_path / "week.wav", sound(np.random.default_rng(3)))
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("waited for:")] == ["waited for:"] * 3
