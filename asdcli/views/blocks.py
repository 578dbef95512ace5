"""How long blocks of consecutive recordings have to be, where nothing but their order tells groups apart.

`asd index` cuts such recordings in ten, whatever they sound like. Here their scores tell for how many recordings a
machine stays alike; blocks of that length replace the ten.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli.artifacts import CLIPS, Header
from asdcli.layouts.groups import BLOCKS
from asdcli.metrics.autocorrelation import FEWEST, alike_for
from asdcli.scorers.reference import Reference
from asdcli.scorers.vectors import Vectors
from asdcli.views.embeddings import Embedded
from asdcli.views.timeline import Timeline
from asdcli.views.units import plan_units
from asdcli.vocabulary import Unit
from asdcli.wording import counted

_PIECES = 4  # a stratum is cut in so many at least: without one and what lies beside it, another is left


@dataclass(frozen=True)
class Blocks:
    """The blocks of a machine type.

    Attributes:
        before: clips of a block as it was indexed.
        size: for how many clips scores stay alike, and of a block as it is now.
        n_groups: how many there are now.
        at_the_end: whether scores stay alike as long as can be told.
        trained: whether a model was trained on some of the clips: what it has not seen was held out by the old blocks.
        asked: whether somebody asked for the blocks as they were indexed; then they stay.
    """

    machine_type: str
    before: int
    size: int
    n_groups: int
    at_the_end: bool
    trained: bool
    asked: bool

    def __str__(self) -> str:
        said = (
            f"{self.machine_type}: scores stay alike for {counted(self.size, 'consecutive clip')}: "
            f"{counted(self.n_groups, 'group')} of that size instead of blocks of {self.before}"
        )
        return f"{said}; what comes later may be unlike all of them" if self.at_the_end else said

    @property
    def doubt(self) -> str | None:
        """What is wrong with blocks that are shorter than scores stay alike and cannot be changed any more, or None."""
        if self.size <= self.before or not (self.trained or self.asked):
            return None
        why = "held-out clips resemble some that the model has seen" if self.trained else "groups resemble each other"
        return (
            f"{self.machine_type}: scores stay alike for {counted(self.size, 'consecutive clip')}, and with blocks of "
            f"{self.before} {why}: index again with --group-by block:{self.size}"
        )


def with_blocks(embedded: Embedded) -> tuple[Embedded, list[Blocks]]:
    """The clips with groups by blocks of the length that scores tell, of machine types cut in ten by their order.

    Groups that were asked for, or that something else tells, stay, and so do those of few clips.
    """
    asked = _asked(embedded.header)
    if asked is not None and not str(asked).startswith("block:"):
        return embedded, []
    group = embedded.column("group").copy()
    timelines: dict[str, Timeline] = {}
    found: list[Blocks] = []
    for plan in plan_units(embedded, Unit.MACHINE_TYPE)[0]:
        labels = [embedded.column(name)[plan.train] for name in ("clip_id", "section", "domain", "group")]
        timeline = Timeline.of(plan.train, labels)
        before = timeline.size_of_blocks()
        if before is None:
            continue
        seen = np.array([known is not False for known in embedded.column("seen")[timeline.clips]], bool)
        if (~seen).sum() < FEWEST:
            continue
        longest = max(Counter(timeline.strata).values())
        distances = _distances(embedded, timeline, max(before, longest // BLOCKS))
        size = alike_for(list(timeline.runs(distances, ~seen)))
        if size is None:
            continue
        most = max(longest // _PIECES, 1)
        size = min(size, most)
        if asked is None:
            group[timeline.clips] = timeline.cut(size)
            timelines[plan.machine_type] = replace(timeline, margin=size)
        n_groups = len(set(group[timeline.clips]))
        found.append(
            Blocks(plan.machine_type, before, size, n_groups, size == most, bool(seen.any()), asked is not None)
        )
    place = embedded.clips.column_names.index("group")
    clips = embedded.clips.set_column(place, "group", pa.array(group.tolist(), pa.string()))
    return replace(embedded, clips=clips, timelines=timelines, _columns={}), found


def _asked(header: Header) -> Any:
    """The grouping that was asked for when the clips were indexed that were embedded; None where none was.

    Packs and models may be of clips that were indexed otherwise before.
    """
    of = header.inputs.get("clips")
    own = [e for e in header.history if e["kind"] == CLIPS.name and e["content"] == of]
    return own[-1]["params"].get("group_by") if own else None


def _distances(embedded: Embedded, timeline: Timeline, apart: int) -> np.ndarray:
    """(n,) distance of each clip to the nearest that is not among the `apart` before and after it.

    With its neighbours a clip and its twins would give small and even scores, however far the machine drifts.
    """
    place_of = np.full(len(embedded.clips), -1)
    place_of[timeline.clips] = np.arange(len(timeline.clips))
    place = place_of[embedded.clip]
    rows = np.flatnonzero(place >= 0)
    windows = Vectors.of(embedded.vectors[rows], place[rows])

    def nearest(of: slice, d: np.ndarray) -> np.ndarray:
        return np.where(timeline.is_near(windows.clip[of], windows.clip, apart), np.inf, d).min(axis=1)

    found = np.concatenate(Reference(windows).map(windows, nearest))
    found[~np.isfinite(found)] = 1.0  # of a stratum that is no longer than that, and alone: as unlike as can be
    return np.bincount(windows.clip, weights=found) / np.bincount(windows.clip)
