"""When recordings were made: by names, folders, a start or file times; clocks that are wrong are told of."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asdcli.errors import UsageError
from asdcli.layouts.recorded import Times, recorded
from asdcli.layouts.times import moment_of, when

NOW = datetime.datetime(2024, 12, 1, 12, 0)


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("fan/2024-10-03_14-05-09", "2024-10-03T14:05:09"),
        ("fan/rec 2024-10-03 14.05", "2024-10-03T14:05:00"),
        ("fan/20241003T140509", "2024-10-03T14:05:09"),
        ("fan/20241003140509", "2024-10-03T14:05:09"),
        ("fan/20241003_140509", "2024-10-03T14:05:09"),
        ("fan/2024-10-03T12:05:09Z", "2024-10-03T14:05:09"),  # summer time here
        ("fan/2024-12-03T12-05-09+0500", "2024-12-03T08:05:09"),
        ("fan/20241003_140509-0017", "2024-10-03T14:05:09"),  # a running number, no zone
        ("fan/2024-10-03_14h05", "2024-10-03T14:05:00"),
        ("1970-01-01/x_1970-01-01_00-02-11", "1970-01-01T00:02:11"),
        ("2024-10-04/2024-10-03_14-05", "2024-10-03T14:05:00"),  # its own name wins
        ("2024-10-03/14-05-09", "2024-10-03T14:05:09"),
        ("2024-10-03 06-00/a/0017", "2024-10-03T06:00:00"),
        ("fan/2024-10-03_9999", "2024-10-03"),
        ("2024-10-03/000123", "2024-10-03"),  # a number
        ("2024-09-01/2024-10-03/b/x", "2024-10-03"),
        ("2024-10-03/a/b/c/x", None),  # too far above
        ("fan 3/week 47/0017", None),
        ("fan/123456789012", None),
        ("fan/2024-13-03_14-05", None),
    ],
)
def test_a_name_tells_when_a_recording_was_made(path: str, said: str | None) -> None:
    *folders, name = path.split("/")
    found = moment_of(folders, name)
    told = found and (found.time.date().isoformat() if found.is_day else found.time.isoformat())
    assert told == said


def test_a_start_is_a_point_of_time_or_refused() -> None:
    assert when("2024-10-03T14:05") == when("2024-10-03 14:05:00") == datetime.datetime(2024, 10, 3, 14, 5)
    assert when("2024-10-03T12:05:00Z") == datetime.datetime(2024, 10, 3, 14, 5)
    assert when("2024-10-03") == datetime.datetime(2024, 10, 3)
    with pytest.raises(UsageError, match="'yesterday' is no point of time") as refused:
        when("yesterday")
    assert refused.value.hint == "say it so: 2019-10-03T14:05"


def made(place: Path, names: dict[str, str]) -> list[Path]:
    """Files with these times of last change."""
    paths = []
    for name, changed in names.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (datetime.datetime.fromisoformat(changed).timestamp(),) * 2)
        paths.append(path)
    return paths


def told(found: Times) -> list[tuple[str | None, str]]:
    return [(one.text, one.time_from) for one in found.of.values()]


def test_file_times_tell_the_end_of_a_recording(tmp_path: Path) -> None:
    paths = made(tmp_path, {"a.wav": "2024-11-20T14:10:00", "b.wav": "2024-11-20T14:20:00"})
    found = recorded(paths, lambda _: 600.0, NOW)
    assert told(found) == [("2024-11-20T14:00:00", "file"), ("2024-11-20T14:10:00", "file")]
    assert found.said == "times of 2 recordings by their file times (local)" and found.doubts == ()
    copied = made(tmp_path, {f"{i}.wav": "2024-11-20T14:10:00" for i in range(3)})
    assert (
        "written faster than they can be recorded, as by a copy: --start" in recorded(copied, lambda _: 10.0, NOW).said
    )


def test_after_a_start_recordings_follow_without_a_gap_unless_their_names_tell(tmp_path: Path) -> None:
    names = ["2.wav", "10.wav", "2024-11-20_16-00-00.wav", "2024-11-20_17-00-00.wav", "x.wav", "2024-11-21_y.wav"]
    order = ["2.wav", "10.wav", *names[2:4], "2024-11-21_y.wav", "x.wav"]
    found = recorded(
        made(tmp_path, dict.fromkeys(names, "2024-11-30")), lambda _: 60.0, NOW, datetime.datetime(2024, 11, 20, 14)
    )
    assert [path.name for path in found.of] == order
    assert told(found) == [
        ("2024-11-20T14:00:00", "start"),
        ("2024-11-20T14:01:00", "start"),
        ("2024-11-20T16:00:00", "name"),
        ("2024-11-20T17:00:00", "name"),
        ("2024-11-21", "name"),
        ("2024-11-20T17:02:00", "start"),
    ]
    assert found.said == "times of 3 recordings by --start, of 3 recordings by their names (local; of 1 the day only)"


def test_digits_behind_a_date_are_an_hour_only_where_all_may_be(tmp_path: Path) -> None:
    numbers = made(tmp_path / "a", {f"2024-10-01_{i:04d}.wav": "2024-11-20" for i in range(3)})
    assert told(recorded(numbers, lambda _: 1.0, NOW)) == [("2024-10-01", "name")] * 3
    hours = made(tmp_path / "b", {f"2024-10-01_{h}.wav": "2024-11-20" for h in ("0010", "0930", "2350")})
    assert [t for t, _ in told(recorded(hours, lambda _: 1.0, NOW))] == [
        f"2024-10-01T{h}:00" for h in ("00:10", "09:30", "23:50")
    ]
    both = recorded([*numbers, *hours], lambda _: 1.0, NOW)  # each folder for itself
    assert told(both) == [*told(recorded(numbers, lambda _: 1.0, NOW)), *told(recorded(hours, lambda _: 1.0, NOW))]
    more = made(tmp_path / "b", {"2024-10-01_2361.wav": "2024-11-20"})
    assert {t for t, _ in told(recorded([*hours, *more], lambda _: 1.0, NOW))} == {"2024-10-01"}


def test_a_time_that_cannot_be_is_told_and_the_next_that_can_is_taken(tmp_path: Path) -> None:
    paths = made(
        tmp_path,
        {
            "1970-01-01_00-02-11.wav": "2024-11-20T14:00:00",
            "2031-01-01_00-00-00.wav": "1970-01-02",
            "ok.wav": "2024-11-20T15:00:00",
        },
    )
    found = recorded(paths, lambda _: 0.0, NOW)
    assert told(found) == [("2024-11-20T14:00:00", "file"), (None, "unknown"), ("2024-11-20T15:00:00", "file")]
    assert found.doubts == (
        "1970-01-01_00-02-11.wav (1970-01-01T00:02:11), 2031-01-01_00-00-00.wav (2031-01-01T00:00:00), "
        "2031-01-01_00-00-00.wav (1970-01-02T00:00:00): such a time cannot be, the recorder's clock was not set",
    )
    assert "of 1 recording by nothing that can be" in found.said


def test_a_clock_that_was_set_back_is_told_and_nothing_is_changed(tmp_path: Path) -> None:
    clock = {f"rec_{i:03d}.wav": f"2024-11-20T{10 + i:02d}:00:00" for i in range(8)}
    clock["rec_005.wav"] = "2024-11-20T13:30:00"
    found = recorded(made(tmp_path, clock), lambda _: 0.0, NOW)
    assert found.doubts == (
        "rec_005.wav claims an earlier time (2024-11-20 13:30:00) than rec_004.wav before it (2024-11-20 14:00:00): "
        "the clock was set back",
    )
    assert told(found)[5] == ("2024-11-20T13:30:00", "file")
    shuffled = {name: f"2024-11-20T{10 + i * 5 % 8:02d}:00:00" for i, name in enumerate(clock)}
    assert recorded(made(tmp_path, shuffled), lambda _: 0.0, NOW).doubts == ()  # names of another order than time
