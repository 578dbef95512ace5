"""What alpha hangs on: the points whose slope it is, the leverage of each, and what alpha would be without the first.

alpha* is the mean of the points' own slopes (u - mean u) / (v - mean v), weighted by (v - mean v)^2. The share of a
point in the sum of these weights is its leverage here: its share of the vote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from asdcli.wording import some

ON_FEW = "alpha-on-few"
"""The rule that says that alpha hangs on few points."""

CHANCE = {
    3: 0.67,
    4: 0.75,
    5: 0.79,
    6: 0.82,
    8: 0.85,
    10: 0.85,
    15: 0.83,
    20: 0.79,
    30: 0.72,
    40: 0.66,
    60: 0.56,
    80: 0.5,
}
"""Points -> the share of leverage that the first of them stays below in 99 of 100 samples of an exponential law.

Of few points one always has a large share; an exponential v is as skewed as a sound one is likely to be. From 80
points on it is less than half, and half is the limit: from there on the first 1 % outvote all others.
"""
_MATTERS = 0.1  # a tenth of the way from nn (alpha = 0) to distances less the whole local scale (alpha = 1)
_NAMED = 16  # units in one sentence: the machine types of the largest edition


@dataclass(frozen=True, eq=False)
class Points:
    """What alpha is the slope of: one point a validation window.

    Attributes:
        u: (n,) g(D(z, y*(z))), the distance of the window to its nearest reference.
        v: (n,) g(b(y*(z))), the local scale of that reference.
        clip: (n,) the clip of the window, a number as in `Vectors.clip`.
    """

    u: np.ndarray
    v: np.ndarray
    clip: np.ndarray

    @staticmethod
    def joined(parts: Sequence[Points]) -> Points:
        u, v, clip = (np.concatenate([getattr(part, name) for part in parts]) for name in ("u", "v", "clip"))
        return Points(u, v, clip)

    def __len__(self) -> int:
        return len(self.u)

    @cached_property
    def leverage(self) -> np.ndarray:
        """(n,) (v - mean v)^2 as a share of their sum: in [0, 1], summing to 1; all 0 where v does not vary."""
        squares = (self.v - self.v.mean()) ** 2 if len(self) else np.empty(0)
        total = squares.sum()
        return squares / total if total > 0 else squares

    @cached_property
    def first(self) -> np.ndarray:
        """The numbers of the 1 % of points of most leverage (rounded down, at least one), most first."""
        return np.argsort(-self.leverage, kind="stable")[: max(1, len(self) // 100)]

    def without_first(self) -> Points:
        return Points(*(np.delete(values, self.first) for values in (self.u, self.v, self.clip)))


def limit(n: int) -> float:
    """The share of leverage from which the first 1 % of n points hold more than well-behaved ones would."""
    return float(np.interp(n, list(CHANCE), list(CHANCE.values())))


def hangs_on_few(n: int, share: float, alpha: float, without: float) -> bool:
    """Whether the first 1 % of n points have an unusual `share` of the leverage, and alpha would be another without.

    No label has a part in it: v comes of normal training clips, or of test clips without their conditions.
    """
    return share > limit(n) and abs(alpha - without) >= _MATTERS


def told(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """One sentence about all units whose alpha hangs on few points, and how to type a method whose does not; or none.

    Args:
        found: spelling of a method -> unit -> its diagnostics.
    """
    of_units: dict[str, list[Mapping[str, Any]]] = {}
    methods: dict[str, None] = {}
    for spelling, units in found.items():
        for unit, one in units.items():
            if ON_FEW in one.get("rules", ()) and one.get("alpha_without_top1") is not None:
                of_units.setdefault(unit, []).append(one)
                methods[spelling] = None
    if not methods:
        return []
    largest = sorted(of_units, key=lambda unit: -max(one["leverage_top1"] for one in of_units[unit]))
    named = [f"{unit} ({_figures(of_units[unit])})" for unit in largest[:_NAMED]]
    more = f" and {len(of_units) - _NAMED} more" if len(of_units) > _NAMED else ""
    may_be = any((one["top1_target"] or 0.0) >= 0.5 for units in of_units.values() for one in units)
    meant = "; where they are the target clips, that may be what alpha is for" if may_be else ""
    return [
        "alpha hangs on few clips: the 1 % of points of the most unusual local scale decide the slope in "
        f"{', '.join(named)}{more} ({some(list(methods))}){meant}; "
        f"for a slope that they cannot turn: -m {next(iter(methods))},slope=theil-sen"
    ]


def _figures(of_methods: Sequence[Mapping[str, Any]]) -> str:
    shares = _range([100 * one["leverage_top1"] for one in of_methods], ".0f")
    of_target = max(one["top1_target"] or 0.0 for one in of_methods)
    whose = f", {100 * of_target:.0f} % of them target clips" if of_target else ""
    alphas, without = (_range([one[name] for one in of_methods], ".2g") for name in ("alpha", "alpha_without_top1"))
    return f"{shares} % of the leverage{whose}; alpha {alphas}, without them {without}"


def _range(values: Sequence[float], form: str) -> str:
    return " to ".join(dict.fromkeys(format(value, form) for value in (min(values), max(values))))
