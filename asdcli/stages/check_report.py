"""What a check found of a recording, and of all recordings of a machine together in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from asdcli.metrics.threshold_rules import FEW
from asdcli.views.calibration import calibrations
from asdcli.views.scores import Scored
from asdcli.wording import counted, listed

SUSPICIOUS, NORMAL, NOT_JUDGED, UNUSABLE = "suspicious", "normal", "not judged", "unusable"
"""The verdicts."""
FALSE_DISCOVERIES = 0.1
"""The share of normal ones that is bearable among recordings that are said to stand out."""

_STRANGE = 0.9  # where so many recordings lie beyond all that was learned, they are hardly of that machine
_FEWEST = 3  # recordings of which that is said


@dataclass(frozen=True)
class Event:
    """A stretch of a recording in which the machine sounds wrong.

    Attributes:
        start_s: seconds from the start of the recording.
        end_s: the same.
        score: the highest of its windows.
        times: that as a multiple of the threshold; None where that is not above 0.
        p_value: share of normal windows that would score as high.
    """

    start_s: float
    end_s: float
    score: float
    times: float | None = None
    p_value: float | None = None

    def __str__(self) -> str:
        """`235.0-302.5 s: 3.20 x`, as a cell of a table has it."""
        height = f"{self.score:.4g}" if self.times is None else f"{self.times:.2f} x"
        return f"{self.start_s:.1f}-{self.end_s:.1f} s: {height}"


@dataclass(frozen=True)
class CheckRow:
    """What was found of a recording.

    Attributes:
        recording: its name.
        machine: it is held against.
        verdict: one of the above.
        score: larger is more suspicious; None where there is none.
        threshold: above it a recording is suspicious.
        times: the score as a multiple of the threshold; None where that is not above 0.
        p_value: share of normal recordings that would score as high, by those that were learned.
        p_value_group: the same as if it were of a new day or block of time.
        stands_out: whether it does among all recordings of the call (Benjamini and Hochberg).
        nearest: the learned recording that it is most like.
        level_db: its level in dB below full scale.
        why: what else is to be said of it.
        events: of a recording that was cut into windows, the stretches that are suspicious, in the order of time.
    """

    recording: str
    machine: str
    verdict: str
    score: float | None = None
    threshold: float | None = None
    times: float | None = None
    p_value: float | None = None
    p_value_group: float | None = None
    stands_out: bool = False
    nearest: str | None = None
    level_db: float | None = None
    why: str | None = None
    events: tuple[Event, ...] = ()


def sentences(
    machine: str, rows: Sequence[CheckRow], scored: Scored, promised: float | None, other: Callable[[], str | None]
) -> list[str]:
    """What is to be said of the recordings of a machine together."""
    judged = [row for row in rows if row.verdict in (SUSPICIOUS, NORMAL)]
    if not judged:
        return [f"{machine}: not one recording could be judged"]
    n, k = len(judged), sum(row.verdict == SUSPICIOUS for row in judged)
    (normal,) = [own.scores for name, own in calibrations(scored) if name == machine] or [np.array([np.inf])]
    highest = normal.max()
    if n >= _FEWEST and len(normal) >= FEW and sum((row.score or 0.0) > highest for row in judged) >= _STRANGE * n:
        like = other()
        told = f"{machine}: nearly all of {counted(n, 'recording')} lie beyond everything that was learned: "
        told += "this does not sound like that machine"
        if like:
            return [f"{told}, but like {like}: --machine {like!r} says so"]
        return [f"{told}: another one, another place of the microphone, or all of it has changed"]
    if not k:
        sound = "sounds" if n == 1 else "sound"
        return [f"{machine}: nothing suspicious, {counted(n, 'recording')} {sound} like those that were learned"]
    told = f"{machine}: {k} of {counted(n, 'recording')} {'is' if k == 1 else 'are'} suspicious"
    if promised is not None:
        told += f"; of so many normal ones about {_about(promised * n)} would be (1 in {1 / promised:,.0f} is promised)"
    return [told, *_together(machine, judged, k)]


def _together(machine: str, judged: Sequence[CheckRow], k: int) -> list[str]:
    if any(row.p_value is None for row in judged):
        return [f"{machine}: how rare that is nobody can tell: the model was trained on all normal recordings"]
    n, out = len(judged), sum(row.stands_out for row in judged)
    if n == 1:
        return []
    if out:
        return [
            f"{machine}: even among {n}, {out} of them {'stands' if out == 1 else 'stand'} out (Benjamini-Hochberg: of "
            f"recordings singled out so, 1 in {1 / FALSE_DISCOVERIES:.0f} at most is a normal one, on average)"
        ]
    none = f"{machine}: among {n}, none of them stands out (Benjamini-Hochberg)"
    if min(row.p_value or 1.0 for row in judged) > FALSE_DISCOVERIES * k / n:
        return [
            f"{none}, because so few normal recordings give no p-value small enough for that; look at how far they "
            "lie above the threshold, or learn more"
        ]
    return [f"{none}: so many as high may well be chance"]


def _about(number: float) -> str:
    return f"{number:.0f}" if number >= 1 else f"{number:.1g}"


def without_verdict(rows: Sequence[CheckRow]) -> Iterator[str]:
    """The recordings of which nothing is said, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.verdict in (NOT_JUDGED, UNUSABLE):
            reasons.setdefault(row.why or row.verdict, []).append(row.recording)
    for why, names in reasons.items():
        yield f"{listed(names)}: {why}"
