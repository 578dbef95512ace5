"""Thresholds set on scores of normal clips: the rules, and what becomes of a rule whose fit misses its own scores.

Every rule is fitted on scores of normal training clips that were left out of what they are compared with: a clip
compared with itself has score 0 and would say nothing. One threshold serves both domains, as the challenge asks since
2022.

A rule is spelled like a method: `dcase-baseline:quantile=0.9`, `quantile:quantile=0.95`, `gamma:quantile=0.9`,
`false-alarms:per_day=1,clips_per_day=24`.

All rules but `dcase-baseline` follow the scores: of scores times a positive factor, plus a constant, they make the
threshold times that factor, plus that constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from asdcli.errors import UsageError
from asdcli.spec import Registry, always_spelled

if TYPE_CHECKING:  # `asd --help` names the rules, and does no arithmetic
    import numpy as np
    import numpy.typing as npt

    from asdcli.metrics.gamma import GammaDistribution
    from asdcli.metrics.shares import Share

    Scores = npt.NDArray[np.float64]

RULES = Registry(
    "threshold rule",
    {
        "quantile": "asdcli.metrics.threshold_rules:Quantile",
        "gamma": "asdcli.metrics.threshold_rules:Gamma",
        "dcase-baseline": "asdcli.metrics.threshold_rules:DcaseBaseline",
        "false-alarms": "asdcli.metrics.threshold_rules:FalseAlarms",
    },
    needs=("fit", "doubt"),
)
EDITION_RULE, OWN_RULE = "dcase-baseline:quantile=0.9", "quantile:quantile=0.9"
"""The rules where none is asked for: of an edition of the catalogue, and of anybody's own recordings."""

FEW = 20
"""A threshold from fewer scores than this is a guess, and is called one."""
SEEN = 10
"""A share of which so many cases are expected is measured to about a third of itself."""

_BODY = 0.9  # where a fit is held against the scores besides at a quantile further out
_ROUNDING = 1e-9  # 0.55 * 20 is 11 and a little


class Rule(Protocol):
    """How a threshold is taken from scores of normal clips.

    A rule may also have `promised(n)`, the share of normal clips that may lie above a threshold set on n scores, and
    `acting(scores)`: the rule that does it on these scores, and why it is not this one (None where that is no failure).
    One that has `all_training = True` is given the scores of all training clips, whatever the model has seen.
    """

    def fit(self, scores: Scores) -> float:
        """The threshold for (n,) scores, n >= 1. Raises ValueError where they allow none."""
        ...

    def doubt(self, n: int) -> str | None:
        """Why n scores are too few for this rule; None where they are enough."""
        ...


@dataclass(frozen=True)
class Quantile:
    """The empirical quantile, as conformal prediction takes it: the ceil((n + 1) quantile)-th smallest of n scores.

    A further normal clip that is exchangeable with the n lies above it with probability 1 - quantile at most, whatever
    the distribution (Vovk et al., 2005; Lei et al., 2018). Where n is too small for that, it is the highest score, and
    the probability 1 / (n + 1).
    """

    quantile: float = always_spelled(0.9)

    def __post_init__(self) -> None:
        _inside("quantile", self.quantile)

    @property
    def needs(self) -> int:
        """The fewest scores with which `quantile` can be promised."""
        return math.ceil(self.quantile / (1 - self.quantile) * (1 - _ROUNDING))

    def promised(self, n: int) -> float:
        return max(1 - self.quantile, 1 / (n + 1))

    def fit(self, scores: Scores) -> float:
        rank = math.ceil((len(scores) + 1) * self.quantile - _ROUNDING)
        return float(sorted(scores.tolist())[min(max(rank, 1), len(scores)) - 1])

    def doubt(self, n: int) -> str | None:
        if n >= self.needs:
            return _guess(n)
        most = "1 normal clip in (number of clips + 1)"
        return f"quantile {self.quantile:g} takes {self.needs}; the highest score is used, above which {most} may lie"


@dataclass(frozen=True)
class Gamma:
    """The quantile of a gamma distribution fitted to the scores, measured in their own standard deviation.

    Beyond what n scores can show it is an extrapolation, and never below the highest of them.
    """

    quantile: float = always_spelled(0.9)

    def __post_init__(self) -> None:
        _inside("quantile", self.quantile)

    def promised(self, n: int) -> float:
        return 1 - self.quantile

    def fit(self, scores: Scores) -> float:
        from asdcli.metrics import gamma

        threshold = gamma.fit(scores).quantile(self.quantile)
        beyond = len(scores) < Quantile(self.quantile).needs
        return max(threshold, float(scores.max())) if beyond else threshold

    def doubt(self, n: int) -> str | None:
        return _guess(n)

    def acting(self, scores: Scores) -> tuple[Rule, str | None]:
        """The empirical quantile where the fit misses the scores it was made on."""
        from asdcli.metrics import gamma

        return _or_quantile(self, gamma.fit, scores)


