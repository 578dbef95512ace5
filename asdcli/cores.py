"""How many cores this process may use: a container's quota, of which neither Python nor torch take notice.

A process with more threads than its quota is stopped for the rest of each tenth of a second that they use up early.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_THREADS = "OMP_NUM_THREADS"


def at_hand() -> int:
    """Cores that this process may run on, and no more than its quota pays for: at least 1."""
    paid = quota()
    return _allowed() if paid is None else min(_allowed(), max(1, math.ceil(paid)))


def too_many_threads() -> int | None:
    """As many threads as there should be, where libraries would take more; None where they, or the user, are right."""
    n = at_hand()
    return n if n < _allowed() and _THREADS not in os.environ else None


def quota(groups: Path = _GROUPS) -> float | None:
    """Cores' worth of time that the control groups at `groups` grant; None without a limit, or on another system.

    Those are looked at that a container sees as its own: the root of version 2, and of the controller `cpu` in
    version 1.
    """
    try:
        granted, period = (groups / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            granted, period = ((groups / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        except OSError:
            return None
    try:
        share = int(granted) / int(period)
    except (ValueError, ZeroDivisionError):  # "max", or something unheard of
        return None
    return share if share > 0 else None  # -1: no limit


def _allowed() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1
