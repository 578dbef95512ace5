"""Whoever reads the output may go away (`asd … | head -1`): that ends a command quietly with 141."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asdcli.cli import COMMANDS
from tests.helpers.typed import typed
from tests.helpers.waiting import PATIENCE_S

PRINTING = [
    "--help",
    "--version",
    *(f"{name} --help" for name in ("run", "score", "doctor")),
    "datasets",
    "datasets dcase2023",
    "methods",
    "methods varmin",
    "models",
    "models discriminative",
    "doctor",
    "doctor --json",
    "datasets --json",
    "evaluate",
    "evaluate --json",
    "threshold",
    "index recordings --json",
    "score --method nn --json",
    "scroe --json",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    line = "run --edition synthetic --size tiny --embedder logmel --method nn --machine-type fan"
    place = typed(tmp_path_factory.mktemp("pipes"), line)
    (place / "recordings").symlink_to(place / "data/synthetic")
    return place


def unread(words: list[str], place: Path, *, too: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command whose stdout (and `too` stderr) nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [sys.executable, "-m", "asdcli", *words],
            cwd=place,
            stdout=writer,
            stderr=writer if too else subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize("words", PRINTING)
def test_a_reader_that_goes_away_ends_a_command_quietly_with_141(words: str, place: Path) -> None:
    done = unread(words.split(), place)
    assert done.returncode == 141
    assert not [word for word in ("Traceback", "Exception", "BrokenPipe", "Errno") if word in done.stderr]


@pytest.mark.parametrize("words", ["score --method nn", "methods", "scroe"])
def test_nobody_reading_errors_either_is_the_same(words: str, place: Path) -> None:
    assert unread(words.split(), place, too="stderr").returncode == 141


def test_the_commands_that_only_speak_on_stderr_do_not_mind(place: Path) -> None:
    assert unread(["score", "--method", "nn"], place).returncode == 0
    assert {words.split()[0] for words in PRINTING if words[0] != "-"} - {"scroe"} <= set(COMMANDS)
