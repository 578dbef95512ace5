"""`asd history`: what was checked is listed and exported; a check stands whatever becomes of its history."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from asdcli.history import database
from asdcli.history.answers import Confirmed, confirm
from asdcli.history.checks import kept
from asdcli.pipeline.diagnosis import State, past
from asdcli.pipeline.workspace import Workspace
from tests.helpers.machines import RATE, healthy, sound, write
from tests.helpers.typed import typed

Asd = Callable[..., int]
DB = Path("runs/fan-3/history.db")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a fan was learned, with recordings of two later days, the last but one of them faulty."""
    place = tmp_path_factory.mktemp("learned")
    healthy(place / "fan 3" / "October normal")
    rng = np.random.default_rng(14)
    for i in range(6):
        made = f"2024-11-{20 + i // 3}_{10 + i}-30-00.wav"
        write(place / "fan 3" / "later" / made, sound(rng, whine=0.3 if i == 4 else 0.0))
    return typed(place, ["learn", "fan 3/October normal"])


@pytest.fixture
def here(learned: Path, tmp_path: Path, asd: Asd) -> Path:
    shutil.copytree(learned, tmp_path, symlinks=True, dirs_exist_ok=True)
    link = tmp_path / "data" / "fan-3" / "audio"
    target = tmp_path / link.readlink().relative_to(learned)
    link.unlink()
    link.symlink_to(target)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def checks(asd: Asd, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert asd("history", *words, "--json", "-q") == 0
    found: list[dict[str, Any]] = told(capsys)["facts"]["checks"]
    return found


def test_what_was_checked_is_listed_in_the_order_it_was_made_and_once(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert asd("history") == 1
    said = capsys.readouterr().err
    assert "runs/fan-3 has no history: nothing was checked there" in said and "asd check DIR" in said
    assert asd("check", "fan 3/later", "--json", "-q") == 0
    rows = {row["recording"]: row for row in told(capsys)["facts"]["recordings"]}
    shutil.copy("fan 3/later/2024-11-21_14-30-00.wav", "copy of 2024-11-21_14-30-00.wav")
    assert asd("check", "copy of 2024-11-21_14-30-00.wav") == 0
    assert "times of 1 recording by their names (local)" in capsys.readouterr().err
    assert asd("history") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:7]] == ["2024-11-20"] * 3 + ["2024-11-21"] * 3
    assert "copy of" in lines[5] and " suspicious " in lines[5] and lines[7] == "6 checks; 6 recordings in all"
    found = checks(asd, capsys)
    assert [one["time"] for one in found] == [f"2024-11-{20 + i // 3}T{10 + i}:30:00" for i in range(6)]
    assert {one["time_from"] for one in found} == {"name"} and len({one["detector"] for one in found}) == 1
    for one in found:
        row = rows[one["recording"].removeprefix("copy of ")]
        both = (row.keys() & one.keys()) - {"recording"}
        assert len(both) == 12 and {name: one[name] for name in both} == {name: row[name] for name in both}


