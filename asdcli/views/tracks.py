"""Recordings cut into windows: as packs, a few windows at a time, and as tracks of scores with their events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asdcli.features.kinds import FEATURES, FeatureKind, Pack
from asdcli.metrics.events import Limits, events, told_of
from asdcli.views.checked import Event
from asdcli.views.listening import Listened
from asdcli.views.long_normals import LongNormals
from asdcli.views.reading import Reading
from asdcli.views.windows import of_clips
from asdcli.vocabulary import OfWindows

_ROWS = 256  # of a pack; whole batches of networks, so that what they make does not depend on it

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """The windows of one recording that was cut, in the order of time.

    Attributes:
        recording: its name.
        machine: it is held against.
        spans_s: (n, 2) seconds at which windows begin and end.
        scores: (n,) larger is more suspicious.
        p_values: (n,) share of normal windows that would score as high; NaN where nobody can tell.
        duration_s: of the recording.
        threshold: above it an event opens.
        keeps: above it an event lasts.
    """

    recording: str
    machine: str
    spans_s: Array
    scores: Array
    p_values: Array
    duration_s: float
    threshold: float
    keeps: float

    @property
    def highest_s(self) -> tuple[float, float]:
        """When its most suspicious window begins and ends."""
        start, end = self.spans_s[int(self.scores.argmax())].tolist()
        return start, end

    def events(self, shortest_s: float = 0.0) -> tuple[Event, ...]:
        """Its events; those with less than a window between them are one, and shorter ones than said are none."""
        limits = Limits(self.threshold, self.keeps, float((self.spans_s[:, 1] - self.spans_s[:, 0]).max()), shortest_s)
        return tuple(
            Event(
                round(one.start_s, 3),
                round(one.end_s, 3),
                float(self.scores[one.peak]),
                float(self.scores[one.peak]) / self.threshold if self.threshold > 0 else None,
                float(self.p_values[one.peak]) if np.isfinite(self.p_values[one.peak]) else None,
            )
            for one in events(self.scores, told_of(self.spans_s, self.duration_s), limits)
        )


def track_of(
    recording: str,
    machine: str,
    heard: Listened,
    reading: Reading,
    scores: Array,
    threshold: float,
    normals: LongNormals,
) -> Track:
    """The track of a recording whose windows have these scores (n,)."""
    return Track(
        recording,
        machine,
        reading.spans_s(heard.duration_s or 0.0),
        scores,
        normals.of_windows(scores),
        heard.duration_s or 0.0,
        threshold,
        min(threshold, normals.keeps),
    )


def packs_of(usable: Sequence[tuple[str, Listened]], reading: Reading) -> Iterator[Pack]:
    """The recordings, by clip_id, as packs: all in one, or, where some are cut, a few windows at a time."""
    kind: FeatureKind = FEATURES.build(reading.features)
    most = _ROWS if any(it.is_cut for _, it in usable) else None
    made: list[tuple[str, np.ndarray]] = []

    def packed() -> Pack:
        return kind.pack(made, reading.sample_rate, sum(len(channel) for _, channel in made))

    for clip_id, it in usable:
        for row in it.features:
            made.append((clip_id, row))
            if len(made) == most:
                yield packed()
                made = []
    if made:
        yield packed()


def by_row(scores: Array, row: np.ndarray, usable: Sequence[tuple[Any, Listened]], how: OfWindows) -> list[Array]:
    """The scores of the rows of each recording: of its windows, or of its channels.

    Args:
        scores: (n,) of what an embedder makes of the rows of packs.
        row: (n,) the row of each, ascending.
        usable: the recordings in the packs.
        how: what a row has of several.
    """
    of_rows = of_clips(scores, np.unique(row, return_inverse=True)[1], how)
    ends = np.cumsum([it.n_rows for _, it in usable])
    return np.split(of_rows, ends[:-1])
