"""A promised rate of false alarms beside a measured one, with the luck of the fresh and of the learned recordings."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from asdcli.metrics.shares import CONFIDENCE, Share

_ROUNDING = 1e-9  # 0.29 * 100 is a little less than 29


@dataclass(frozen=True)
class Kept:
    """What became of one promise.

    Attributes:
        promised: share of normal recordings that may raise an alarm.
        learned: normal recordings on whose scores the threshold stands.
        fresh: others that were checked.
        alarms: how many of these were suspicious.
    """

    promised: float
    learned: int
    fresh: int
    alarms: int

    @property
    def k(self) -> int:
        """The threshold is the k-th largest of the scores: so many of n + 1 may be as high."""
        return max(math.floor((self.learned + 1) * self.promised + _ROUNDING), 1)

    @property
    def measured(self) -> tuple[float, float, float]:
        """The share that raised an alarm, and its exact 95 % interval, which has the luck of the fresh ones alone."""
        share = Share(self.alarms, self.fresh, self.promised)
        return share.measured, *share.interval

    @property
    def luck(self) -> tuple[float, float]:
        """Where that share lies in 95 of 100 cases if the promise is kept: the luck of both.

        Of scores that are exchangeable the k-th largest of n leaves a share above it that is distributed as Beta(k, n +
        1 - k), whatever the scores are; of m fresh ones a number is above it that is so distributed as BetaBinomial(m,
        k, n + 1 - k).
        """
        tail = (1 - CONFIDENCE) / 2
        of = stats.betabinom(self.fresh, self.k, self.learned + 1 - self.k)
        return float(of.ppf(tail)) / self.fresh, float(of.ppf(1 - tail)) / self.fresh

    @property
    def verdict(self) -> str:
        low, high = self.luck
        share = self.alarms / self.fresh
        return "does not hold" if share > high else "holds, with fewer alarms than promised" if share < low else "holds"

    def __str__(self) -> str:
        share, *interval = self.measured
        cells = (
            f"{self.promised:.1%}",
            f"{self.alarms:,} of {self.fresh:,}",
            f"{share:.1%} ({_span(*interval)})",
            _span(*self.luck),
            self.verdict,
        )
        return f"| {' | '.join(cells)} |"


def _span(low: float, high: float) -> str:
    return f"{low:.1%} to {high:.1%}"
