"""How loud a recording is, and how loud those were that it is held against."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from asdcli.audio.convert import FULL_SCALE

LOWEST_DB = -200.0
"""What silence counts as: there is no lower level in 16 bits."""


def power_db(power: float) -> float:
    """A mean of squared int16 samples in dB below full scale; at least LOWEST_DB."""
    power /= FULL_SCALE**2
    return 10 * math.log10(power) if power > 0 else LOWEST_DB


@dataclass(frozen=True)
class Levels:
    """The levels of several recordings, in dB below full scale."""

    lowest: float
    median: float
    highest: float

    @classmethod
    def of(cls, levels: Iterable[float]) -> Levels | None:
        """None where there are none; to a tenth of a decibel."""
        found = np.array(list(levels))
        if not len(found):
            return None
        return cls(*(round(float(value), 1) for value in (found.min(), np.median(found), found.max())))

    @classmethod
    def read(cls, said: Any) -> Levels | None:
        """What `plain` gave; None for anything else."""
        try:
            return cls(*(float(said[name]) for name in ("lowest", "median", "highest")))
        except (TypeError, KeyError, ValueError):
            return None

    def plain(self) -> dict[str, float]:
        return asdict(self)

    def outside(self, level: float) -> float:
        """By how many dB a level lies above all of them, or (negative) below; 0 within."""
        return min(level - self.lowest, 0.0) + max(level - self.highest, 0.0)
