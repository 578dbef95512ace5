"""What a step reads is held against what lies there now: stale files are named, and refused where they would leave."""

from __future__ import annotations

import json
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
    assert stale(*command.split()) == (3 if command == "evaluate" else 0)  # 3: new recordings have no score
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


def test_numbers_of_stale_scores_are_marked_and_leave_as_a_table_only_where_that_is_allowed(
    stale: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stale("evaluate") == 3  # the new recordings have no score
    said = capsys.readouterr()
    assert "|clips:8/12|" in said.out and "|stale:embeddings|" in said.out
    assert stale("evaluate", "--csv", "rows.csv") == 1
    refused = " ".join(capsys.readouterr().err.split())
    assert "error: made of files that have changed since: scores/nn" in refused
    assert "hint: --allow-stale goes on all the same" in refused
    assert not (tmp_path / "rows.csv").exists()
    assert stale("evaluate", "--csv", "rows.csv", "--allow-stale") == 3
    assert "|stale:embeddings|" in (tmp_path / "rows.csv").read_text()


def test_a_method_of_the_new_embeddings_does_not_stand_beside_an_old_one_without_a_mark(
    stale: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("extract-features --features logmel", "embed --embedder logmel", "score --method kmeans"):
        assert stale(*command.split(), "-q") == 0
    capsys.readouterr()
    assert stale("evaluate", "--json") == 3
    told = json.loads(capsys.readouterr().out)
    new, old = told["facts"]["results"]
    assert (new["method"], new["stale"], new["clips"]) == ("kmeans", [], {"evaluated": 12, "missing": 0})
    assert (old["method"], old["stale"], old["clips"]) == ("nn", ["embeddings"], {"evaluated": 8, "missing": 4})
    assert new["made_of"]["embeddings"]["content"] != old["made_of"]["embeddings"]["content"]
    assert any("not of the same embeddings" in sentence for sentence in told["warnings"])
    assert any("bring up to date: asd score --method nn" in sentence for sentence in told["warnings"])
    assert stale("evaluate") == 3
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("│ nn"))
    assert [cell.strip() for cell in row.split("│")][2:4] == [old["made_of"]["embeddings"]["content"][:6], "yes"]
    assert "8/12" in row
