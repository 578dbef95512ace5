"""drift: are checked recordings still where the learned ones are? What has changed, since when, and how sure that is.

Three looks at the same recordings, none of which knows a reason: whether the p-values of recent ones are smaller than
chance allows, what a bet on later ones being less like the learned ones has won, and which frequency bands have moved.
A recording that was confirmed to be a fault takes no part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from asdcli.history.checks import PastCheck
from asdcli.metrics.kolmogorov import ks_p
from asdcli.metrics.martingale import LINE, fewest
from asdcli.progress import SILENT, Progress
from asdcli.stages import drift_words
from asdcli.stages.drift_words import Band, Drift
from asdcli.views.checked import SUSPICIOUS
from asdcli.views.drifting import Course, courses
from asdcli.views.moved import Moved, moved
from asdcli.views.scores import Scored
from asdcli.views.sound_words import where
from asdcli.views.sounds import Sounds

RECENT = 40
"""So many of the last recordings are the recent ones, where nobody says since when."""


def run(
    history: Path,
    methods: Sequence[Scored],
    sounds: Callable[[str, str], Sounds],
    *,
    machine: str | None = None,
    since: str | None = None,
    progress: Progress = SILENT,
) -> list[Drift]:
    """Look at each machine that was checked.

    Args:
        history: of the run.
        methods: with the scores of normal recordings.
        sounds: gives those of a machine, as they were read for a method.
        machine: only this one.
        since: recordings made then or later are the recent ones, as `layouts.times.since_when` has it.
        progress: is told how far it is.

    Raises:
        As `history.database.reading`.
    """
    found = []
    for course in courses(history, methods, machine):
        recent = _recent(course.recordings, since)
        needed = fewest(course.m)
        heard = None
        if recent and needed is not None and len(course.recordings) >= needed:
            own = sounds(course.machine, course.method)
            heard = moved(own, course.learned, course.recordings, len(recent), progress)
        found.append(_told(course, recent, needed, heard))
    return found


def _recent(recordings: Sequence[PastCheck], since: str | None) -> list[int]:
    if since is None:
        return list(range(max(len(recordings) - RECENT, 0), len(recordings)))
    return [i for i, one in enumerate(recordings) if one.order[0] >= since]


def _told(course: Course, recent: Sequence[int], needed: int | None, heard: Moved | None) -> Drift:
    crossed = course.change
    capital = np.exp(np.minimum(course.log_capital, 700.0))  # more is no float
    found = Drift(
        machine=course.machine,
        method=course.method,
        detector=course.detector,
        recordings=len(course.recordings),
        learned=course.m,
        first=_made(course.recordings[0]) if course.recordings else None,
        last=_made(course.recordings[-1]) if course.recordings else None,
        left_out=course.left_out,
        needed=needed,
        recent=len(recent),
        suspicious=sum(course.recordings[i].verdict == SUSPICIOUS for i in recent),
        median_p=float(np.median(course.p_values[recent])) if recent else None,
        ks_p=ks_p(course.above[recent], course.m) if recent else None,
        line=LINE,
        capital=float(capital[-1]) if len(capital) else None,
        highest=float(capital.max()) if len(capital) else None,
        crossed=_made(course.recordings[crossed[0]]) if crossed else None,
        begun=_made(course.recordings[crossed[1]]) if crossed else None,
        heard=heard.n_recent if heard else 0,
        groups=heard.n_groups if heard else 0,
        bands=tuple(_bands(heard)) if heard else (),
        listen=_listen(course, recent),
    )
    return drift_words.told(found)


def _made(one: PastCheck) -> str:
    """`2024-11-03 14:05`, when it was made, or else checked."""
    return one.order[0][:16].replace("T", " ")


def _bands(heard: Moved) -> Iterator[Band]:
    for region, spreads in zip(heard.regions, heard.spreads, strict=True):
        yield Band(
            low_hz=float(heard.edges_hz[region.low_band]),
            high_hz=float(heard.edges_hz[region.high_band]),
            where=where(region, heard.edges_hz),
            db=region.db,
            spreads=spreads,
            since=_made(heard.heard[region.first]) if region.first else None,
            until=_made(heard.heard[region.last - 1]) if region.last < len(heard.heard) else None,
            recordings=round(region.share * (region.last - region.first)),
            of=region.last - region.first,
        )


def _listen(course: Course, recent: Sequence[int]) -> tuple[str, str] | None:
    """The recent recording that is least like the learned ones, and the learned one that it is most like."""
    if not recent:
        return None
    one = course.recordings[max(recent, key=lambda i: course.recordings[i].score or 0.0)]
    return (one.recording, one.nearest) if one.nearest else None
