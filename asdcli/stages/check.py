"""check: recordings in, and which of them are suspicious out, by what a run has learned; nothing of it is changed.

No table of clips is needed. A recording is read as those were that were learned; the detector gives it a score, the
scores of normal recordings that no model has seen give that a p-value, and the threshold decides. What says nothing of
the machine - a file that cannot be read, a dead microphone, a level far below all that was learned - is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from asdcli import artifacts, audio
from asdcli.artifacts import own
from asdcli.artifacts.for_people import write_rows
from asdcli.audio.level import Levels
from asdcli.blas import single_threaded
from asdcli.detector import Detector
from asdcli.errors import AsdError
from asdcli.plots import Format, drawing
from asdcli.plots.tracks import TracksPlot
from asdcli.progress import SILENT, Progress
from asdcli.stages.check_judge import Judge, ToCheck
from asdcli.stages.check_report import sentences, with_whys, without_verdict
from asdcli.stages.check_why import Whys
from asdcli.views.checked import NORMAL, NOT_JUDGED, SUSPICIOUS, UNUSABLE, CheckRow
from asdcli.views.listening import Listened, listen
from asdcli.views.long_normals import LongNormals
from asdcli.views.reading import Reading
from asdcli.views.scores import Scored
from asdcli.views.tracks import Track, packs_of
from asdcli.writing.locks import alone_with

_BLOCK = 64  # recordings read ahead: how long Ctrl-C waits
_THREADS = 8


@dataclass(frozen=True)
class Checks:
    """All of a call: what was found, suspicious ones first, and what is to be said of them together.

    `tracks` are those of recordings that were cut into windows, in the same order, and
    `plot` is the picture of them that was drawn, if any. `recordings` are the files, and `changes` those to how they
    were read. `untold` says of which rows it is not told why, which a page that explains more of them leaves out.
    """

    rows: tuple[CheckRow, ...]
    said: tuple[str, ...]
    tracks: tuple[Track, ...] = ()
    plot: Path | None = None
    recordings: tuple[ToCheck, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    untold: tuple[str, ...] = ()

    @property
    def suspicious(self) -> int:
        return sum(row.verdict == SUSPICIOUS for row in self.rows)

    @property
    def skipped(self) -> int:
        """Recordings of which nothing is said."""
        return sum(row.verdict in (NOT_JUDGED, UNUSABLE) for row in self.rows)


def run(
    recordings: Sequence[ToCheck],
    detector: Detector,
    scored: Scored,
    promised: Mapping[str, float | None],
    levels: Mapping[str, Levels | None],
    normals: Mapping[str, LongNormals],
    *,
    shortest_s: float = 0.0,
    changes: Mapping[str, Any] | None = None,
    whys: Whys | None = None,
    progress: Progress = SILENT,
) -> Checks:
    """Check recordings, those of a machine together.

    Args:
        recordings: of machines that the detector knows.
        detector: with thresholds.
        scored: the scores of the normal recordings, by the same method.
        promised: machine -> share of normal recordings that may lie above the threshold.
        levels: machine -> those of the learned recordings, None where nobody knows.
        normals: machine -> the normal recordings that long ones are held against.
        shortest_s: shorter events of long recordings are none.
        changes: to how recordings are read: `channel`, `resample`, `window_s`, `hop_s`.
        whys: tells why suspicious ones are; None: nobody asked.
        progress: is told how far it is, and of recordings that say nothing.

    Raises:
        BadData: there is no threshold for a machine. What the detector raises.
    """
    found: list[CheckRow] = []
    said: list[str] = []
    tracks: list[Track] = []
    for machine in sorted({one.machine for one in recordings}):
        listed = sorted((one for one in recordings if one.machine == machine), key=lambda one: one.path.with_suffix(""))
        reading = Reading.of({**detector.made_with(machine), "features": detector.kind, **(changes or {})})
        heard = _hear(listed, reading, progress)
        rows = [
            CheckRow(one.name, machine, UNUSABLE, why=_reason(it))
            for one, it in zip(listed, heard, strict=True)
            if isinstance(it, audio.BadAudio)
        ]
        usable = [(one, it) for one, it in zip(listed, heard, strict=True) if isinstance(it, Listened)]
        if usable:
            promise = promised.get(machine)
            by = Judge(machine, reading, detector, scored, levels.get(machine), normals[machine], promise, shortest_s)
            rows += by.rows(usable)
            tracks += by.tracks
            by.tell(progress)
            other = _sounds_like(machine, usable, reading, detector)
            said += sentences(machine, rows, scored, promise if by.keeps_promise else None, other, by.counts)
        found += rows
    for sentence in without_verdict(found):
        progress.left_out(sentence)
    rank = {SUSPICIOUS: 0, NOT_JUDGED: 1, UNUSABLE: 2, NORMAL: 3}
    found.sort(key=lambda row: (rank[row.verdict], -(row.times if row.times is not None else row.score or 0.0)))
    place = {(row.machine, row.recording): i for i, row in enumerate(found)}
    tracks.sort(key=lambda track: place[track.machine, track.recording])
    untold: list[str] = []
    if whys is not None:
        of = {one.name: one for one in recordings}
        spans = {track.recording: track.highest_s for track in tracks}
        found, untold = with_whys(
            found,
            whys.most,
            lambda row: whys.of(of[row.recording], changes or {}, spans.get(row.recording)),
            progress,
        )
    return Checks(tuple(found), tuple(said), tuple(tracks), untold=tuple(untold))


def write(checks: Checks, path: Path, *, plain_cells: bool = False, force: bool, progress: Progress = SILENT) -> None:
    """Write a row a recording to `path` (.parquet, otherwise CSV). Raises BadData where it is not asd's."""
    rows = [{**asdict(row), "events": "; ".join(map(str, row.events)) or None} for row in checks.rows]
    table = pa.Table.from_pylist(rows, _SCHEMA)
    write_rows(table, path, plain_cells=plain_cells, force=force, progress=progress)


