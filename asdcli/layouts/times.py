"""The time at which a recording was made, where its name tells, or the folders above it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asdcli.errors import UsageError
from asdcli.layouts.dates import day_of

_DAY = r"(?P<year>20\d\d|19[789]\d)(?P<between>[-_.]?)(?P<month>\d\d)(?P=between)(?P<day>\d\d)"
_CLOCK = r"(?P<hour>\d\d)(?P<sep>[-_.:h]?)(?P<minute>\d\d)(?:(?P<then>[-_.:m]?)(?P<second>\d\d))?"
_ZONE = r"(?P<zone>Z(?![A-Za-z])|\+\d\d:?\d\d|-\d\d:\d\d)?"  # -0017 is a running number
_BOTH = re.compile(rf"(?<!\d){_DAY}(?P<gap>T|[ _.-]+T?|){_CLOCK}{_ZONE}(?!\d)")
_ONLY = re.compile(rf"(?<!\d){_CLOCK}{_ZONE}(?!\d)")
ABOVE = 3
"""Folders above a recording whose names may tell when it was made: further up they tell of other things."""


@dataclass(frozen=True)
class Moment:
    """A point of time on the recorder's clock, without a zone.

    Attributes:
        time: of it; midnight where only the day is known.
        is_day: only the day is known.
        is_bare: nothing stands between its hours, minutes and seconds, so they may be a running number:
            `2019-10-03_0017`.
        in_folder: a folder told the day.
    """

    time: datetime.datetime
    is_day: bool = False
    is_bare: bool = False
    in_folder: bool = False

    @property
    def day(self) -> Moment:
        """What is left of it where its hour is a running number."""
        return Moment(_midnight(self.time.date()), is_day=True, in_folder=self.in_folder)


def moment_of(folders: Sequence[str], name: str) -> Moment | None:
    """When a recording was made.

    A name wins over a folder, the nearest folder over those above it. Where a folder tells the day, the name may tell
    the hour, as in `2019-10-03/14-05-00.wav`; digits without anything between them are a number there. A zone (`Z`,
    `+0200`) is turned into the time of this computer, as all other times are taken to be.

    Args:
        folders: names of the folders above it, the outermost first.
        name: of the file.
    """
    own = next(_moments(name), None)
    if own is not None:
        return own
    day = day_of(name)
    if day is not None:
        return Moment(_midnight(day), is_day=True)
    for folder in reversed(folders[-ABOVE:]):
        found = next(_moments(folder), None)
        if found is not None:
            return Moment(found.time, found.is_day, found.is_bare, in_folder=True)
        day = day_of(folder)
        if day is not None:
            clock = next(_clocks(name), None)
            return Moment(
                datetime.datetime.combine(day, clock or datetime.time()), is_day=clock is None, in_folder=True
            )
    return None


def when(text: str) -> datetime.datetime:
    """A point of time that somebody typed: `2019-10-03T14:05`, `2019-10-03 14:05:00`, `2019-10-03`; zones as above.

    Raises:
        UsageError: it is none.
    """
    try:
        found = datetime.datetime.fromisoformat(text.strip().removesuffix("Z") + ("+00:00" if text[-1:] == "Z" else ""))
        return found if found.tzinfo is None else found.astimezone().replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no point of time", "say it so: 2019-10-03T14:05") from None


def since_when(text: str) -> str:
    """What somebody typed as texts of times are compared with it: a day holds all that is known to be of it.

    Raises:
        UsageError: it is no point of time.
    """
    time = when(text)
    return time.date().isoformat() if time.time() == time.min.time() else time.isoformat()


def _moments(name: str) -> Iterator[Moment]:
    for found in _BOTH.finditer(name):
        if not found["gap"] and found["second"] is None:  # 201910031405 is a number of twelve digits
            continue
        is_bare = not found["sep"] and found["gap"] != "" and "T" not in found["gap"]
        try:
            day = datetime.date(int(found["year"]), int(found["month"]), int(found["day"]))
            clock = datetime.time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0))
        except ValueError:
            continue
        yield Moment(_local(datetime.datetime.combine(day, clock), found["zone"]), is_bare=is_bare)


def _clocks(name: str) -> Iterator[datetime.time]:
    for found in _ONLY.finditer(name):
        if not found["sep"]:
            continue
        try:
            yield datetime.time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0))
        except ValueError:
            continue


def _local(time: datetime.datetime, zone: str | None) -> datetime.datetime:
    if zone is None:
        return time
    offset = datetime.timedelta()
    if zone != "Z":
        offset = datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])) * (-1 if zone[0] == "-" else 1)
    try:
        return time.replace(tzinfo=datetime.timezone(offset)).astimezone().replace(tzinfo=None)
    except (ValueError, OverflowError):  # an offset of more than a day is none
        return time


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time())
