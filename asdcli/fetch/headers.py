"""What a server's headers say, as far as it can be believed: anybody may write anything into them."""

from __future__ import annotations

import email.utils
import re
import time

_DIGITS = 19  # of a number of bytes or seconds; what has more is no such number
_RANGE = re.compile(rf"bytes ([0-9]{{1,{_DIGITS}}})-[0-9]+/([0-9]{{1,{_DIGITS}}}|\*)")


def whole(text: str | None) -> int | None:
    """A whole number from 0; None where there is none. `²` is a digit to Python, and no number."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def seconds(retry_after: str | None) -> float | None:
    """Retry-After as seconds from now: it is a number of seconds or an HTTP date; None when absent or unreadable."""
    number = whole(retry_after)
    if number is not None or not retry_after:
        return number
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (TypeError, ValueError, IndexError, OverflowError, OSError):
        return None


def content_range(text: str | None) -> tuple[int, int | None]:
    """Where a part begins (-1: not said) and how long the whole is (None: not said), in bytes."""
    found = _RANGE.fullmatch((text or "").strip())
    return (int(found[1]), whole(found[2])) if found else (-1, None)
