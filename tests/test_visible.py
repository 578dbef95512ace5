"""Names of other people on the terminal: nothing in them is obeyed, everything in them is seen."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asdcli.cli.console import Terminal, emit_json, say, settle_width, stdout
from asdcli.cli.tables import Grid
from asdcli.visible import in_json, visible

Asd = Callable[..., int]
HOSTILE = "a\x1b]0;title\x07\x1b[31m\x9b2J\u202eb[bold]c[/bold][/x]:smile:\r\udcff"
SHOWN = "a\\x1b]0;title\\x07\\x1b[31m\\x9b2J\\u202eb[bold]c[/bold][/x]:smile:\\r\\xff"


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert visible(HOSTILE) == SHOWN
    assert visible("two\nlines") == "two\nlines" and visible("one\ncell", newlines=False) == "one\\ncell"
    for name in ("Lüfter 3", "送風機", "مروحة", "क्‍ष", "a\u00a0b"):
        assert visible(name) == name


@given(st.text(st.characters()))
def test_nothing_stays_that_cannot_be_seen_or_written(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    shown.encode()
    obeyed = {chr(c) for c in (*range(32), *range(127, 160), 0x202A, 0x202E, 0x2066, 0x200F)} - {"\n"}
    assert not obeyed & set(shown)


@given(st.text(st.characters()))
def test_json_says_the_same_whatever_is_written_out(text: str) -> None:
    written = in_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(written) == json.loads(json.dumps([text]))
    assert written.encode() and "\x9b" not in written and "\u202e" not in written


def test_every_way_to_the_terminal_shows_names_alike(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "300")
    talk = Terminal()
    talk.warn(HOSTILE)
    talk.note(HOSTILE)
    list(talk.track([1], label=HOSTILE))
    stdout().print(HOSTILE)
    say(stdout(), f"see: asd {HOSTILE}", label="hint")
    grid = Grid(HOSTILE, [HOSTILE, "b"])
    grid.add(HOSTILE, 1)
    grid.show(stdout())
    emit_json({"name": HOSTILE})
    told = capsys.readouterr()
    assert told.err.count(SHOWN) >= 3 and told.out.count(SHOWN) >= 4
    assert "\x1b]" not in told.out + told.err and "\x1b[31m" not in told.out + told.err
    assert "\x9b" not in told.out + told.err and "\u202e" not in told.out + told.err


def test_recordings_with_hostile_names_go_through_the_stages_and_are_shown_harmless(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = "=fan [bold]x[dim]"
    long = "n" * 200
    for place in ("train", "test/normal", "test/abnormal"):
        folder = tmp_path / "own" / machine / place
        folder.mkdir(parents=True)
        for i in range(4):
            noise = np.random.default_rng(i + len(place)).normal(0, 0.05, 8000)
            soundfile.write(folder / f"{long}\u202e{i}.wav", noise, 16_000)
    (folder / f"{long}\u202e3.wav").rename(folder / os.fsdecode(b"b\xff.wav"))
    for line in (
        ["index", "own"],
        ["extract-features", "--features", "logmel", "--round"],
        ["embed", "--embedder", "logmel"],
        ["score", "--method", "nn"],
        ["evaluate", "--csv", "r.csv"],
        ["threshold", "--decisions", "d.csv"],
        ["doctor"],
        ["score", "--method", HOSTILE],
        ["index", "own/\x1b[31m"],
        ["index", "own", "--force", "--json"],
    ):
        asd(*line)
        told = "".join(capsys.readouterr())
        assert not [c for c in ("\x1b", "\u202e", "\udcff") if c in told], line
    with (tmp_path / "d.csv").open(newline="") as file:
        assert {row["machine_type"] for row in csv.DictReader(file)} == {f"'{machine}"}
    assert asd("threshold", "--decisions", "d.csv", "--plain-cells", "--force", "-q") == 0
    with (tmp_path / "d.csv").open(newline="") as file:
        assert {row["machine_type"] for row in csv.DictReader(file)} == {machine}


@pytest.mark.parametrize(
    ("columns", "width"), [("0", 200), ("-5", 200), ("wide", 200), ("", 200), ("²", 200), ("1", 40), ("100", 100)]
)
def test_a_width_that_is_none_still_prints(
    columns: str, width: int, asd: Asd, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert asd("datasets") == 0
    assert "dcase2024" in capsys.readouterr().out
    assert asd("--help") == 0
    assert "extract-features" in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", columns)
    settle_width()
    assert stdout().width == width
    console = stdout()
    console.file = io.StringIO()
    console.print("x" * 30)
    assert console.file.getvalue() == "x" * 30 + "\n"


def test_a_line_of_a_name_does_not_pose_as_one_of_ours(
    asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("index", "no\nhint: rm -rf x") == 1
    lines = capsys.readouterr().err.splitlines()
    assert not any(line.startswith("hint: rm") for line in lines) and any("  hint: rm -rf x" in line for line in lines)
