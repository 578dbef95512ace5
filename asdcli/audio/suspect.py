"""Recordings that can be read and yet tell little of a machine: of a dead, interrupted or overdriven microphone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asdcli.audio.level import power_db

MANY_ZEROS = 0.5
"""Share of samples that are exactly zero from which on a recording is called interrupted."""
MOST_CLIPPED = 0.01
"""Share of samples at full scale beyond which a recording is called clipped."""

_LOWEST, _HIGHEST = -32768, 32767


@dataclass
class Counts:
    """What tells of a microphone, counted block by block: of a recording of any length.

    Attributes:
        n: samples.
        zeros: those that are exactly 0.
        clipped: those at full scale.
        first: the first of all.
        is_flat: whether all are the same number.
        energy: sum of their squares.
    """

    n: int = 0
    zeros: int = 0
    clipped: int = 0
    first: int = 0
    is_flat: bool = True
    energy: float = 0.0

    @classmethod
    def of(cls, samples: np.ndarray) -> Counts:
        """Those of (n_samples,) int16, n_samples >= 1."""
        counts = cls()
        counts.add(samples)
        return counts

    def add(self, samples: np.ndarray) -> None:
        """Count (n,) int16, n >= 1."""
        if not self.n:
            self.first = int(samples[0])
        self.n += len(samples)
        lowest, highest = samples.min(), samples.max()
        self.is_flat = self.is_flat and bool(lowest == self.first == highest)
        self.zeros += len(samples) - int(np.count_nonzero(samples))
        if lowest == _LOWEST or highest == _HIGHEST:
            self.clipped += int(np.count_nonzero(samples == _LOWEST) + np.count_nonzero(samples == _HIGHEST))
        wave = samples.astype(np.float32)
        self.energy += float(np.dot(wave, wave))

    @property
    def suspicion(self) -> str | None:
        """What is odd, in words that follow the clip's name; None: nothing.

        Loudness is no oddity: what is asked is whether the samples can be those of a working microphone.
        """
        if self.is_flat:
            return f"is constant: every sample is {self.first}" if self.first else "is silent: every sample is 0"
        if self.zeros >= MANY_ZEROS * self.n:
            return f"is silent in part: {_percent(self.zeros / self.n)} of its samples are exactly 0"
        if self.clipped > MOST_CLIPPED * self.n:
            return f"is clipped: {_percent(self.clipped / self.n)} of its samples are at full scale"
        return None

    @property
    def level_db(self) -> float:
        """Root mean square in dB below full scale, at least LOWEST_DB."""
        return power_db(self.energy / self.n)


def suspicion(samples: np.ndarray) -> str | None:
    """What `Counts.suspicion` says of (n_samples,) int16, n_samples >= 1."""
    return Counts.of(samples).suspicion


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
