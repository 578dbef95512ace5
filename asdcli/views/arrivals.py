"""How many clips a machine records in a day, from the dates in their names."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable
from statistics import median

_DATE = re.compile(r"(?<!\d)(20\d\d)([-_.]?)(\d\d)\2(\d\d)(?!\d)")
"""2024-10-03, 2024_10_03 or 20241003, in a file's name or its folder's."""


def clips_per_day(clip_ids: Iterable[str]) -> float | None:
    """The median number of clips on a day, of the days between the first and the last on which there are any.

    The first and the last day are taken to be recorded in part. None where no such day is left, or a name holds no
    date.
    """
    days: Counter[datetime.date] = Counter()
    for clip_id in clip_ids:
        day = _day(clip_id)
        if day is None:
            return None
        days[day] += 1
    whole = [days[day] for day in sorted(days)[1:-1]]
    return float(median(whole)) if whole else None


def _day(clip_id: str) -> datetime.date | None:
    """The last date in a clip's path: the file's own wins over its folder's."""
    found = None
    for year, _, month, day in _DATE.findall(clip_id):
        try:
            found = datetime.date(int(year), int(month), int(day))
        except ValueError:  # 20249999 is a number
            continue
    return found
