"""A promised share of false alarms held against the scores that a threshold was set on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Share:
    """`above` of `n` normal scores lie above a threshold; a share `promised`, in (0, 1), was to lie there.

    `promised` is None where nothing was promised.
    """

    above: int
    n: int
    promised: float | None

    @staticmethod
    def of(scores: npt.NDArray[np.float64], threshold: float, promised: float | None) -> Share:
        """What (n,) scores make of a promise."""
        return Share(int((scores > threshold).sum()), len(scores), promised)

    @property
    def measured(self) -> float:
        return self.above / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Exact (Clopper and Pearson, 1934) 95 % interval of the share of which `above` in `n` is a sample."""
        from scipy import special

        tail = (1 - CONFIDENCE) / 2
        low = special.betaincinv(self.above, self.n - self.above + 1, tail) if self.above else 0.0
        high = special.betaincinv(self.above + 1, self.n - self.above, 1 - tail) if self.above < self.n else 1.0
        return float(low), float(high)

    @property
    def far(self) -> bool:
        """Whether the promise lies outside the interval."""
        low, high = self.interval
        return self.promised is not None and not low <= self.promised <= high

    @property
    def missed(self) -> bool:
        """Whether a fit that leaves this share of its own scores above it has failed: twice the promise, or half.

        One score above is always forgiven; too few are a failure only where chance does not explain them.
        """
        if self.promised is None:
            return False
        too_many = self.above > max(1.0, 2 * self.promised * self.n) + 1e-9
        too_few = self.measured < self.promised / 2 and self.interval[1] < self.promised
        return too_many or too_few

    def __str__(self) -> str:
        low, high = self.interval
        measured = f"{_percent(self.measured)} of {self.n} above, 95 % interval {_percent(low)} to {_percent(high)}"
        return measured if self.promised is None else f"{measured}, {_percent(self.promised)} promised"


def binomial_band(n: int, p: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Pointwise 95 % band of the share of n independent clips of which each is counted with probability p.

    Exact: the 0.025 and the 0.975 quantile of the binomial distribution, over n.

    Args:
        n: clips, at least 1.
        p: (m,) in [0, 1].

    Returns:
        (m,) lower and (m,) upper end, in [0, 1].
    """
    from scipy.stats import binom

    tail = (1 - CONFIDENCE) / 2
    low, high = (np.clip(binom.ppf(q, n, p), 0, n) / n for q in (tail, 1 - tail))
    return low, high


def _percent(share: float) -> str:
    """A share in percent, with two digits that say something: `10 %`, `0.37 %`."""
    return f"{100 * share:.3g} %" if share >= 0.1 else f"{100 * share:.2g} %"
