"""From a score to a yes or no: thresholds fitted on scores of normal clips, and how good the decisions are.

A clip is called anomalous when its score lies strictly above the threshold. Every rule is fitted on leave-one-out
scores of normal training clips: a training clip compared with itself has score 0 and would say nothing. One threshold
serves both domains, as the challenge asks since 2022.

A rule is spelled like a method: `gamma:quantile=0.9`, `quantile:quantile=0.95`,
`false-alarms:per_day=1,clips_per_day=8640`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from asdcli.errors import UsageError
from asdcli.metrics.means import EPSILON
from asdcli.spec import always_spelled

Scores = npt.NDArray[np.float64]

FEW = 20
"""A threshold from fewer scores than this is a guess, and is called one."""


class Rule(Protocol):
    """How a threshold is taken from scores of normal clips."""

    def fit(self, scores: Scores) -> float:
        """The threshold for (n,) scores, n >= 1. Raises ValueError where they allow none."""
        ...

    def doubt(self, n: int) -> str | None:
        """Why n scores are too few for this rule; None where they are enough."""
        ...


@dataclass(frozen=True)
class Gamma:
    """The challenge baseline's rule: a gamma distribution fitted to the scores, cut at `quantile`."""

    quantile: float = always_spelled(0.9)

    def __post_init__(self) -> None:
        _inside("quantile", self.quantile)

    def fit(self, scores: Scores) -> float:
        return gamma_quantile(scores, self.quantile)

    def doubt(self, n: int) -> str | None:
        return _guess(n)


@dataclass(frozen=True)
class Quantile:
    """An order statistic of the scores: at most a share `1 - quantile` of the normal clips lies above it."""

    quantile: float = always_spelled(0.9)

    def __post_init__(self) -> None:
        _inside("quantile", self.quantile)

    def fit(self, scores: Scores) -> float:
        return float(np.quantile(scores, self.quantile, method="higher"))

    def doubt(self, n: int) -> str | None:
        return _guess(n)


@dataclass(frozen=True)
class FalseAlarms:
    """At most `per_day` false alarms are expected on a day of `clips_per_day` normal clips.

    8640 clips are a day of ten-second clips, back to back. n scores cannot tell rates below 1/n apart; rarer alarms
    are taken from the tail of the fitted gamma distribution, and never below the highest score seen.
    """

    per_day: float = always_spelled(1.0)
    clips_per_day: float = always_spelled(8640.0)

    def __post_init__(self) -> None:
        if not 0 < self.per_day < self.clips_per_day:
            raise UsageError(
                f"false alarms per day must lie between 0 and {self.clips_per_day:g}, got {self.per_day:g}"
            )

    @property
    def rate(self) -> float:
        """Share of normal clips that may be called anomalous."""
        return self.per_day / self.clips_per_day

    def extrapolates(self, n: int) -> bool:
        """Whether n scores are too few for this rate."""
        return self.rate * n < 1

    def fit(self, scores: Scores) -> float:
        if self.extrapolates(len(scores)):
            return max(float(scores.max()), gamma_quantile(scores, 1 - self.rate))
        allowed = math.floor(self.rate * len(scores) + 1e-9)  # 0.01 * 300 must allow 3
        return float(np.sort(scores)[::-1][allowed])

    def doubt(self, n: int) -> str | None:
        if not self.extrapolates(n):
            return _guess(n)
        wanted = f"{self.per_day:g} false alarms in {self.clips_per_day:g} clips"
        return f"they cannot show {wanted}, so the tail of a gamma distribution is used"


def gamma_quantile(scores: Scores, quantile: float) -> float:
    """Quantile of the gamma distribution (shape, location, scale) of highest likelihood.

    Equal scores are a distribution of one point, whose every quantile is that point.

    Raises:
        ValueError: the likelihood has no maximum that can be found.
    """
    from scipy import stats  # 0.7 s, and only thresholds need it

    if scores.min() == scores.max():
        return float(scores[0])
    try:
        shape, location, scale = stats.gamma.fit(scores)
    except (stats.FitError, RuntimeError) as error:
        raise ValueError(f"no gamma distribution fits these {len(scores)} scores: {error}") from None
    threshold = float(stats.gamma.ppf(q=quantile, a=shape, loc=location, scale=scale))
    if not math.isfinite(threshold):
        raise ValueError(f"the gamma distribution fitted to these {len(scores)} scores has no finite quantile")
    return threshold


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


def _guess(n: int) -> str | None:
    return f"a threshold from fewer than {FEW} is a guess" if n < FEW else None


def _inside(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise UsageError(f"{name} must lie between 0 and 1, got {value:g}")
