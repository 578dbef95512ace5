"""One program at a time writes an output, and what a killed one left is swept."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from asdcli import stages
from asdcli.artifacts import own
from asdcli.errors import Busy
from asdcli.pipeline import run_note
from asdcli.progress import SILENT, Progress
from asdcli.writing import locks, owners
from asdcli.writing.locks import alone, alone_with
from asdcli.writing.owners import Owner, this_process
from asdcli.writing.whole import atomic, short, workshop
from tests.helpers import noise_run
from tests.helpers.waiting import PATIENCE_S, wait_until

HOLD = """
import sys, time
from pathlib import Path
from asdcli.writing.locks import alone
with alone(Path(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(600)
"""

NOTES = """
import sys
from pathlib import Path
from asdcli.artifacts import own
from asdcli.pipeline import run_note
run, who = Path(sys.argv[1]), sys.argv[2]
for i in range(30):
    run_note.remember_elsewhere(run, [run / f"scores/{who}{i}.parquet"], {"embeddings": run.parent / "e.parquet"})
    own.write_files(run, {f"{who}{i}.csv": b"x"})
"""


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def warn(self, message: str) -> None:
        self.said.append(message)

    note = warn


def holder(output: Path) -> subprocess.Popen[str]:
    """Another process that is at work on `output`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(output)], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "mine\n"
    return process


def lock_of(output: Path) -> Path:
    return output.with_name(f".{output.name}.lock")


def test_who_comes_second_is_told_who_is_at_it_and_a_killed_owner_holds_nothing(tmp_path: Path) -> None:
    output = tmp_path / "model"
    process = holder(output)
    try:
        with (
            pytest.raises(Busy, match=f"model is being written by .*process {process.pid}, since ") as error,
            alone(output),
        ):
            raise AssertionError("never reached")
        assert f"kill {process.pid}" in str(error.value.hint)
        with alone(tmp_path / "another"):
            pass
    finally:
        process.kill()
        process.wait()
    heard = Heard()
    with alone(output, heard):
        assert json.loads(lock_of(output).read_text())["pid"] == os.getpid()
    assert len(heard.said) == 1 and "was left unfinished by" in heard.said[0]
    assert not lock_of(output).exists()
    quiet = Heard()
    with alone(output, quiet):
        pass
    assert not quiet.said


def test_a_lock_of_another_host_is_spoken_of_and_blocks_nobody(tmp_path: Path) -> None:
    output = tmp_path / "scores.parquet"
    lock_of(output).write_bytes(Owner("node7", 4711, "asd score", "2026-03-01T12:00:00+00:00").to_text())
    heard = Heard()
    with alone(output, heard):
        pass
    assert "process 4711 on node7" in heard.said[0] and "if it is still running there" in heard.said[0]


@pytest.mark.parametrize("rubbish", [b"", b"\xff\xfe", b"{}", b"[" * 50_000, b'{"host": 1, "pid": "x"}'])
def test_a_lock_that_says_nothing_blocks_nobody(tmp_path: Path, rubbish: bytes) -> None:
    lock_of(tmp_path / "x").write_bytes(rubbish)
    with alone(tmp_path / "x"):
        pass


def test_where_a_file_system_has_no_locks_it_is_said_and_a_living_owner_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "flock", lambda descriptor: None)
    heard, output = Heard(), tmp_path / "model"
    with alone(output, heard):
        assert "has no locks" in heard.said[0]
        with pytest.raises(Busy), alone(output):
            raise AssertionError("never reached")
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    gone = Owner(this_process().host, process.pid, "asd train", this_process().since)
    lock_of(output).write_bytes(gone.to_text())
    with alone(output):
        pass


def test_a_stage_is_alone_with_what_it_says_it_writes_and_leaves_no_folder_that_was_not_there(tmp_path: Path) -> None:
    @alone_with("output")
    def stage(output: Path, *, progress: Progress) -> bool:
        return lock_of(output).exists()

    @alone_with(lambda given: None)
    def silent(output: Path, *, progress: Progress) -> bool:
        return lock_of(output).exists()

    output = tmp_path / "deep/er/out.parquet"
    assert stage(output, progress=SILENT) and not silent(output, progress=SILENT)
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("gone", ["the lock", "the folder"])
def test_what_an_owner_takes_away_while_another_asks_neither_refuses_nor_lets_two_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    output, took = tmp_path / "run" / "model", list[str]()

    def takes_away(*_: object) -> None:
        if not took:
            took.append(gone)
            lock_of(output).unlink(missing_ok=True)
            if gone == "the folder":
                output.parent.rmdir()

    name = "flock" if gone == "the lock" else "_make_folders"
    original = getattr(locks, name)
    monkeypatch.setattr(locks, name, lambda given: (original(given), takes_away())[0])
    with alone(output):
        assert took == [gone] and Owner.of_text(lock_of(output).read_bytes())


def test_a_pipe_in_place_of_a_lock_is_no_error_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(lock_of(tmp_path / "model"))
    with alone(tmp_path / "model"):
        pass


