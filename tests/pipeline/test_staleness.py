"""What a step reads is held against what lies there now: stale files are named, and refused where they would leave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

Asd = Callable[..., int]


def record(folder: Path, names: range) -> None:
    """A second of noise a name."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in names:
        noise = np.random.default_rng(i).normal(0, 3000, 16_000).astype(np.int16)
        soundfile.write(folder / f"{i:03d}.wav", noise, 16_000)


@pytest.fixture
def stale(asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Asd:
    """A finished run of log-mel statistics, after which new recordings were indexed."""
    for folder, names in (("train", range(12)), ("test/normal", range(20, 24)), ("test/abnormal", range(30, 34))):
        record(tmp_path / "rec" / "fan" / folder, names)
    for command in (
        "index rec --name week",
        "extract-features --features logmel",
        "embed --embedder logmel",
        "score --method nn",
        "threshold",
    ):
        assert asd(*command.split(), "-q") == 0
    capsys.readouterr()
    assert asd("threshold", "--decisions", "before.csv") == 0
    assert "changed since" not in capsys.readouterr().err
    record(tmp_path / "rec" / "fan" / "test" / "normal", range(40, 44))
    assert asd("index", "rec", "--name", "week", "-q") == 0
    capsys.readouterr()
    return asd


@pytest.mark.parametrize("command", ["score --method nn", "evaluate", "threshold", "smooth -k 2 --method nn"])
def test_a_stage_that_reads_stale_files_says_so_with_the_commands_that_mend_them(
    stale: Asd, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert stale(*command.split()) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "warning: made of files that have changed since: " in said
    assert "asd embed --embedder logmel" in said


def test_decisions_and_submissions_of_stale_scores_are_refused_unless_they_are_allowed(
    stale: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stale("threshold", "--decisions", "after.csv", "--thresholds", "runs/week/thresholds.parquet") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "error: made of files that have changed since: scores/nn" in said
    assert "hint: --allow-stale goes on all the same; or bring up to date: asd " in said
    assert not (tmp_path / "after.csv").exists()
    assert stale("submit", "--label", "Doe_Lab", "--edition", "dcase2023", "--subset", "dev") == 1
    assert "have changed since" in capsys.readouterr().err
    assert not (tmp_path / "runs/week/submission").exists()
    allowed = ("--allow-stale", "--thresholds", "runs/week/thresholds.parquet")
    assert stale("threshold", "--decisions", "after.csv", *allowed) == 0
    assert "warning: made of files that have changed since" in capsys.readouterr().err
    assert (tmp_path / "after.csv").exists()
