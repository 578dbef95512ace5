"""The picture of long recordings: how suspicious each was, window by window, and from when to when.

A sibling of the figures of `asd plot`: `asd check --plot` gathers its numbers, of the recordings that were cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.plots import Material, Numbers, Source, page
from asdcli.plots.style import BAND, FAINT, HATCH, INK
from asdcli.progress import SILENT, Progress
from asdcli.views.checked import Event
from asdcli.views.tracks import Track
from asdcli.wording import clock, counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        ("recording", pa.string()),
        ("machine", pa.string()),
        *((name, pa.float64()) for name in ("start_s", "end_s", "score", "times", "p_value")),
        ("signature", pa.string()),
    ]
)
"""A row a window; `times` is its score as a multiple of the threshold, the score itself where that is not above 0."""

MOST = 24
"""Recordings that are drawn, the most suspicious first."""
_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400)
_MOST_TICKS = 10
_SHAPE = page.Shape(columns=1, ratio=0.2, side=6.2)
_EVENT: dict[str, Any] = {"facecolor": BAND, "edgecolor": FAINT, "hatch": HATCH, "linewidth": 0.0}
_LIMIT: dict[str, Any] = {"color": INK, "lw": 0.8, "dashes": (4.0, 1.5)}
_KEEPS: dict[str, Any] = {"color": FAINT, "lw": 0.8, "dashes": (1.0, 1.5)}
_SCORE: dict[str, Any] = {"color": "#0072B2", "lw": 0.9}
_KEY = (
    page.Sample("score of a window", line=_SCORE),
    page.Sample("threshold: opens an event", line=_LIMIT),
    page.Sample("keeps it open", line=_KEEPS),
    page.Sample("event", patch=_EVENT),
)
_NO_FILES = Material({})


@dataclass(frozen=True)
class TracksPlot:
    """A panel a recording: its windows' scores as multiples of the threshold, over time, and its events.

    Attributes:
        tracks: of the recordings.
        events: of each.
        signature: how the scores were made.
    """

    reads: ClassVar[tuple[Source, ...]] = ()

    tracks: Sequence[Track]
    events: Sequence[Sequence[Event]]
    signature: str

    def numbers(self, material: Material = _NO_FILES, progress: Progress = SILENT) -> Numbers:
        """One row a window, as SCHEMA says; of `material` nothing is read."""
        del material
        drawn = list(zip(self.tracks, self.events, strict=True))[:MOST]
        if len(self.tracks) > MOST:
            progress.left_out(f"the {MOST} most suspicious of {len(self.tracks)} long recordings are drawn")
        facts = [
            {
                "recording": track.recording,
                "duration_s": track.duration_s,
                "unit": _unit(track),
                "keeps": track.keeps / _unit(track),
                "limit": track.threshold / _unit(track),
                "events": [(one.start_s, one.end_s) for one in events],
            }
            for track, events in drawn
        ]
        table = pa.concat_tables([_rows(track, self.signature) for track, _ in drawn])
        caption = [
            f"{counted(len(drawn), 'long recording')}: the score of each window at its middle, as a multiple of the "
            "threshold of its recording. An event opens above the threshold and lasts while scores stay above the "
            "dotted line, below which 19 of 20 windows of normal recordings lie."
        ]
        return Numbers(table, "long recordings", caption, [self.signature], facts)

    def draw(self, numbers: Numbers) -> Figure:
        """The picture of these numbers; called with the style in force."""
        figure, [panels] = page.laid_out(
            {"": len(numbers.facts)},
            above=page.above(0),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=_SHAPE,
            key=_KEY,
        )
        for panel, facts in zip(panels, numbers.facts, strict=True):
            own = numbers.table.filter(pc.equal(numbers.table["recording"], facts["recording"]))
            _draw(panel.axes, own, facts, last=panel.last)
            page.write_above(panel, facts["recording"])
        return figure


def _unit(track: Track) -> float:
    """What scores are multiples of."""
    return track.threshold if track.threshold > 0 else 1.0


def _rows(track: Track, signature: str) -> pa.Table:
    n = len(track.scores)
    columns = {
        "recording": [track.recording] * n,
        "machine": [track.machine] * n,
        "start_s": track.spans_s[:, 0],
        "end_s": track.spans_s[:, 1],
        "score": track.scores,
        "times": track.scores / _unit(track),
        "p_value": pa.array(track.p_values, pa.float64(), from_pandas=True),
        "signature": [signature] * n,
    }
    return pa.table(columns, SCHEMA)


def _draw(ax: Axes, own: pa.Table, facts: Any, *, last: bool) -> None:
    middles = (own["start_s"].to_numpy() + own["end_s"].to_numpy()) / 2
    for start, end in facts["events"]:
        ax.axvspan(start, end, **_EVENT)
    single: dict[str, Any] = {"marker": "o", "ms": 2} if len(middles) == 1 else {}
    ax.plot(middles, own["times"].to_numpy(), **_SCORE, **single)
    ax.axhline(facts["limit"], **_LIMIT)
    ax.axhline(facts["keeps"], **_KEEPS)
    ax.set_xlim(0, facts["duration_s"])
    ax.set_ylim(bottom=min(0.0, float(np.min(own["times"].to_numpy()))))
    step = next((one for one in _STEPS_S if facts["duration_s"] <= _MOST_TICKS * one), facts["duration_s"])
    ticks = np.arange(0.0, facts["duration_s"] + 1e-9, step)
    ax.set_xticks(ticks, [clock(tick) for tick in ticks])
    ax.set_ylabel("x threshold", labelpad=2)
    if last:
        ax.set_xlabel("time from the start of the recording", labelpad=1)