@alone_with("output")
def picture(
    checks: Checks, output: Path, format: Format, *, signature: str, force: bool = False, progress: Progress = SILENT
) -> bool:
    """Draw the tracks of long recordings into `output`; False where none was cut, and nothing is written.

    Raises:
        AsdError: matplotlib is not installed. BadData: the file is not asd's to overwrite.
    """
    may_draw(output, force=force)
    if not checks.tracks:
        progress.left_out(
            f"{output} is not drawn: no recording is long enough to be cut (--window SECONDS cuts others)"
        )
        return False
    events = {(row.machine, row.recording): row.events for row in checks.rows}
    of = [events[track.machine, track.recording] for track in checks.tracks]
    plot = TracksPlot(checks.tracks, of, signature)
    with own.written(output, force=force) as temporary:
        drawing.save(plot, plot.numbers(progress=progress), temporary, format, progress=progress)
    return True


def may_draw(output: Path, *, force: bool) -> None:
    """Raises, before the work, what `picture` would raise after it."""
    drawing.require()
    own.check(output, force=force)


_TEXTS, _TRUTHS = ("recording", "machine", "verdict", "nearest", "why", "heard", "events", "fault"), ("stands_out",)
_SCHEMA = pa.schema(
    [
        (name, pa.string() if name in _TEXTS else pa.bool_() if name in _TRUTHS else pa.float64())
        for name in CheckRow.__dataclass_fields__
    ]
)


def _hear(recordings: Sequence[ToCheck], reading: Reading, progress: Progress) -> list[Listened | audio.BadAudio]:
    """What came of each recording, in order; of those that cannot be used the reason."""

    def attempt(one: ToCheck) -> Listened | audio.BadAudio:
        try:
            return listen(one.path, reading)
        except audio.BadAudio as error:
            return error

    found: list[Listened | audio.BadAudio] = []
    blocks = [recordings[i : i + _BLOCK] for i in range(0, len(recordings), _BLOCK)]
    with single_threaded(), ThreadPoolExecutor(_THREADS) as pool:
        for block in progress.track(blocks, total=len(recordings), label="check", unit="recordings"):
            found += pool.map(attempt, block)
            progress.advance(len(block))
    return found


def _reason(error: audio.BadAudio) -> str:
    """Why a recording cannot be used, with the option that would help."""
    hint = error.hint or ""
    if hint.startswith("--resample"):
        return f"{error.reason}: --resample converts it"
    return f"{error.reason}: {hint}" if "--channel" in hint else error.reason


def _sounds_like(
    machine: str, usable: Sequence[tuple[ToCheck, Listened]], reading: Reading, detector: Detector
) -> Callable[[], str | None]:
    """Asks, where it is wanted, which other machine of the run most of the recordings are normal for."""

    def ask() -> str | None:
        for other in detector.learnt.machine_types:
            if other == machine or Reading.of(detector.made_with(other)) != reading:
                continue
            try:
                found = detector.score_packs(packs_of([(one.clip_id, it) for one, it in usable], reading), other)
            except AsdError:
                continue
            if found.anomalous is not None and (~found.anomalous).mean() > 0.5:
                return other
        return None

    return ask


def levels_of(features: Path, kind: str, machines: Sequence[str]) -> dict[str, Levels | None]:
    """Machine -> the levels of its learned recordings, as the header of its pack says; None where it does not."""
    from asdcli.views import packs

    found: dict[str, Levels | None] = {}
    for path in packs.paths(features, kind, machines):
        said = artifacts.read_header(path, artifacts.FEATURES).diagnostics.get(packs.LEVELS)
        found[path.stem] = Levels.read(said)
    return found
