"""Where nothing was trained, no command waits for torch: learn, check and explain of log-mel statistics."""

from __future__ import annotations

import os
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


def test_embeddings_that_are_up_to_date_are_so_without_torch(everything: Path) -> None:
    assert imported(everything, "embed", heavy=SECONDS) == []


def test_where_pandas_is_installed_tables_do_not_import_it_and_frames_are_to_be_had_all_the_same(
    tmp_path: Path,
) -> None:
    """A stand-in is as good as pandas here: pyarrow asks a module of this name for its version, and for its classes."""
    (tmp_path / "pandas.py").write_text("print('pandas is imported')\n__version__ = '0.1'\n")
    program = "from asdcli.cli.without_pandas import look_in_vain; look_in_vain()\n"
    program += "import pyarrow as pa; table = pa.table({'a': ['x']}); print('made')\n"
    program += "try: table.to_pandas()\nexcept ImportError as error: print(error)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    first, second, *rest = done.stdout.splitlines()
    assert (first, second) == ("made", "pandas is imported") and "0.1" in rest[0]
