"""`--status --watch`: looks until all is done or failed, and says what has changed meanwhile."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from asdcli.cli import watching
from asdcli.cli.talk import Talk
from asdcli.sweep import status
from asdcli.sweep.status import CellStatus, SweepStatus
from tests.helpers.sweeps import HERE, ORDER
from tests.sweep.test_sweep import CELLS, Told, swept

RUNNING = CellStatus("a", "running", told="train: asd sweep x (process 7)")


def statuses(*cells: tuple[CellStatus, ...], left: float | None = None) -> Iterator[SweepStatus]:
    yield from (SweepStatus(one, left) for one in cells)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the watch would have slept between its looks."""
    naps: list[float] = []
    monkeypatch.setattr(watching.time, "sleep", naps.append)
    return naps


def test_without_a_terminal_there_is_a_line_for_what_changed_and_none_for_what_did_not(
    slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    waits = CellStatus("b", "waiting")
    looks = statuses(
        (RUNNING, waits),
        (RUNNING, waits),
        (CellStatus("a", "done", 83.0), CellStatus("b", "failed", told="no")),
        left=60,
    )
    assert watching.watch(lambda: next(looks), "t", Talk(json=True), every_s=2.5).is_over
    assert capsys.readouterr().err.splitlines() == [
        "a: running, train: asd sweep x (process 7)",
        "1 running, 1 waiting; about 0:01:00 left",
        "a: done, in 0:01:23",
        "b: failed, no",
        "1 done, 1 failed; about 0:01:00 left",
    ]
    assert slept == [2.5, 2.5]


def terminal(monkeypatch: pytest.MonkeyPatch, height: int) -> io.StringIO:
    heard = io.StringIO()
    console = Console(file=heard, force_terminal=True, width=80, height=height)
    monkeypatch.setattr(watching, "stdout", lambda: console)
    return heard


def test_on_a_terminal_the_table_is_drawn_anew_and_what_goes_on_stands_first(
    slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = terminal(monkeypatch, 8)
    done = tuple(CellStatus(f"d{i}", "done", 1.0) for i in range(9))
    looks = statuses((*done, RUNNING), (*done, CellStatus("a", "done", 2.0)))
    watching.watch(lambda: next(looks), "t", Talk(), every_s=1)
    first = heard.getvalue().partition("more")[0]
    rows = [line.split()[0] for line in first.splitlines() if "running" in line or "done" in line]
    assert rows == ["a", "d0", "d1"] and first.rstrip().endswith("… and 7")
    assert "10 done" in heard.getvalue() and slept == [1]


def test_who_ends_the_watch_keeps_its_last_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = terminal(monkeypatch, 30)

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watching.time, "sleep", interrupted)
    looks = statuses((RUNNING,))
    with pytest.raises(KeyboardInterrupt):
        watching.watch(lambda: next(looks), "t", Talk(), every_s=1)
    erased = "\x1b[2K"
    assert "1 running" in heard.getvalue() and erased not in heard.getvalue().rpartition("1 running")[2]


def test_a_watch_ends_with_the_sweep_and_its_exit_code_says_whether_all_is_done(
    here: Path, told: Told, slept: list[float]
) -> None:
    Path(ORDER).write_text("refuse")
    swept(told, "--only", "synthetic/logmel")
    watched = told("sweep", "tiny.toml", "--only", "synthetic/logmel", "--status", "--watch", "--every", "1")
    assert (watched["exit_code"], watched["facts"]["failed"], watched["facts"]["done"], slept) == (3, 1, 1, [])
    assert f"{CELLS[0]}: failed, score: nothing can be made of this" in watched["heard"]
    assert told("sweep", "tiny.toml", "--only", "synthetic/logmel", "--engine", HERE)["exit_code"] == 0
    assert told("sweep", "tiny.toml", "--only", "synthetic/logmel", "--status", "--watch")["exit_code"] == 0


def test_ctrl_c_ends_it_with_the_exit_code_of_all_commands(
    here: Path, asd: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(status, "look", interrupted)
    assert asd("sweep", "tiny.toml", "--status", "--watch") == 130


def test_watching_is_for_looking(here: Path, told: Told) -> None:
    refused = told("sweep", "tiny.toml", "--watch")
    assert (refused["exit_code"], refused["error"]["hint"]) == (2, "with --status: --status --watch")
