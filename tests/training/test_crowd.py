"""How crowded a machine is: decided by figures, and said only where it matters."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.training import crowd
from asdcli.training.crowd import Crowd


@pytest.mark.parametrize(
    ("seen", "times"),
    [
        (Crowd(cores=2, load=0.0, threads=2), 1.0),
        (Crowd(cores=2, load=2.0, threads=2), 2.0),
        (Crowd(cores=2, load=7.0, threads=1), 4.0),
        (Crowd(cores=64, load=30.0, threads=2), 1.0),
        (Crowd(cores=2, load=0.1, threads=2, trainings=2), 2.0),  # begun just now: the load of a minute knows less
    ],
)
def test_threads_share_the_cores_in_equal_parts(seen: Crowd, times: float) -> None:
    assert seen.times_as_long == pytest.approx(times)


@given(cores=st.integers(1, 256), load=st.floats(0, 1e4), more=st.floats(0, 1e3), threads=st.integers(1, 256))
def test_more_load_never_promises_less_time(cores: int, load: float, more: float, threads: int) -> None:
    before, after = Crowd(cores, load, threads), Crowd(cores, load + more, threads)
    assert 1.0 <= before.times_as_long <= after.times_as_long


def test_it_is_said_where_it_matters() -> None:
    assert Crowd(2, 0.9, 2).told() is None
    assert Crowd(2, 6.0, 2).told() == "2 cores and a load of 6.0: expect about 4.0 times the time"
    assert (
        Crowd(1, 3.0, 1, 2).told()
        == "1 core and a load of 3.0, 2 other asd among them: expect about 4.0 times the time"
    )


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("/usr/bin/python3 /home/me/.venv/bin/asd train --epochs 2", True),
        ("python -m asdcli embed", True),
        ("/home/me/.venv/bin/asd run --edition synthetic", True),
        ("python -m asdcli score -m nn", False),
        ("python train.py asd train", False),
        ("grep -r asd train", False),
        ("less asdcli", False),
        ("", False),
    ],
)
def test_other_trainings_are_known_by_their_command_line(tmp_path: Path, line: str, counts: bool) -> None:
    for number in (4321, os.getpid()):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "cmdline").write_bytes(line.replace(" ", "\0").encode() + b"\0")
    (tmp_path / "self").mkdir()
    assert crowd._others(tmp_path) == ([4321] if counts else [])


def test_a_load_of_what_has_ended_is_not_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statistics = tmp_path / "stat"
    spent = iter([(0, 0), (50, 350)])  # of 400 ticks of all cores in between, 50 at work

    def wait(_: float) -> None:
        busy, idle = next(spent)
        statistics.write_text(f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\n")

    wait(0)
    monkeypatch.setattr(crowd.time, "sleep", wait)
    cores = crowd.os.cpu_count() or 1
    assert crowd.busy_cores(0.1, statistics) == pytest.approx(cores * 50 / 400)
    assert crowd.busy_cores(0.1, tmp_path / "none") == math.inf
