"""What a check found of a recording: its verdict, and the events of one that was cut into windows."""

from __future__ import annotations

from dataclasses import dataclass

SUSPICIOUS, NORMAL, NOT_JUDGED, UNUSABLE = "suspicious", "normal", "not judged", "unusable"
VERDICTS = (SUSPICIOUS, NORMAL, NOT_JUDGED, UNUSABLE)
FALSE_DISCOVERIES = 0.1
"""The share of normal ones that is bearable among recordings that are said to stand out."""


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
        why: what else is to be said of it: of its level, and of how it sounds.
        heard: how it sounds beside the nearest normal recordings; None where that was not asked.
        events: of a recording that was cut into windows, the stretches that are suspicious, in the order of time.
        fault: that an operator called one, and the recording is nearer to than to any normal one: its day and name.
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
    heard: str | None = None
    events: tuple[Event, ...] = ()
    fault: str | None = None