@dataclass(frozen=True)
class DcaseBaseline:
    """The challenge baseline's rule, bit for bit: scipy's gamma fit of the scores as they are, cut at `quantile`.

    With `fallback` (the default) the empirical quantile takes its place where the fit misses the very scores it was
    made on; without, it is taken whatever comes of it. The baseline fits the losses of its training batches; here the
    rule is given the scores of training clips, as the challenge's first baselines gave it.
    """

    all_training: ClassVar[bool] = True

    quantile: float = always_spelled(0.9)
    fallback: bool = True

    def __post_init__(self) -> None:
        _inside("quantile", self.quantile)

    def promised(self, n: int) -> float:
        return 1 - self.quantile

    def fit(self, scores: Scores) -> float:
        from asdcli.metrics import gamma

        return gamma.fit_as_baseline(scores).quantile(self.quantile)

    def doubt(self, n: int) -> str | None:
        return _guess(n)

    def acting(self, scores: Scores) -> tuple[Rule, str | None]:
        from asdcli.metrics import gamma

        return _or_quantile(self, gamma.fit_as_baseline, scores) if self.fallback else (self, None)


@dataclass(frozen=True)
class FalseAlarms:
    """At most `per_day` false alarms are to be expected on a day of `clips_per_day` normal clips.

    It is the empirical quantile where that can promise so much, and a gamma distribution's tail where the scores are
    too few. `clips_per_day` differs from machine to machine and must be given.
    """

    per_day: float = always_spelled(1.0)
    clips_per_day: float | None = None

    def __post_init__(self) -> None:
        if self.per_day <= 0 or (self.clips_per_day is not None and self.per_day >= self.clips_per_day):
            most = math.inf if self.clips_per_day is None else self.clips_per_day
            raise UsageError(f"false alarms per day must lie between 0 and {most:g}, got {self.per_day:g}")

    @property
    def rate(self) -> float:
        """Share of normal clips that may be called anomalous. Raises UsageError without `clips_per_day`."""
        if self.clips_per_day is None:
            raise UsageError("false alarms a day of how many clips?", "for example --clips-per-day 24: one an hour")
        return self.per_day / self.clips_per_day

    @property
    def needs(self) -> int:
        """The fewest scores with which so few false alarms can be promised."""
        return Quantile(1 - self.rate).needs

    def promised(self, n: int) -> float:
        return self.rate

    def fit(self, scores: Scores) -> float:
        return Quantile(1 - self.rate).fit(scores)

    def doubt(self, n: int) -> str | None:
        wanted = f"{self.per_day:g} false alarms a day of {self.clips_per_day:g} clips"
        enough = f"to see that it is so takes about {SEEN / self.rate:.0f}"
        if n < self.needs:
            beyond = "what lies further out is not checked"
            return f"{wanted} cannot be promised with fewer than {self.needs}, and {beyond}; {enough}"
        return f"{wanted} are promised on average; {enough}" if n * self.rate < SEEN else _guess(n)

    def acting(self, scores: Scores) -> tuple[Rule, str | None]:
        """The tail of a gamma distribution, or the highest score where none fits, where the scores are too few."""
        return (self, None) if len(scores) >= self.needs else Gamma(1 - self.rate).acting(scores)


@dataclass(frozen=True)
class Threshold:
    """A threshold, the rule that set it, and its own scores' word on what that promised.

    `failed` says what was wrong with the rule asked for, where another took its place.
    """

    value: float
    rule: Rule
    share: Share
    failed: str | None = None


def set_threshold(rule: Rule, scores: Scores) -> Threshold:
    """The threshold that `rule`, or what acts in its place, sets on the (n,) scores of normal clips, n at least 1.

    Raises:
        ValueError: the rule finds no threshold, and nothing may take its place.
        UsageError: false alarms a day of an unknown number of clips.
    """
    from asdcli.metrics.shares import Share

    acting: Any = rule
    failed = None
    if hasattr(acting, "acting"):
        acting, failed = acting.acting(scores)
    value = acting.fit(scores)
    if not math.isfinite(value):
        raise ValueError(f"no finite threshold can be taken from these {len(scores)} scores")
    promised = acting.promised(len(scores)) if hasattr(acting, "promised") else None
    return Threshold(value, acting, Share.of(scores, value, promised), failed)


def _or_quantile(
    rule: Gamma | DcaseBaseline, fit: Callable[[Scores], GammaDistribution], scores: Scores
) -> tuple[Rule, str | None]:
    """`rule`, or the empirical quantile where its distribution is not to be had or misses the scores.

    A distribution is held against the scores at the rule's quantile, and at 0.9 where that lies further out.
    """
    from asdcli.metrics.shares import Share

    instead = Quantile(rule.quantile)
    try:
        fitted = fit(scores)
    except ValueError as error:
        return instead, f"no gamma distribution fits: {error}"
    for q in sorted({rule.quantile, min(rule.quantile, _BODY)}, reverse=True):
        threshold = fitted.quantile(q)
        if not math.isfinite(threshold):
            return instead, "the gamma distribution has no finite quantile"
        share = Share.of(scores, threshold, 1 - q)
        if share.missed:
            return instead, str(share)
    return rule, None


def _guess(n: int) -> str | None:
    return f"a threshold from fewer than {FEW} is a guess" if n < FEW else None


def _inside(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise UsageError(f"{name} must lie between 0 and 1, got {value:g}")