def test_what_is_wanted_is_found_and_exported(asd: Asd, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert asd("check", "fan 3/later", "-q") == 0
    digest = checks(asd, capsys, "--verdict", "suspicious")[0]["digest"]
    confirm(DB, [Confirmed(digest, "fault", database.now(), "=bearing")])
    assert [one["recording"] for one in checks(asd, capsys, "--since", "2024-11-21T14:00")] == [
        "2024-11-21_14-30-00.wav",
        "2024-11-21_15-30-00.wav",
    ]
    assert len(checks(asd, capsys, "--since", "2024-11-21")) == 3
    assert len(checks(asd, capsys, "runs/fan-3", "--recording", "11-20", "--machine", "fan 3")) == 3
    assert asd("history", "--csv", "all.csv", "--verdict", "suspicious") == 0
    with Path("all.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["recording"], row["answer"], row["note"]) == ("2024-11-21_14-30-00.wav", "fault", "'=bearing")
    assert "fault" in capsys.readouterr().out.splitlines()[1]
    assert asd("history", "--csv", "all.parquet") == 0
    assert pq.read_table("all.parquet")["time"].to_pylist() == sorted(one.time or "" for one in kept(DB))
    for words, said in {
        ("--verdict", "supsicious"): "did you mean 'suspicious'",
        ("--machine", "fan 4"): "did you mean 'fan 3'",
        ("--since", "monday"): "'monday' is no point of time",
        ("runs/fan-3", "--run", "runs/other"): "two runs are named",
    }.items():
        assert asd("history", *words) == 2
        assert said in capsys.readouterr().err


def test_a_new_detector_adds_a_check_and_the_last_one_counts(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert asd("check", "fan 3/later", "-q") == 0
    write(Path("fan 3/October normal/2024-10-04_9999.wav"), sound(np.random.default_rng(8)))
    assert asd("learn", "fan 3/October normal", "-q") == 0
    assert asd("check", "fan 3/later", "-q") == 0
    now, every = checks(asd, capsys), checks(asd, capsys, "--all")
    assert (len(now), len(every)) == (6, 12)
    assert len({one["detector"] for one in every}) == 2 and len({one["detector"] for one in now}) == 1
    assert now[0]["checked"] > every[0]["checked"]


def test_times_come_from_a_start_where_no_name_tells(asd: Asd, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    for i in range(3):
        write(Path(f"week/{i}.wav"), sound(np.random.default_rng(i), n=2 * RATE))
    assert asd("check", "week") == 0
    assert "by their file times (local; written faster than they can be recorded" in capsys.readouterr().err
    assert asd("check", "week", "--start", "2024-11-20T10:00") == 0
    assert "times of 3 recordings by --start (local)" in capsys.readouterr().err
    assert asd("check", "week", "-q") == 0
    assert [one["time"] for one in checks(asd, capsys)] == [f"2024-11-20T10:00:0{2 * i}" for i in range(3)]
    assert asd("check", "week", "--start", "soon") == 2
    assert asd("check", "week", "--start", "2024-11-20", "--no-history") == 2
    assert "which --no-history does not keep" in capsys.readouterr().err
    write(Path("odd/1970-01-01_00-00-17.wav"), sound(np.random.default_rng(5)))
    assert asd("check", "odd") == 0
    assert "1970-01-01_00-00-17.wav (1970-01-01T00:00:17): such a time cannot be" in capsys.readouterr().err


def test_a_check_stands_where_its_history_cannot_be_kept(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asd("check", "fan 3/later") == 0
    expected = capsys.readouterr().out

    def refused() -> str:
        assert asd("check", "fan 3/later") == 0
        said = capsys.readouterr()
        assert said.out == expected
        return said.err

    monkeypatch.setattr(database, "WAIT_S", 0.05)
    with closing(sqlite3.connect(DB, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert "was not kept in the history: runs/fan-3/history.db is kept by another program" in refused()
        assert asd("history") == 0  # reading it is none of a writer's concern
        capsys.readouterr()
    journal = DB.with_name("history.db-journal")
    journal.mkdir()
    assert "runs/fan-3/history.db cannot be opened or written" in refused()
    journal.rmdir()
    with closing(sqlite3.connect(DB)) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert "is a history of version 99" in refused()
    DB.write_bytes(b"nonsense" * 1000)
    said = refused()
    assert "is damaged" in said and f"mv {DB} {DB}.damaged" in said
    assert asd("history") == 1
    assert DB.read_bytes() == b"nonsense" * 1000


def test_the_doctor_says_whether_a_history_can_be_read(asd: Asd, here: Path) -> None:
    space = Workspace(Path("data"), Path("runs/fan-3"), "fan-3")
    assert list(past.look(space)) == []
    assert asd("check", "fan 3/later", "-q") == 0
    assert [(one.state, one.text) for one in past.look(space)] == [(State.OK, "6 checks of 6 recordings")]
    DB.write_bytes(b"nonsense" * 1000)
    (found,) = past.look(space)
    assert found.state == State.PROBLEM and found.fix == f"mv {DB} {DB}.damaged"


def test_nothing_becomes_stale_by_it(asd: Asd, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert asd("learn", "fan 3/October normal", "-q") == 0  # in its new place
    assert asd("check", "fan 3/later", "-q") == 0
    capsys.readouterr()
    assert asd("learn", "fan 3/October normal", "--json", "-q") == 0
    assert {output["status"] for output in told(capsys)["outputs"]} == {"current"}
    assert len(checks(asd, capsys)) == 6