def test_temporaries_of_the_dead_are_swept_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    mark = owners.host_mark()
    dead = tmp_path / f".x.csv.{mark}-{process.pid}-0.tmp"
    folder = tmp_path / f".x.csv.{mark}-{process.pid}-1.tmp"
    living, other = tmp_path / f".x.csv.{mark}-{os.getppid()}-0.tmp", tmp_path / f".x.csv.abcdef-{process.pid}-0.tmp"
    mine = tmp_path / ".x.csv.swp"
    for place in (dead, living, other, mine):
        place.write_text("half")
    (folder / "task2").mkdir(parents=True)
    with atomic(tmp_path / "x.csv") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "x.csv").read_text() == "whole"
    assert sorted(tmp_path.iterdir()) == sorted([living, other, mine, tmp_path / "x.csv"])
    long_ago = time.time() - 3 * 24 * 3600
    os.utime(other, (long_ago, long_ago))
    with workshop(tmp_path / "x.csv") as place:
        assert place.is_dir() and not list(place.iterdir())
    assert sorted(tmp_path.iterdir()) == sorted([living, mine, tmp_path / "x.csv"])


def test_two_writers_of_one_file_never_share_a_temporary(tmp_path: Path) -> None:
    with atomic(tmp_path / "x") as one, atomic(tmp_path / "x") as other:
        assert one != other
        one.write_text("1"), other.write_text("2")
    assert (tmp_path / "x").read_text() == "1", "who ends last has the last word"


@pytest.mark.parametrize("name", ["a", "ä" * 120, "n" * 254])
def test_every_name_that_a_file_may_have_has_room_for_a_lock_and_a_temporary(tmp_path: Path, name: str) -> None:
    assert len(os.fsencode(short(name))) <= 200
    with alone(tmp_path / name), atomic(tmp_path / name) as temporary:
        temporary.write_text("x")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def command(*words: object, cwd: Path) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    root = str(Path(__file__).parents[2])
    env = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen([sys.executable, "-m", "asdcli", *map(str, words)], cwd=cwd, env=env, **pipes)  # type: ignore


def test_two_trainings_in_one_folder_are_one_and_a_refusal_and_a_killed_one_is_gone_on_with(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips, features = noise_run.write(tmp_path / "made")
    (tmp_path / "runs/noise/features").parent.mkdir(parents=True)
    (tmp_path / "runs/noise/features").symlink_to(features)
    where = ("--data", clips.parents[1], "--dataset", "noise", "--run", "runs/noise")
    words = ("train", *where, "--model", "autoencoder", "--device", "cpu", "-q")
    first = command(*words, "--epochs", 100_000, cwd=tmp_path)
    try:
        wait_until((tmp_path / "runs/noise/.autoencoder.lock").exists, first)
        assert asd(*words, "--epochs", 1) == 1
        said = capsys.readouterr().err
        assert f"process {first.pid}" in said and "--epochs 100000" in said
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    assert asd(*words[:-1], "--epochs", 1, "--force") == 0
    assert "was left unfinished by" in capsys.readouterr().err
    assert not (tmp_path / "runs/noise/.autoencoder.lock").exists()


def test_two_downloads_at_once_are_one_and_a_refusal(tmp_path: Path) -> None:
    words = ("download", "synthetic", "--size", "tiny", "-q")
    both = [command(*words, cwd=tmp_path) for _ in range(2)]
    said = [process.communicate(timeout=PATIENCE_S)[1] for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 1]), said
    assert codes == [0, 0] or any("is being written by" in words for words in said), said
    assert command(*words, cwd=tmp_path).wait() == 0
    assert not [p for p in (tmp_path / "data").rglob(".*") if p.suffix in (".lock", ".tmp", ".part")]


def test_what_commands_at_work_on_one_run_note_is_all_kept(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run_note.remember(run, "d")
    writers = [subprocess.Popen([sys.executable, "-c", NOTES, str(run), who]) for who in "abc"]
    assert [process.wait() for process in writers] == [0, 0, 0]
    everyone = {f"{who}{i}" for who in "abc" for i in range(30)}
    assert run_note.elsewhere(run).keys() == {f"scores/{one}" for one in everyone}
    assert {*own.names(run)} == {f"{one}.csv" for one in everyone}
    assert {p.name for p in run.iterdir()} == {"run.json", own.LEDGER, *own.names(run)}


def test_every_stage_that_writes_is_alone_with_what_it_writes() -> None:
    free = []
    for file in sorted(Path(stages.__path__[0]).glob("*.py")):
        module = importlib.import_module(f"asdcli.stages.{file.stem}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ != module.__name__ or name.startswith("_"):
                continue
            writes = {"output", "outputs", "root", "pool"} & set(inspect.signature(function).parameters)
            if writes and name in ("run", "append", "apply") and not hasattr(function, "__wrapped__"):
                free.append(f"{file.stem}.{name}")
    assert free == ["verify.run"]  # it only reads
