"""Whole numbers as people list them: `0-9`, `0,3,5-7`."""

from __future__ import annotations

import re

from asdcli.errors import UsageError

_MOST = 10_000
_PART = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


def numbers(text: str, *, what: str) -> tuple[int, ...]:
    """The numbers of a list, from 0, each once, in the order in which they stand.

    Args:
        text: numbers and ranges (both ends count) with commas between them.
        what: they are, in an error.

    Raises:
        UsageError: anything else, a range that ends before it begins, or more numbers than anybody means.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first or last - first >= _MOST:
            raise UsageError(f"cannot read {what} {text!r}", "write whole numbers and ranges, as 0-9 or 0,3,5-7")
        found.update(dict.fromkeys(range(first, last + 1)))
    return tuple(found)
