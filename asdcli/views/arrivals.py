"""How many clips a machine records in a day, from the dates in their names."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from statistics import median

from asdcli.layouts.dates import day_of


def clips_per_day(clip_ids: Iterable[str]) -> float | None:
    """The median number of clips on a day, of the days between the first and the last on which there are any.

    The first and the last day are taken to be recorded in part. None where no such day is left, or a name holds no
    date.
    """
    days: Counter[datetime.date] = Counter()
    for clip_id in clip_ids:
        day = day_of(clip_id)
        if day is None:
            return None
        days[day] += 1
    whole = [days[day] for day in sorted(days)[1:-1]]
    return float(median(whole)) if whole else None
