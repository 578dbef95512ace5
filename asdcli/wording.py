"""What sentences share: how many there are of something, and the first of many by name."""

from __future__ import annotations

from collections.abc import Sequence


def clock(seconds: float) -> str:
    """`0:07`, `4:00`, `23:59:59`: a time in a recording, to the second."""
    whole = round(seconds)
    minutes, hours = whole // 60 % 60, whole // 3600
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def counted(n: int, what: str) -> str:
    """`1 clip`, `3 clips`."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def some(names: Sequence[str], most: int = 3) -> str:
    """The first names of many: `a, b, c, …`."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def listed(names: Sequence[str], most: int = 3, *, between: str = ", ") -> str:
    """The first names of many, and how many there are besides: `a, b, c and 4 more`."""
    return between.join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def they_are(names: Sequence[str], what: str) -> str:
    """How many there are of `what`, the first of them by name, and the verb: `2 clips (a, b) are`, `1 clip (a) is`."""
    return f"{counted(len(names), what)} ({some(names)}) {'is' if len(names) == 1 else 'are'}"
