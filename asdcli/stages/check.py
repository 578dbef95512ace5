"""check: recordings in, and which of them are suspicious out, by what a run has learned; nothing of it is changed.

No table of clips is needed. A recording is read as those were that were learned; the detector gives it a score, the
scores of normal recordings that no model has seen give that a p-value, and the threshold decides. What says nothing of
the machine - a file that cannot be read, a dead microphone, a level far below all that was learned - is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli import artifacts, audio
from asdcli.artifacts.for_people import write_rows
from asdcli.audio.level import Levels, level_db
from asdcli.audio.suspect import is_flat, suspicion
from asdcli.detector import Detector
from asdcli.errors import AsdError, BadData
from asdcli.features.kinds import FEATURES, FeatureKind, Unfit
from asdcli.metrics.decisions import decide
from asdcli.metrics.false_discovery import stand_out
from asdcli.progress import SILENT, Progress
from asdcli.stages.check_report import (
    FALSE_DISCOVERIES,
    NORMAL,
    NOT_JUDGED,
    SUSPICIOUS,
    UNUSABLE,
    CheckRow,
    sentences,
    without_verdict,
)
from asdcli.views.p_values import CLIP, GROUP, p_values_of
from asdcli.views.reading import Reading
from asdcli.views.scores import Scored

QUIET_DB = 6.0
"""A recording so much quieter than all that were learned is not judged where it would be suspicious."""
LOUD_DB = 6.0
"""One so much louder is told of."""

_BLOCK = 64  # recordings read ahead: how long Ctrl-C waits
_THREADS = 8


@dataclass(frozen=True)
class ToCheck:
    """A recording to check.

    Attributes:
        path: of the file.
        name: it goes by.
        machine: it is of.
        clip_id: that of the learned recording that it is, else one of its own.
    """

    path: Path
    name: str
    machine: str
    clip_id: str


@dataclass(frozen=True)
class Checks:
    """All of a call: what was found, suspicious ones first, and what is to be said of them together."""

    rows: tuple[CheckRow, ...]
    said: tuple[str, ...]

    @property
    def suspicious(self) -> int:
        return sum(row.verdict == SUSPICIOUS for row in self.rows)

    @property
    def skipped(self) -> int:
        """Recordings of which nothing is said."""
        return sum(row.verdict in (NOT_JUDGED, UNUSABLE) for row in self.rows)


@dataclass(frozen=True)
class _Heard:
    """The features of a recording, a channel each, its level, and what is odd about it."""

    features: list[np.ndarray]
    level: float
    odd: str | None
    is_dead: bool


def run(
    recordings: Sequence[ToCheck],
    detector: Detector,
    scored: Scored,
    promised: Mapping[str, float | None],
    levels: Mapping[str, Levels | None],
    *,
    changes: Mapping[str, Any] | None = None,
    progress: Progress = SILENT,
) -> Checks:
    """Check recordings, those of a machine together.

    Args:
        recordings: of machines that the detector knows.
        detector: with thresholds.
        scored: the scores of the normal recordings, by the same method.
        promised: machine -> share of normal recordings that may lie above the threshold.
        levels: machine -> those of the learned recordings, None where nobody knows.
        changes: to how recordings are read: `channel`, `resample`.
        progress: is told how far it is, and of recordings that say nothing.

    Raises:
        BadData: there is no threshold for a machine. What the detector raises.
    """
    found: list[CheckRow] = []
    said: list[str] = []
    for machine in sorted({one.machine for one in recordings}):
        own = sorted((one for one in recordings if one.machine == machine), key=lambda one: one.path.with_suffix(""))
        reading = Reading.of({**detector.made_with(machine), "features": detector.kind, **(changes or {})})
        heard = _hear(own, reading, progress)
        rows = [
            CheckRow(one.name, machine, UNUSABLE, why=_reason(it))
            for one, it in zip(own, heard, strict=True)
            if isinstance(it, audio.BadAudio)
        ]
        usable = [(one, it) for one, it in zip(own, heard, strict=True) if isinstance(it, _Heard)]
        if usable:
            rows += _judge(machine, usable, reading, detector, scored, levels.get(machine))
            other = _sounds_like(machine, usable, reading, detector)
            said += sentences(machine, rows, scored, promised.get(machine), other)
        found += rows
    for sentence in without_verdict(found):
        progress.left_out(sentence)
    rank = {SUSPICIOUS: 0, NOT_JUDGED: 1, UNUSABLE: 2, NORMAL: 3}
    found.sort(key=lambda row: (rank[row.verdict], -(row.times if row.times is not None else row.score or 0.0)))
    return Checks(tuple(found), tuple(said))


def write(checks: Checks, path: Path, *, plain_cells: bool = False, force: bool, progress: Progress = SILENT) -> None:
    """Write a row a recording to `path` (.parquet, otherwise CSV). Raises BadData where it is not asd's."""
    rows = [{**asdict(row), "events": "; ".join(map(str, row.events)) or None} for row in checks.rows]
    table = pa.Table.from_pylist(rows, _SCHEMA)
    write_rows(table, path, plain_cells=plain_cells, force=force, progress=progress)


