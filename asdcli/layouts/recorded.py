"""When recordings were made: by their names, the folders above them, a start that was said, or their file times.

All times are those of the recorder's clock, without a zone. A time that cannot be (before 1990, or still to come) is
told of and passed over; one that is earlier than that of a recording before it in order of name is told of and taken.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asdcli.filenames import natural
from asdcli.layouts.times import Moment, moment_of
from asdcli.wording import counted, listed

_EARLIEST = datetime.datetime(1990, 1, 1)
_AHEAD = datetime.timedelta(days=1)  # of this computer's clock: zones differ
_BACK = datetime.timedelta(minutes=1)  # clocks are set now and then
_FEW = 3
SOURCES = {
    "name": "their names",
    "folder": "the folders above them",
    "start": "--start",
    "file": "their file times",
    "unknown": "nothing that can be",
}
"""What may tell when a recording was made, in words."""


@dataclass(frozen=True)
class MadeAt:
    """When a recording was made.

    Attributes:
        time: on the recorder's clock; midnight where only the day is known, None where nothing tells.
        time_from: one of `SOURCES`.
        is_day: only the day is known.
    """

    time: datetime.datetime | None = None
    time_from: str = "unknown"
    is_day: bool = False

    @property
    def text(self) -> str | None:
        """`2024-10-03T14:05:00`, or `2024-10-03`."""
        if self.time is None:
            return None
        return self.time.date().isoformat() if self.is_day else self.time.isoformat(timespec="seconds")


@dataclass(frozen=True)
class Times:
    """Of all recordings of a call: a `MadeAt` each, how they were told, and what is wrong with clocks, in words."""

    of: dict[Path, MadeAt]
    said: str
    doubts: tuple[str, ...] = ()


def recorded(
    paths: Sequence[Path],
    duration_s: Callable[[Path], float],
    now: datetime.datetime,
    start: datetime.datetime | None = None,
) -> Times:
    """When each of `paths` was made, which are of one machine.

    Args:
        paths: files that are there.
        duration_s: tells how long one lasts; 0 where nobody knows. Asked only where a name does not tell.
        now: on this computer's clock.
        start: when the first, in order of name, was begun. Those after it follow it without a gap where neither their
            names nor folders tell.
    """
    order = sorted(paths, key=lambda path: [natural(part) for part in path.parts])
    moments = _hours_or_numbers(order)
    found: dict[Path, MadeAt] = {}
    impossible: list[str] = []
    following = start
    for path, moment in zip(order, moments, strict=True):
        one = MadeAt()
        for told in _sources(path, moment, following, not found, duration_s):
            if told.time is not None and _EARLIEST <= told.time <= now + _AHEAD:
                one = told
                break
            impossible.append(f"{path.name} ({told.text})")
        found[path] = one
        if following is not None:
            begun = following if one.time is None or one.is_day else one.time
            following = begun + datetime.timedelta(seconds=duration_s(path))
    doubts = list(_set_back(order, found))
    if impossible:
        doubts.insert(0, f"{listed(impossible)}: such a time cannot be, the recorder's clock was not set")
    return Times(found, _said(found, duration_s), tuple(doubts))


def _sources(
    path: Path,
    moment: Moment | None,
    following: datetime.datetime | None,
    is_first: bool,
    duration_s: Callable[[Path], float],
) -> Iterator[MadeAt]:
    """What tells when a recording was made, what says it best first."""
    if is_first and following is not None:
        yield MadeAt(following, "start")
    if moment is not None:
        yield MadeAt(moment.time, "folder" if moment.in_folder else "name", moment.is_day)
    if following is not None:
        yield MadeAt(following, "start")
    else:
        with contextlib.suppress(ValueError, OverflowError):  # a year that no calendar has
            ended = datetime.datetime.fromtimestamp(path.stat().st_mtime).replace(microsecond=0)
            yield MadeAt(ended - datetime.timedelta(seconds=round(duration_s(path))), "file")


def _hours_or_numbers(paths: Sequence[Path]) -> list[Moment | None]:
    """What names and folders tell, digits after a date taken for an hour only where they may be one in all of a folder.

    A running number soon is none (0060), or stays below one o'clock.
    """
    moments = [moment_of(path.absolute().parts[1:-1], path.stem) for path in paths]
    hours: dict[Path, bool] = {}
    for path, one in zip(paths, moments, strict=True):
        if one is not None and one.is_bare:
            hours[path.parent] = hours.get(path.parent, False) or one.time.hour > 0
    for path, one in zip(paths, moments, strict=True):
        if one is not None and one.is_day and not one.in_folder:
            hours[path.parent] = False
    return [
        one.day if one is not None and one.is_bare and not hours[path.parent] else one
        for path, one in zip(paths, moments, strict=True)
    ]


def _set_back(order: Sequence[Path], found: dict[Path, MadeAt]) -> Iterator[str]:
    """Recordings of one series (names that differ by numbers only) that claim to be earlier than the one before."""
    series: dict[tuple[Path, str, str], list[Path]] = {}
    for path in order:
        one = found[path]
        if one.time is not None and not one.is_day:
            series.setdefault((path.parent, re.sub(r"\d+", "#", path.name), one.time_from), []).append(path)
    for own in series.values():
        times = [found[path].time or _EARLIEST for path in own]
        back = [i for i in range(1, len(own)) if times[i] < times[i - 1] - _BACK]
        if back and len(back) <= len(own) // 4:  # more, and the names have another order than time
            i = back[0]
            more = f"; so do {len(back) - 1} more" if len(back) > 1 else ""
            yield (
                f"{own[i].name} claims an earlier time ({times[i]}) than {own[i - 1].name} before it "
                f"({times[i - 1]}): the clock was set back{more}"
            )


def _said(found: dict[Path, MadeAt], duration_s: Callable[[Path], float]) -> str:
    """`times of 18 recordings by their names, of 2 by their file times (of the recorder's clock)`."""
    counts = Counter(one.time_from for one in found.values())
    parts = [f"of {counted(n, 'recording')} by {SOURCES[source]}" for source, n in counts.most_common()]
    days = sum(one.is_day for one in found.values())
    notes = ["local"]
    if days:
        notes.append("days only" if days == len(found) else f"of {days} the day only")
    files = [path for path, one in found.items() if one.time_from == "file"]
    if len(files) >= _FEW:
        ends = [path.stat().st_mtime for path in files]
        if max(ends) - min(ends) < sum(map(duration_s, files)) / 2:
            notes.append("written faster than they can be recorded, as by a copy: --start WHEN says more")
    return f"times {', '.join(parts)} ({'; '.join(notes)})"
