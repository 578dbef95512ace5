"""The verdicts of a check on the recordings of one machine: score, p-value, threshold, level, and events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli.audio.level import Levels
from asdcli.detector import Detector
from asdcli.errors import BadData
from asdcli.metrics.decisions import decide
from asdcli.metrics.false_discovery import stand_out
from asdcli.progress import Progress
from asdcli.views.checked import FALSE_DISCOVERIES, NORMAL, NOT_JUDGED, SUSPICIOUS, CheckRow, Event
from asdcli.views.listening import Listened
from asdcli.views.long_normals import LongNormals
from asdcli.views.p_values import CLIP, GROUP, p_values_of
from asdcli.views.reading import Reading
from asdcli.views.scores import Scored
from asdcli.views.tracks import Track, by_row, packs_of, track_of
from asdcli.wording import counted

QUIET_DB = 6.0
"""A recording so much quieter than all that were learned is not judged where it would be suspicious."""
LOUD_DB = 6.0
"""One so much louder is told of."""


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


@dataclass
class Judge:
    """Judges the recordings of one machine.

    Attributes:
        machine: its name.
        reading: how recordings are read.
        detector: with thresholds.
        scored: the scores of the normal recordings.
        levels: of the learned recordings; None where nobody knows.
        normals: what long recordings are held against.
        promised: share of normal recordings that may lie above the threshold; None where nothing is promised.
        shortest_s: shorter events are none.
        tracks: of the recordings that were cut into windows, as they come.
        counts: name of a recording -> for how many normal ones it counts, being so much longer.
    """

    machine: str
    reading: Reading
    detector: Detector
    scored: Scored
    levels: Levels | None
    normals: LongNormals
    promised: float | None
    shortest_s: float = 0.0
    tracks: list[Track] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def rows(self, usable: Sequence[tuple[ToCheck, Listened]]) -> list[CheckRow]:
        """Of the recordings, in their order."""
        packs = packs_of([(one.clip_id, it) for one, it in usable], self.reading)
        verdict = self.detector.score_packs(packs, self.machine, nearest=True)
        if verdict.threshold is None:
            method = self.detector.learnt.method
            raise BadData(f"there is no threshold of {self.machine} by {method}", "set it: asd threshold")
        windows = by_row(verdict.window_scores, verdict.rows, usable, self.detector.of_windows)
        scores = np.array(
            [
                own.max() if it.is_cut else whole
                for own, whole, (_, it) in zip(windows, verdict.scores, usable, strict=True)
            ]
        )
        p = self._p_values(usable, scores, windows)
        out = stand_out(p[CLIP], FALSE_DISCOVERIES) if np.isfinite(p[CLIP]).all() else np.zeros(len(usable), bool)
        rows = []
        for i, (one, it) in enumerate(usable):
            limit, events = self._limit_and_events(one, it, windows[i], verdict.threshold)
            is_above = bool(events) if it.is_cut else bool(decide(scores[i], limit))
            row = CheckRow(
                recording=one.name,
                machine=self.machine,
                verdict=SUSPICIOUS if is_above else NORMAL,
                score=float(scores[i]),
                threshold=limit,
                times=float(scores[i]) / limit if limit > 0 else None,
                p_value=_known(p[CLIP][i]),
                p_value_group=_known(p[GROUP][i]),
                stands_out=bool(out[i] and is_above),
                nearest=None if verdict.nearest is None else str(verdict.nearest[i]),
                level_db=round(it.level, 1),
                events=events,
                fault=None if verdict.faults is None else verdict.faults[i],
            )
            rows.append(_with_fault(_with_level(row, it, self.levels)))
        return rows

    def tell(self, progress: Progress) -> None:
        """Say in a line that recordings were cut, and what is not as it was with normal ones."""
        if not self.tracks:
            return
        window, hop = self.reading.window_s, self.reading.hop_s
        n = counted(len(self.tracks), "recording")
        progress.note(f"{n} cut into windows of {window:g} s, one every {hop:g} s")
        if not self.keeps_promise:
            progress.warn(
                f"windows of {window:g} s are held against normal recordings of {self.machine} that were not cut so: "
                "nothing is promised of them"
            )
            return
        limit = max(track.threshold for track in self.tracks)
        higher = limit / (self.detector.threshold(self.machine) or limit)
        if higher > 1 and self.promised:
            progress.note(
                f"longer than the normal recordings of {self.machine}: a threshold up to {higher:.2f} times as "
                f"high, so that 1 in {1 / self.promised:,.0f} of such long normal ones lies above it"
                + ("; so far out nothing checks that" if limit > self.normals.own.scores.max() else "")
            )

    @property
    def keeps_promise(self) -> bool:
        """Whether long recordings were cut as normal ones would have been; else nothing is promised of them."""
        learned, own = self.detector.made_with(self.machine), self.reading
        return not self.tracks or (learned.get("window_s"), learned.get("hop_s")) == (own.window_s, own.hop_s)

    def _limit_and_events(
        self, one: ToCheck, it: Listened, windows: np.ndarray, threshold: float
    ) -> tuple[float, tuple[Event, ...]]:
        self.counts[one.name] = 1
        if not it.is_cut:
            return threshold, ()
        limit, self.counts[one.name] = self.normals.limit_of(len(windows), threshold, self.promised)
        track = track_of(one.name, self.machine, it, self.reading, windows, limit, self.normals)
        self.tracks.append(track)
        return limit, track.events(self.shortest_s)

    def _p_values(
        self, usable: Sequence[tuple[ToCheck, Listened]], scores: np.ndarray, windows: Sequence[np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Those of recordings; of long ones, and of all where normal ones are long, those of like stretches."""
        table = pa.table(
            {
                "machine_type": pa.array([self.machine] * len(usable), pa.string()),
                "domain": pa.nulls(len(usable), pa.string()),
                "anomaly_score": pa.array(scores, pa.float64()),
            }
        )
        p = p_values_of(self.scored, table)
        for i, (_, it) in enumerate(usable):
            if it.is_cut or self.normals.any_was_cut:
                p[CLIP][i], p[GROUP][i] = self.normals.of_recording(windows[i])
        return p


def _with_fault(row: CheckRow) -> CheckRow:
    """What is known of a recording that sounds like what an operator called a fault; of a dead one nothing is."""
    if row.fault is None or row.verdict == NOT_JUDGED:
        return replace(row, fault=None)
    return replace(row, why="; ".join(filter(None, [f"sounds like the fault of {row.fault}", row.why])))


def _with_level(row: CheckRow, it: Listened, levels: Levels | None) -> CheckRow:
    """What the level says: of a dead or far too quiet microphone instead of the machine."""
    if it.is_dead:
        return replace(
            row,
            verdict=NOT_JUDGED,
            stands_out=False,
            events=(),
            why=f"{it.odd.words}: the microphone is dead, or muted",
        )
    beyond = levels.outside(it.level) if levels else 0.0
    why = [it.odd.words] if it.odd.words else []
    if beyond <= -QUIET_DB:
        why.append(
            f"{-beyond:.0f} dB quieter than anything learned: the gain, the microphone, or the machine stands still"
        )
        if row.verdict == SUSPICIOUS:
            row = replace(row, verdict=NOT_JUDGED, stands_out=False, events=())
    elif beyond >= LOUD_DB:
        why.append(f"{beyond:.0f} dB louder than anything learned: the machine, or the gain")
    return replace(row, why="; ".join(why) or None)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
