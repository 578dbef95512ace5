"""Old words of the command line are understood, once more, and say what they are called now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from asdcli.cli import build, call
from asdcli.cli.old_words import RENAMED, todays


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("evaluate --scores teams/mine --json", "evaluate --submission teams/mine --json"),
        ("threshold --from=t.parquet --decisions d.csv", "threshold --thresholds t.parquet --decisions d.csv"),
        ("tune --k 1,2 --metric cosine", "tune -k 1,2 --distance cosine"),
        ("tune --k=1,2", "tune -k 1,2"),
        ("smooth --data source --data-root sounds", "smooth --neighbours source --data sounds"),
        ("smooth --data=all", "smooth --neighbours all"),
    ],
)
def test_an_old_word_is_taken_for_the_new_one(typed: str, meant: str) -> None:
    words, notes = todays(typed.split())
    assert words == meant.split()
    assert notes and all(" is called " in note for note in notes)


@pytest.mark.parametrize("line", ["smooth --scores a --data sounds", "embed --from x.csv", "evaluate --metric r", ""])
def test_todays_words_are_left_alone(line: str) -> None:
    assert todays(line.split()) == (line.split(), [])


def test_a_data_root_that_is_called_like_an_old_value_is_a_data_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "source").mkdir()
    monkeypatch.chdir(tmp_path)
    assert todays(["smooth", "--data", "source"]) == (["smooth", "--data", "source"], [])


def test_every_old_word_is_gone_from_its_command_and_every_new_one_is_there() -> None:
    commands: dict[str, Any] = get_command(build()).commands  # type: ignore[attr-defined]
    for command, renamed in RENAMED.items():
        known = {option for parameter in commands[command].params for option in parameter.opts}
        assert not known & set(renamed), command
        assert set(renamed.values()) <= known, command


def test_the_note_goes_to_stderr_unless_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(["threshold", "--from", "t.parquet"]) == 2
    assert capsys.readouterr().err.startswith("note: --from of asd threshold is called --thresholds now")
    assert call(["threshold", "--from", "t.parquet", "-q"]) == 2
    assert "note:" not in capsys.readouterr().err
