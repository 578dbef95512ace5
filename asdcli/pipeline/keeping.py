"""What a check found, into the history of its run; where that cannot be, the check stands and it is said."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from asdcli import __version__, audio
from asdcli.artifacts import digest_file
from asdcli.errors import AsdError
from asdcli.history import checks
from asdcli.history.checks import PastCheck, PastEvent
from asdcli.history.database import now
from asdcli.layouts.recorded import MadeAt, recorded
from asdcli.progress import Progress
from asdcli.stages.check import ToCheck
from asdcli.views.checked import CheckRow
from asdcli.wording import listed


@dataclass(frozen=True)
class By:
    """What judged.

    Attributes:
        detector: digest of what had been learned.
        method: its spelling.
    """

    detector: str
    method: str


def keep(
    path: Path,
    recordings: Sequence[ToCheck],
    rows: Sequence[CheckRow],
    by: By,
    *,
    start: datetime.datetime | None,
    progress: Progress,
) -> None:
    """Keep what was found of recordings in the history at `path`; says when they were made, and what told.

    Args:
        path: of the history.
        recordings: that were checked.
        rows: what was found of each.
        by: what judged them.
        start: when the first was begun, where that was said.
        progress: is told of times, of clocks that are wrong, and of what could not be kept.
    """
    try:
        times = _times(recordings, start, progress)
        checks.keep(path, list(_kept(recordings, rows, by, times, progress)))
    except (AsdError, OSError) as error:
        said = error.message if isinstance(error, AsdError) else str(error)
        hint = error.hint if isinstance(error, AsdError) else None
        progress.warn(f"this check was not kept in the history: {said}" + (f" ({hint})" if hint else ""))


def _times(recordings: Sequence[ToCheck], start: datetime.datetime | None, progress: Progress) -> Mapping[Path, MadeAt]:
    found: dict[Path, MadeAt] = {}
    duration_s = cache(_duration_s)
    machines = sorted({one.machine for one in recordings})
    for machine in machines:
        own = [one.path for one in recordings if one.machine == machine]
        told = recorded(own, duration_s, datetime.datetime.now(), start)
        before = f"{machine}: " if len(machines) > 1 else ""
        progress.note(before + told.said)
        for doubt in told.doubts:
            progress.warn(before + doubt)
        found |= told.of
    return found


def _duration_s(path: Path) -> float:
    """How long a recording lasts, as its header says; 0 where it says nothing."""
    try:
        return audio.info(path).duration_s
    except audio.BadAudio:
        return 0.0


def _kept(
    recordings: Sequence[ToCheck], rows: Sequence[CheckRow], by: By, times: Mapping[Path, MadeAt], progress: Progress
) -> Iterator[PastCheck]:
    paths = {one.name: one.path for one in recordings}
    checked, lost = now(), []
    for row in rows:
        path = paths[row.recording]
        try:
            digest = digest_file(path)
        except OSError:  # nobody may read it
            lost.append(row.recording)
            continue
        yield PastCheck(
            recording=row.recording,
            path=str(path.absolute()),
            digest=digest,
            machine=row.machine,
            time=times[path].text,
            time_from=times[path].time_from,
            checked=checked,
            start_s=None,
            end_s=None,
            score=row.score,
            threshold=row.threshold,
            times=row.times,
            p_value=row.p_value,
            p_value_group=row.p_value_group,
            verdict=row.verdict,
            nearest=row.nearest,
            level_db=row.level_db,
            why=row.why,
            heard=row.heard,
            detector=by.detector,
            method=by.method,
            asdcli=__version__,
            events=tuple(PastEvent(**asdict(event)) for event in row.events),
        )
    if lost:
        progress.left_out(f"not kept in the history, for they cannot be read: {listed(lost)}")
