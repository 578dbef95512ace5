"""history.db: what is kept is found again, once each; what cannot be taken is refused in words; no kill loses it."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from asdcli.errors import AsdError, BadArtifact, Busy, MissingArtifact
from asdcli.history import database
from asdcli.history.answers import Confirmed, answers, confirm, confirmed
from asdcli.history.checks import PastCheck, PastEvent, find, keep, kept, latest

ONE = PastCheck(
    recording="week 47/07.wav",
    path="/rec/fan 3/week 47/07.wav",
    digest="ab" * 16,
    machine="fan 3",
    time="2024-11-20T14:05:00",
    time_from="name",
    checked="2024-11-21T08:00:00.000000Z",
    start_s=None,
    end_s=None,
    score=0.3,
    threshold=0.1,
    times=3.0,
    p_value=1 / 41,
    p_value_group=0.2,
    verdict="suspicious",
    nearest="2024-10-01_0003",
    level_db=-20.1,
    why=None,
    heard="12 dB more at 1.2-1.6 kHz",
    detector="d1",
    method="nn",
    asdcli="0.1.0",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def test_what_is_kept_is_found_again_as_it_was(path: Path) -> None:
    events = (PastEvent(3.0, 8.5, 0.3, 3.0, 0.02), PastEvent(20.0, 21.0, 0.2))
    odd = replace(
        ONE, digest="cd" * 16, events=events, time=None, time_from="unknown", score=None, p_value=None, why="=cut; 'x'"
    )
    keep(path, [ONE, odd])
    assert kept(path) == [ONE, odd]
    assert find(path, "07.wav") == [ONE, odd]
    assert find(path, "week 47/07.wav") == [ONE, odd]
    assert find(path, "abababab") == [ONE] and find(path, ONE.path) == latest([ONE, odd])
    assert find(path, "ababab") == [] and find(path, "7.wav") == []


def test_the_same_file_by_the_same_detector_counts_once_and_the_last_check_counts(path: Path) -> None:
    again = replace(ONE, recording="copy.wav", checked="2024-11-22T08:00:00.000000Z", threshold=0.4, verdict="normal")
    anew = replace(ONE, checked="2024-11-23T08:00:00.000000Z", detector="d2", score=0.2)
    other = replace(ONE, checked="2024-11-21T09:00:00.000000Z", method="kmeans")
    for one in (replace(ONE, events=(PastEvent(0.0, 1.0, 0.3),)), again, anew, other):
        keep(path, [one])
    keep(path, [replace(ONE, start_s=10.0, end_s=20.0)])
    keep(path, [replace(ONE, start_s=10.0, end_s=20.0, score=0.5)])
    whole = [one for one in kept(path) if one.start_s is None]
    assert whole == [other, again, anew]
    assert [one.score for one in kept(path) if one.start_s is not None] == [0.5]
    assert latest(whole) == latest([anew, other, again]) == [anew]


def test_a_time_that_says_more_is_not_given_up_for_one_that_says_less(path: Path) -> None:
    said = replace(ONE, time="2024-11-20T14:00:00", time_from="start")
    copied = replace(ONE, time="2025-01-01T00:00:00", time_from="file", detector="d2")
    keep(path, [said])
    keep(path, [copied])
    assert {(one.time, one.time_from) for one in kept(path)} == {("2024-11-20T14:00:00", "start")}
    keep(path, [ONE])
    assert next(one for one in kept(path) if one.detector == "d1").time_from == "name"
    first = replace(copied, digest="ef" * 16, time="2024-12-01T00:00:00")
    keep(path, [first])
    keep(path, [replace(first, time="2025-02-01T00:00:00")])  # copied since
    assert find(path, "ef" * 16)[0].time == "2024-12-01T00:00:00"


def test_an_order_stands_on_times_and_without_any_on_when_they_were_checked() -> None:
    a = replace(ONE, digest="a", time="2024-11-20", recording="2.wav")
    b = replace(ONE, digest="b", time="2024-11-20", recording="10.wav")
    c = replace(ONE, digest="c", time=None, time_from="unknown")  # checked on the 21st
    d = replace(ONE, digest="d", time="2024-11-22T00:00:00")
    assert [one.digest for one in latest([d, c, b, a])] == ["a", "b", "c", "d"]


def test_answers_are_all_kept_and_the_last_counts(path: Path) -> None:
    first = Confirmed(ONE.digest, "fault", "2024-11-22T08:00:00.000000Z", "bearing")
    second = replace(first, answer="normal", note=None)
    confirm(path, [first])
    confirm(path, [second, Confirmed("ef" * 16, "fault", first.at)])
    assert answers(path)[:2] == [first, second]
    assert confirmed(path)[ONE.digest] == second and len(confirmed(path)) == 2
    with pytest.raises(AsdError):
        confirm(path, [replace(first, answer="maybe")])  # type: ignore[arg-type]
    assert len(answers(path)) == 3


def test_bytes_of_a_name_that_are_no_utf8_do_no_harm(path: Path) -> None:
    keep(path, [replace(ONE, recording=os.fsdecode(b"\xff.wav"), path="/rec/" + os.fsdecode(b"\xff.wav"))])
    assert kept(path)[0].recording == "\\xff.wav"
    assert len(find(path, os.fsdecode(b"\xff.wav"))) == 1


def test_a_history_that_cannot_be_taken_is_refused_in_words_and_stays(path: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingArtifact, match="nothing was checked") as missing:
        kept(path)
    assert missing.value.hint == "check first: asd check DIR"
    path.touch()  # as after a kill at the very beginning
    with pytest.raises(MissingArtifact):
        kept(path)
    path.write_bytes(b"no database, but long enough to be one" * 100)
    for attempt in (lambda: kept(path), lambda: keep(path, [ONE])):
        with pytest.raises(BadArtifact, match="is damaged: file is not a database") as damaged:
            attempt()
        assert damaged.value.hint == f"move it aside, and a new one is begun: mv {path} {path}.damaged"
    assert path.read_bytes().startswith(b"no database")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE mine (x)")
    with pytest.raises(BadArtifact, match="no history of asd"):
        keep(tmp_path / "other.db", [ONE])
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(BadArtifact, match="is a folder, not a history"):
        keep(tmp_path / "folder.db", [ONE])


def test_a_newer_one_is_refused_and_a_damaged_page_is_told(path: Path) -> None:
    keep(path, [replace(ONE, digest=f"{i:032x}") for i in range(2000)])
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * 100_000 + whole[108_192:])
    with pytest.raises(BadArtifact, match="is damaged"):
        kept(path)
    path.write_bytes(whole)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {database.VERSION + 1}")
    with pytest.raises(BadArtifact, match=f"of version {database.VERSION + 1}, and this asdcli knows") as newer:
        kept(path)
    assert newer.value.hint == "upgrade asdcli"


def test_a_locked_one_is_waited_for_and_then_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(path, [ONE])
    monkeypatch.setattr(database, "WAIT_S", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Busy, match="kept by another program"):
            keep(path, [replace(ONE, digest="c")])
        with pytest.raises(Busy):
            kept(path)
        holder.execute("ROLLBACK")
    assert kept(path) == [ONE]


def test_one_that_nobody_may_write_is_read_and_told(path: Path) -> None:
    keep(path, [ONE])
    path.with_name("history.db-journal").mkdir()  # where the journal of a writing would lie
    with pytest.raises(AsdError, match="cannot be opened or written"):
        keep(path, [replace(ONE, digest="c")])


KILLED = """
import os, signal, sys
from pathlib import Path
from asdcli.history import database
from tests.history.test_history import ONE
from asdcli.history.checks import keep
from dataclasses import replace

def rows():
    for i in range(8_000):
        yield replace(ONE, digest=f"{i:032x}", why="x" * 500)
    os.kill(os.getpid(), signal.SIGKILL)

keep(Path(sys.argv[1]), rows())
"""


def test_a_kill_amid_a_writing_leaves_what_was_there_and_it_can_be_written_again(path: Path) -> None:
    keep(path, [ONE])
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=Path(__file__).parents[2])
    assert done.returncode == -signal.SIGKILL
    assert path.with_name("history.db-journal").exists()  # it was amid it
    assert path.stat().st_size > 100_000
    shutil.copytree(path.parent, path.parent / "as it was left")
    assert kept(path) == [ONE]
    keep(path.parent / "as it was left" / path.name, [replace(ONE, digest="c")])
    assert len(kept(path.parent / "as it was left" / path.name)) == 2


def test_where_no_time_is_known_that_of_the_check_stands_in_this_computers_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert replace(ONE, time=None).order[0] == "2024-11-21T09:00:00"
        assert ONE.order[0] == "2024-11-20T14:05:00"
    finally:
        monkeypatch.undo()
        time.tzset()
