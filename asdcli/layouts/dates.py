"""The day on which a recording was made, where its name tells."""

from __future__ import annotations

import datetime
import re

_DATE = re.compile(r"(?<!\d)(20\d\d)([-_.]?)(\d\d)\2(\d\d)(?!\d)")
"""2024-10-03, 2024_10_03 or 20241003, in a file's name or its folder's."""


def day_of(path: str) -> datetime.date | None:
    """The last date in a clip's path: the file's own wins over its folder's."""
    found = None
    for year, _, month, day in _DATE.findall(path):
        try:
            found = datetime.date(int(year), int(month), int(day))
        except ValueError:  # 20249999 is a number
            continue
    return found
