"""From a score to a yes or no, and how good the decisions are.

A clip is called anomalous when its score lies strictly above the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asdcli.metrics.means import EPSILON

Scores = npt.NDArray[np.float64]


def decide(scores: Scores, threshold: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """True where a clip is called anomalous: strictly above its threshold."""
    return scores > np.asarray(threshold)


@dataclass(frozen=True)
class Confusion:
    """Counts of decisions against the truth."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @staticmethod
    def of(decisions: npt.NDArray[np.bool_], anomalous: npt.NDArray[np.bool_]) -> Confusion:
        """Count (n,) decisions against the (n,) truth."""
        return Confusion(
            int((decisions & anomalous).sum()),
            int((decisions & ~anomalous).sum()),
            int((~decisions & anomalous).sum()),
            int((~decisions & ~anomalous).sum()),
        )

    @property
    def n_normal(self) -> int:
        return self.false_positive + self.true_negative

    @property
    def n_anomalous(self) -> int:
        return self.true_positive + self.false_negative

    @property
    def precision(self) -> float:
        """Share of the alarms that were right; 0 without alarms, as the evaluators have it."""
        return self.true_positive / max(self.true_positive + self.false_positive, EPSILON)

    @property
    def recall(self) -> float:
        """Share of the anomalies that raised an alarm; 0 without anomalies."""
        return self.true_positive / max(self.true_positive + self.false_negative, EPSILON)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 when both are."""
        return 2 * self.precision * self.recall / max(self.precision + self.recall, EPSILON)
