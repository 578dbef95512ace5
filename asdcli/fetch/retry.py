"""When to ask a server again, and after how long."""

from __future__ import annotations

import random
from dataclasses import dataclass

from asdcli.fetch.headers import seconds

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses that may be gone a moment later."""

CONNECT_TRIES = 4
"""Tries where no connection comes about at all: a machine without network should hear of it within seconds."""


@dataclass(frozen=True)
class Retry:
    """Exponential back-off with full jitter; a server's Retry-After wins, up to `cap_s`.

    Attributes:
        tries: attempts in a row that may bring nothing before giving up; an attempt that brings new bytes starts over.
        base_s, cap_s: the n-th wait is drawn from [base/2, base] * 2**n seconds and is at most `cap_s`.
        retry_after_cap_s: the longest Retry-After that is waited for.
    """

    tries: int = 8
    base_s: float = 1.0
    cap_s: float = 60.0
    retry_after_cap_s: float = 600.0

    def wait_s(self, failures: int, retry_after: str | None = None) -> float:
        """Seconds to wait after the `failures`-th failure in a row (1, 2, …)."""
        asked = seconds(retry_after)
        if asked is not None:
            return min(asked, self.retry_after_cap_s)
        # jitter keeps a lab's many downloads from coming back all at once; it is no part of any result, so unseeded
        return min(self.base_s * 2 ** (failures - 1) * random.uniform(0.5, 1.0), self.cap_s)
