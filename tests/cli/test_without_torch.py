"""Where nothing was trained, no command waits for torch: learn, check and explain of log-mel statistics."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.machines import healthy, sound, write
from tests.helpers.typed import typed

SECONDS = ("torch", "torchaudio", "sklearn", "matplotlib", "pandas")
"""What takes seconds to import."""


def imported(place: Path, *words: str, heavy: tuple[str, ...]) -> list[str]:
    """Which of `heavy` a command imports, typed in a process of its own."""
    program = f"import sys; from asdcli.cli import call; code = call({[*words, '-q']!r}); "
    program += f"print('imported', *(name for name in {heavy!r} if name in sys.modules)); sys.exit(code)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("imported")]
    return line.split()[1:]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a fan was learned, and a recording of this week lies."""
    place = tmp_path_factory.mktemp("learned")
    healthy(place / "fan 3", 8)
    write(place / "week.wav", sound(np.random.default_rng(3), whine=0.3))
    return typed(place, ["learn", "fan 3"])


def test_learning_imports_nothing_that_takes_seconds(learned: Path) -> None:
    assert imported(learned, "learn", "fan 3", "--run", "runs/alone", heavy=SECONDS) == []


@pytest.mark.parametrize("command", ["check", "explain"])
def test_what_is_asked_every_week_does_not_wait_for_scipy_either(learned: Path, command: str) -> None:
    assert imported(learned, command, "week.wav", heavy=(*SECONDS, "scipy")) == []
