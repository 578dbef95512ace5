"""What a detector says of clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asdcli.metrics.decisions import decide


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a detector says of clips; larger scores are more anomalous.

    Attributes:
        clip_ids: (n_clips,) in the order in which they came.
        scores: (n_clips,) float64, the mean over each clip's windows, or the highest where the detector says so.
        clip: (n_windows,) the place in `clip_ids` of the clip that each window is of, ascending.
        window_scores: (n_windows,) float64.
        threshold: above it a clip is called anomalous; None where the detector has none for the machine type.
        nearest: (n_clips,) the training clip that each is nearest to, by clip_id; None where that was not asked for, or
            the method keeps none.
        faults: (n_clips,) what an operator called a fault and a clip is nearer to than to any training clip, in words,
            None where to none; None where that was not asked for, or there is nothing of the kind.
        row: (n_windows,) the row of the packs that each window is of, ascending; of vectors, that are in no pack, None.
    """

    clip_ids: np.ndarray
    scores: np.ndarray
    clip: np.ndarray
    window_scores: np.ndarray
    threshold: float | None = None
    nearest: np.ndarray | None = None
    row: np.ndarray | None = None
    faults: Sequence[str | None] | None = None

    @property
    def rows(self) -> np.ndarray:
        """`row`; of vectors each is one."""
        return np.arange(len(self.clip)) if self.row is None else self.row

    @property
    def anomalous(self) -> np.ndarray | None:
        """(n_clips,) bool, the decisions; None without a threshold."""
        return None if self.threshold is None else decide(self.scores, self.threshold)