_TEXTS, _TRUTHS = ("recording", "machine", "verdict", "nearest", "why", "events"), ("stands_out",)
_SCHEMA = pa.schema(
    [
        (name, pa.string() if name in _TEXTS else pa.bool_() if name in _TRUTHS else pa.float64())
        for name in CheckRow.__dataclass_fields__
    ]
)


def _hear(own: Sequence[ToCheck], reading: Reading, progress: Progress) -> list[_Heard | audio.BadAudio]:
    """The features of each recording, in order; those that cannot be used with the reason."""
    kind: FeatureKind = FEATURES.build(reading.features)

    def attempt(one: ToCheck) -> _Heard | audio.BadAudio:
        try:
            waves = reading.waveforms(one.path)
            made = [kind.of_channel(samples, reading.sample_rate) for samples in waves]
        except audio.BadAudio as error:
            return error
        except Unfit as error:
            return audio.BadAudio(one.path, str(error))
        odd = next((words for words in map(suspicion, waves) if words), None)
        return _Heard(made, max(map(level_db, waves)), odd, any(map(is_flat, waves)))

    found: list[_Heard | audio.BadAudio] = []
    blocks = [own[i : i + _BLOCK] for i in range(0, len(own), _BLOCK)]
    with ThreadPoolExecutor(_THREADS) as pool:
        for block in progress.track(blocks, total=len(own), label="check", unit="recordings"):
            found += pool.map(attempt, block)
            progress.advance(len(block))
    return found


def _reason(error: audio.BadAudio) -> str:
    """Why a recording cannot be used, with the option that would help."""
    hint = error.hint or ""
    if hint.startswith("--resample"):
        return f"{error.reason}: --resample converts it"
    return f"{error.reason}: {hint}" if "--channel" in hint else error.reason


def _pack(usable: Sequence[tuple[ToCheck, _Heard]], reading: Reading) -> Any:
    kind: FeatureKind = FEATURES.build(reading.features)
    made = [(one.clip_id, channel) for one, it in usable for channel in it.features]
    return kind.pack(made, reading.sample_rate, sum(len(channel) for _, channel in made))


def _judge(
    machine: str,
    usable: Sequence[tuple[ToCheck, _Heard]],
    reading: Reading,
    detector: Detector,
    scored: Scored,
    levels: Levels | None,
) -> list[CheckRow]:
    """The recordings of one machine, in their order."""
    verdict = detector.score_pack(_pack(usable, reading), machine, nearest=True)
    limit = verdict.threshold
    if limit is None:
        raise BadData(f"there is no threshold of {machine} by {detector.learnt.method}", "set it: asd threshold")
    table = pa.table(
        {
            "machine_type": pa.array([machine] * len(usable), pa.string()),
            "domain": pa.nulls(len(usable), pa.string()),
            "anomaly_score": pa.array(verdict.scores, pa.float64()),
        }
    )
    p = p_values_of(scored, table)
    out = stand_out(p[CLIP], FALSE_DISCOVERIES) if np.isfinite(p[CLIP]).all() else np.zeros(len(usable), bool)
    above = decide(verdict.scores, limit)
    names = [None] * len(usable) if verdict.nearest is None else verdict.nearest.tolist()
    rows = []
    for i, (one, it) in enumerate(usable):
        row = CheckRow(
            recording=one.name,
            machine=machine,
            verdict=SUSPICIOUS if above[i] else NORMAL,
            score=float(verdict.scores[i]),
            threshold=limit,
            times=float(verdict.scores[i]) / limit if limit > 0 else None,
            p_value=_known(p[CLIP][i]),
            p_value_group=_known(p[GROUP][i]),
            stands_out=bool(out[i] and above[i]),
            nearest=names[i],
            level_db=round(it.level, 1),
        )
        rows.append(_with_level(row, it, levels))
    return rows


def _with_level(row: CheckRow, it: _Heard, levels: Levels | None) -> CheckRow:
    """What the level says: of a dead or far too quiet microphone instead of the machine."""
    if it.is_dead:
        return replace(row, verdict=NOT_JUDGED, stands_out=False, why=f"{it.odd}: the microphone is dead, or muted")
    beyond = levels.outside(it.level) if levels else 0.0
    why = [it.odd] if it.odd else []
    if beyond <= -QUIET_DB:
        why.append(
            f"{-beyond:.0f} dB quieter than anything learned: the gain, the microphone, or the machine stands still"
        )
        if row.verdict == SUSPICIOUS:
            row = replace(row, verdict=NOT_JUDGED, stands_out=False)
    elif beyond >= LOUD_DB:
        why.append(f"{beyond:.0f} dB louder than anything learned: the machine, or the gain")
    return replace(row, why="; ".join(why) or None)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _sounds_like(
    machine: str, usable: Sequence[tuple[ToCheck, _Heard]], reading: Reading, detector: Detector
) -> Callable[[], str | None]:
    """Asks, where it is wanted, which other machine of the run most of the recordings are normal for."""

    def ask() -> str | None:
        for other in detector.learnt.machine_types:
            if other == machine or Reading.of(detector.made_with(other)) != reading:
                continue
            try:
                found = detector.score_pack(_pack(usable, reading), other)
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
