"""Scores of several seeds: their mean and spread, and whether seeds tell two methods apart."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from asdcli.metrics import bootstrap
from asdcli.metrics.bootstrap import Comparison
from asdcli.metrics.means import MEANS

DDOF = 1
"""The spread is that of a sample: its squares are divided by n - 1."""
LEVEL = 0.05
"""Two methods are told apart where p is below this."""


@dataclass(frozen=True)
class Paired:
    """Mean of A minus B over the `n` seeds of both, and the two-sided p of Student's paired t-test."""

    difference: float
    p: float
    n: int

    @property
    def tied(self) -> bool:
        """Whether the seeds do not tell A and B apart at `LEVEL`."""
        return self.p >= LEVEL


def mean_and_std(values: npt.ArrayLike) -> tuple[float, float | None]:
    """Mean and sample standard deviation of (n,) values; the latter is None where there is only one.

    Raises:
        ValueError: there is none.
    """
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        raise ValueError("no seed has a value: there is no mean")
    return float(array.mean()), float(array.std(ddof=DDOF)) if len(array) > 1 else None


def paired(a: npt.ArrayLike, b: npt.ArrayLike) -> Paired | None:
    """Compare A and B, (n,) each, the i-th of both being of one seed. None where n < 2: one seed tells nothing.

    Where all differences are the same there is no spread to hold them against: p is 1 if they are zero, otherwise 0.

    Raises:
        ValueError: they are not of as many seeds.
    """
    from scipy.special import stdtr  # of scipy.stats this is all that is needed, and that takes a second to import

    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"a paired test needs the same seeds of both, got {a.shape} and {b.shape}")
    if len(a) < 2:
        return None
    differences = a - b
    mean = float(differences.mean())
    if np.ptp(differences) == 0:
        return Paired(mean, 0.0 if mean else 1.0, len(a))
    t = mean / (differences.std(ddof=1) / len(a) ** 0.5)
    return Paired(mean, float(2 * stdtr(len(a) - 1, -abs(t))), len(a))


@dataclass(frozen=True)
class Measured:
    """What the runs say of a cell: seed -> official score in percent."""

    values: Mapping[int | None, float] = field(default_factory=dict)

    @property
    def mean(self) -> float | None:
        return mean_and_std([*self.values.values()])[0] if self.values else None

    @property
    def std(self) -> float | None:
        return mean_and_std([*self.values.values()])[1] if self.values else None

    def against(self, other: Measured) -> Paired | None:
        """The paired test over the seeds that both have."""
        seeds = [seed for seed in self.values if seed in other.values]
        return paired([self.values[s] for s in seeds], [other.values[s] for s in seeds])


@dataclass(frozen=True)
class Drawn:
    """A method on a column: seed -> its official score, and seed -> (n_resamples,) of resampled clips; in percent."""

    observed: Mapping[int | None, float] = field(default_factory=dict)
    resampled: Mapping[int | None, np.ndarray] = field(default_factory=dict)

    @property
    def mean(self) -> float | None:
        return float(np.mean([*self.observed.values()])) if self.observed else None

    def interval(self, seed: int) -> tuple[float, float]:
        """The central 95 % over clips and seeds."""
        return bootstrap.interval(bootstrap.over_seeds(np.stack([*self.resampled.values()]), seed=seed))

    @staticmethod
    def averaged(parts: Mapping[str, Drawn], mean: str, seed: int) -> Drawn:
        """The mean over columns, each with the same weight; of the seeds that all of them have.

        Clips of different columns are drawn independently of each other: each column's resamples are put into an order
        of its own, which depends on its name and on `seed` alone, so that rows of a table stay paired.

        Args:
            parts: name of a column -> what was drawn of it.
            mean: one of `means.MEANS`.
            seed: of the orders.
        """
        seeds = [s for s in next(iter(parts.values())).observed if all(s in part.observed for part in parts.values())]
        average = MEANS[mean]
        orders = {
            name: np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(len(resamples))
            for name, part in parts.items()
            for resamples in part.resampled.values()
        }
        return Drawn(
            {s: float(average([part.observed[s] for part in parts.values()])) for s in seeds},
            {s: average([part.resampled[s][orders[name]] for name, part in parts.items()]) for s in seeds},
        )

    def minus(self, other: Drawn, seed: int) -> tuple[Comparison, int] | None:
        """Paired over the clips and the seeds that both have, and how many seeds; None where there is none."""
        both = [s for s in self.observed if s in other.observed]
        if not both:
            return None
        observed = float(np.mean([self.observed[s] - other.observed[s] for s in both]))
        differences = np.stack([self.resampled[s] - other.resampled[s] for s in both])
        return bootstrap.comparison(bootstrap.over_seeds(differences, seed=seed), observed), len(both)
