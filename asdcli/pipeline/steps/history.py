"""history: what was ever checked by a run's detectors, and what was said of it since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from asdcli.artifacts.for_people import write_rows
from asdcli.errors import unknown_name
from asdcli.history.answers import Confirmed, confirmed
from asdcli.history.checks import PastCheck, kept, latest
from asdcli.layouts.times import since_when
from asdcli.pipeline.answers import answered
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.views.checked import VERDICTS


@dataclass(frozen=True)
class History:
    """Checks of recordings.

    Attributes:
        checks: in the order in which the recordings were made.
        answers: digest of a recording -> what was said of it, where anything was.
        recordings: how many there are in all, whatever was asked for.
    """

    checks: tuple[PastCheck, ...]
    answers: dict[str, Confirmed]
    recordings: int

    def rows(self) -> Iterator[dict[str, Any]]:
        """A check each, with the answer that counts: JSON-ready."""
        for one in self.checks:
            said = self.answers.get(one.digest)
            yield {
                **asdict(one),
                "answer": said and said.answer,
                "answered": said and said.at,
                "note": said and said.note,
            }


@dataclass(frozen=True)
class Wanted:
    """Which checks are wanted; None: all.

    Attributes:
        machine: of this one.
        since: of recordings made then or later; of one of which that is not known: checked.
        verdict: with this one.
        recording: of recordings whose path holds this text.
        superseded: also those that later checks of the same recording have taken the place of.
    """

    machine: str | None = None
    since: str | None = None
    verdict: str | None = None
    recording: str | None = None
    superseded: bool = False


@answered
def run(space: Workspace, wanted: Wanted) -> History:
    """The checks that are kept in the run, of each recording the one that counts.

    Raises:
        MissingArtifact: nothing was checked. BadArtifact, Busy: the history cannot be read.
        UsageError: a machine or verdict that there is none of, or `since` is no point of time.
    """
    if wanted.verdict is not None and wanted.verdict not in VERDICTS:
        raise unknown_name("verdict", wanted.verdict, VERDICTS)
    since = None if wanted.since is None else since_when(wanted.since)
    everything = kept(space.history)
    counting = latest(everything)
    if wanted.machine is not None and wanted.machine not in (known := sorted({one.machine for one in everything})):
        raise unknown_name("machine that was checked", wanted.machine, known)
    found = sorted(everything, key=lambda one: (*one.order, one.checked)) if wanted.superseded else counting
    text = (wanted.recording or "").casefold()
    checks = tuple(
        one
        for one in found
        if (wanted.machine in (None, one.machine))
        and (wanted.verdict in (None, one.verdict))
        and (since is None or one.order[0] >= since)
        and (text in one.path.casefold() or text in one.recording.casefold())
    )
    return History(checks, confirmed(space.history), len({one.digest for one in everything}))


def write(history: History, path: Path, *, plain_cells: bool = False, force: bool, progress: Progress = SILENT) -> None:
    """Write a row a check to `path` (.parquet, otherwise CSV). Raises BadData where it is not asd's."""
    table = pa.Table.from_pylist([{**row, "events": _told(row["events"])} for row in history.rows()], _SCHEMA)
    write_rows(table, path, plain_cells=plain_cells, force=force, progress=progress)


def _told(events: list[dict[str, Any]]) -> str | None:
    """`3.0-8.5 s; 20.0-21.0 s`."""
    return "; ".join(f"{event['start_s']:.1f}-{event['end_s']:.1f} s" for event in events) or None


_FIGURES = ("start_s", "end_s", "score", "threshold", "times", "p_value", "p_value_group", "level_db")
_SCHEMA = pa.schema(
    [
        (name, pa.float64() if name in _FIGURES else pa.string())
        for name in [*(field.name for field in fields(PastCheck)), "answer", "answered", "note"]
    ]
)
