"""Events: when a long recording is suspicious, out of a score a window.

Two limits keep an event whole (hysteresis): a score above the high one opens it, and it lasts as long as scores stay
above the low one. Events with little between them are one, and those that are too short are none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Limits:
    """What makes an event.

    Attributes:
        opens: a score above it opens one.
        keeps: it lasts while scores lie above this, which is at most `opens`.
        bridged_s: events with no more than so many seconds between them are one.
        least_s: shorter ones are none.
    """

    opens: float
    keeps: float
    bridged_s: float = 0.0
    least_s: float = 0.0


@dataclass(frozen=True)
class Interval:
    """Of an event: its first, last and highest window, by number, and when it begins and ends, in seconds."""

    first: int
    last: int
    peak: int
    start_s: float
    end_s: float


def told_of(spans_s: Array, duration_s: float) -> Array:
    """(n + 1,) seconds at which one of the n windows of a recording hands over to the next: half-way between middles.

    Windows that overlap hear the same sound; so each moment is told of by the window whose middle is nearest.

    Args:
        spans_s: (n, 2) where windows begin and end, ascending.
        duration_s: of the recording.
    """
    middles = spans_s.mean(axis=1)
    return np.concatenate([[0.0], (middles[:-1] + middles[1:]) / 2, [duration_s]])


def events(scores: Array, edges_s: Array, limits: Limits) -> list[Interval]:
    """The events of a recording, in the order of time; they do not touch.

    Args:
        scores: (n,) of its windows, larger is more suspicious.
        edges_s: (n + 1,) as `told_of` has it.
        limits: what makes an event.
    """
    kept = np.concatenate([[False], scores > min(limits.keeps, limits.opens), [False]])
    turns = np.flatnonzero(kept[1:] != kept[:-1])
    runs = [(int(a), int(b) - 1) for a, b in zip(turns[::2], turns[1::2], strict=True)]
    found: list[tuple[int, int]] = []
    for first, last in runs:
        if not (scores[first : last + 1] > limits.opens).any():
            continue
        if found and edges_s[first] - edges_s[found[-1][1] + 1] <= limits.bridged_s:
            first = found.pop()[0]
        found.append((first, last))
    return [
        Interval(
            first, last, first + int(scores[first : last + 1].argmax()), float(edges_s[first]), float(edges_s[last + 1])
        )
        for first, last in found
        if edges_s[last + 1] - edges_s[first] >= limits.least_s
    ]
