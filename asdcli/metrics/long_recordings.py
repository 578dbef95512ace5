"""p-values of recordings of many windows, by the highest of their scores.

The highest of many scores is higher than that of few, so that only like may be held against like: both a recording and
the normal ones are cut into stretches of equally many windows. A stretch has the conformal p-value of its highest score
among those of normal stretches, every normal recording counting once (Lee, Barber and Willett, 2023), and Simes' rule
joins the stretches of a recording. Where normal recordings are as long, a recording is one stretch. How the windows of
a recording hang together, overlapping ones above all, does not matter within a stretch: normal ones hang together
likewise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asdcli.metrics.conformal import group_p_values
from asdcli.metrics.false_discovery import together

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stretches:
    """How a recording is cut.

    Attributes:
        size: windows of a stretch.
        n: how many there are; the last may be shorter, which makes its p-value larger, never smaller.
    """

    size: int
    n: int

    @staticmethod
    def of(n_windows: int, lengths: Counts) -> Stretches:
        """The size that allows the smallest p-value of a single stretch; scores take no part in the choice.

        Args:
            n_windows: of the recording.
            lengths: (m,) windows of each normal recording, m >= 1.
        """
        sizes = np.unique(np.minimum(lengths, n_windows))
        n = -(-n_windows // sizes)
        no_shorter = len(lengths) - np.searchsorted(np.sort(lengths), sizes, side="left")
        best = int((n / (no_shorter + 1.0)).argmin())
        return Stretches(int(sizes[best]), int(n[best]))

    def p_value(self, scores: Array, windows: Array, recording: Counts, group: Counts) -> float:
        """Of a recording.

        Args:
            scores: (n_windows,) of its windows.
            windows: (n,) scores of those of normal recordings, which lie together in the order of time.
            recording: (n,) the number of the recording that each is of, ascending from 0 without gaps.
            group: (m,) what counts once, by number: each recording for itself, or groups of them.
        """
        highest, of = highest_of(windows, recording, self.size)
        numbers = np.unique(group[of], return_inverse=True)[1].astype(np.int64)
        own = np.maximum.reduceat(scores, np.arange(0, len(scores), self.size))
        return together(group_p_values(highest, numbers, own))


def highest_of(windows: Array, recording: Counts, size: int) -> tuple[Array, Counts]:
    """The highest scores of the whole stretches of `size` windows, and the recording that each is of.

    Arguments as of `Stretches.p_value`; recordings shorter than a stretch have none.
    """
    lengths = np.bincount(recording)
    within = np.arange(len(recording)) - (np.cumsum(lengths) - lengths)[recording]
    whole = within // size < (lengths // size)[recording]
    begins = np.flatnonzero(whole & (within % size == 0))
    # between two stretches may lie what is too short for one: it is cut off before the highest are taken
    kept = np.flatnonzero(whole)
    highest = np.maximum.reduceat(windows[kept], np.searchsorted(kept, begins))
    return np.asarray(highest, np.float64), recording[begins]
