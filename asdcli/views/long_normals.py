"""Normal recordings as long ones are held against: how many windows each has, and the scores of these."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import BadArtifact
from asdcli.metrics.conformal import group_p_values
from asdcli.metrics.long_recordings import Stretches, highest_of
from asdcli.metrics.threshold_rules import FalseAlarms, set_threshold
from asdcli.views.calibration import Calibration, calibrations
from asdcli.views.scores import Scored

KEEPS = 0.95
"""Share of the windows of normal recordings that lie below what keeps an event open."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LongNormals:
    """The normal recordings of one machine.

    Attributes:
        own: they.
        lengths: (n,) windows of each.
        windows: (n_windows,) scores, recording by recording, in the order of time.
        recording: (n_windows,) the place in `own` of the recording that each is of, ascending.
        by_time: false alarms are promised of a day or month, so that each stretch of a long recording is one test more;
            else of recordings, and a long one is one.
    """

    own: Calibration
    lengths: npt.NDArray[np.int64]
    windows: Array
    recording: npt.NDArray[np.int64]
    by_time: bool = False

    @property
    def keeps(self) -> float:
        """Above it lie as few normal windows as KEEPS says."""
        return float(np.quantile(self.windows, KEEPS))

    @property
    def any_was_cut(self) -> bool:
        """Whether a recording has several windows."""
        return bool((self.lengths > 1).any())

    def of_windows(self, scores: Array) -> Array:
        """(n,) p-values of windows; every normal recording counts once, because its windows are alike. NaN where the
        model has seen them."""
        if self.own.is_seen:
            return np.full(len(scores), np.nan)
        return group_p_values(self.windows, self.recording, scores)

    def limit_of(self, n_windows: int, limit: float, promised: float | None) -> tuple[float, int]:
        """The threshold of a recording of so many windows, and for how many normal ones it counts.

        One of several stretches has as many chances to lie above a threshold. Where recordings are what false alarms
        are promised of, each stretch is left its part of the promise: the threshold is the empirical quantile of normal
        stretches at that, or a gamma distribution's where they are too few (`threshold_rules.FalseAlarms`).

        Args:
            n_windows: of the recording.
            limit: the threshold of a recording as long as normal ones.
            promised: share of these that may lie above it; None where nothing is promised.
        """
        cut = Stretches.of(n_windows, self.lengths)
        if cut.n == 1 or promised is None or self.own.is_seen or self.by_time:
            return limit, cut.n if self.by_time else 1
        highest, _ = highest_of(self.windows, self.recording, cut.size)
        rule = FalseAlarms(per_day=promised / cut.n, clips_per_day=1.0)
        return max(limit, set_threshold(rule, highest).value), 1

    def of_recording(self, scores: Array) -> tuple[float, float]:
        """The p-value of a recording with these windows, and that as of a new group; NaN where nobody can tell."""
        if self.own.is_seen:
            return np.nan, np.nan
        cut = Stretches.of(len(scores), self.lengths)
        p = cut.p_value(scores, self.windows, self.recording, np.arange(len(self.lengths)))
        if not self.own.by_group:
            return p, np.nan
        return p, cut.p_value(scores, self.windows, self.recording, self.own.group)


def long_normals(scored: Scored, windows: Path, by_time: Collection[str] = ()) -> dict[str, LongNormals]:
    """Those of each machine.

    Args:
        scored: scores of recordings, by one method.
        windows: the table of those of their windows; where it is not there, each recording is one.
        by_time: machines of which false alarms are promised of a time, not of recordings.

    Raises:
        BadArtifact: a table that cannot be read, or is of other recordings.
    """
    table = artifacts.read_table(windows, artifacts.WINDOW_SCORES)[0] if windows.exists() else None
    found = {name: _of_machine(own, table, name in by_time) for name, own in calibrations(scored)}
    if any((of.lengths == 0).any() for of in found.values()):
        raise BadArtifact(f"{windows} is not of the recordings of {scored.path}", "make both again: asd score --force")
    return found


def _of_machine(own: Calibration, table: pa.Table | None, by_time: bool) -> LongNormals:
    n = len(own.scores)
    if table is None:
        return LongNormals(own, np.ones(n, np.int64), own.scores, np.arange(n), by_time)
    place = pc.index_in(table["clip_id"], value_set=pa.array(own.clip_id.tolist(), pa.string()))
    known = table.filter(pc.is_valid(place))
    recording = pc.drop_null(place).to_numpy().astype(np.int64)
    order = np.lexsort((known["window"].to_numpy(), recording))
    lengths = np.bincount(recording, minlength=n)
    return LongNormals(own, lengths, known["anomaly_score"].to_numpy()[order], recording[order], by_time)
