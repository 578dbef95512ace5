"""How far an official score could have moved with other test clips: stratified bootstrap, percentile intervals.

Test clips are drawn with replacement inside each (section, domain, condition), so every resample keeps the edition's
design and no area becomes undefined. A resample is a row of counts over the clips; areas of all resamples come from one
sort of the scores (`roc.areas`). Two methods are compared on the same draws (paired), which removes the spread that
both share. Where there are several seeds, these are drawn too, independently of the clips (all seeds are scored on the
same test set): a resample is the mean over as many seeds, each on the clips of that resample.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asdcli.metrics import roc
from asdcli.metrics.official import SectionScores, join
from asdcli.metrics.specs import MetricSpec

Array = npt.NDArray[np.float64]
_CELLS = 4_000_000  # counts held at once: 32 MB, whatever the size of the section

_CACHED = 1 << 15  # counts of some resamples: 256 kB


@dataclass(frozen=True)
class Comparison:
    """Official score of A minus that of B on the same clips: the difference, its 95 % interval, two-sided p."""

    difference: float
    low: float
    high: float
    p: float


def resampled_scores(
    spec: MetricSpec, sections: Sequence[SectionScores], *, n_resamples: int, seed: int, max_fpr: float = roc.MAX_FPR
) -> Array:
    """(n_resamples,) official scores of resampled test sets.

    The draws of a section depend on the seed, its name and its labels alone: methods scored on the same clips in the
    same order see the same draws, and leaving out a machine type changes no other's.

    Raises:
        ValueError: no term is defined in any section.
    """
    owners: list[str] = []
    areas: list[Array] = []
    for section in sections:
        picks = [(t, *section.pick(t)) for t in spec.terms]
        defined = [(t, normal, anomalous) for t, normal, anomalous in picks if normal.any() and anomalous.any()]
        curves = [
            (
                roc.Curve(section.scores[normal], section.scores[anomalous]),
                np.flatnonzero(normal),
                np.flatnonzero(anomalous),
                max_fpr if term.partial else None,
            )
            for term, normal, anomalous in defined
        ]
        parts = []
        for counts in _draws(section, n_resamples, seed):
            parts += [
                [curve.areas(some[:, normal], some[:, anomalous], limit) for curve, normal, anomalous, limit in curves]
                for some in _parts(counts)
            ]
        areas += [np.concatenate(column) for column in zip(*parts, strict=True)]
        owners += [section.machine_type] * len(defined)
    if not areas:
        raise ValueError("no area of the official score is defined: nothing to resample")
    return join(spec, owners, np.stack(areas))


def interval(samples: Array, level: float = 0.95) -> tuple[float, float]:
    """The central `level` of the samples."""
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def compare(
    spec: MetricSpec,
    a: Sequence[SectionScores],
    b: Sequence[SectionScores],
    difference: float,
    *,
    n_resamples: int,
    seed: int,
    max_fpr: float = roc.MAX_FPR,
) -> Comparison:
    """Paired bootstrap of two methods on the same clips in the same order; `difference` is the observed A minus B.

    p is twice the smaller share of resamples on either side of zero, counting the observed sample as one of them, so
    it is never below 2 / (n_resamples + 1).

    Raises:
        ValueError: the clips of A and B differ.
    """
    for one, other in zip(a, b, strict=True):
        same = np.array_equal(one.anomalous, other.anomalous) and np.array_equal(one.domain, other.domain)
        if not same or (one.machine_type, one.section) != (other.machine_type, other.section):
            raise ValueError(f"clips of {one.machine_type} section {one.section} differ between the two methods")
    samples = [resampled_scores(spec, s, n_resamples=n_resamples, seed=seed, max_fpr=max_fpr) for s in (a, b)]
    return comparison(np.subtract(*samples), difference)


def comparison(differences: Array, observed: float) -> Comparison:
    """What (n_resamples,) resampled differences say of the observed one; p as `compare` has it."""
    low, high = interval(differences)
    tail = int(min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0)))
    return Comparison(observed, low, high, min(1.0, 2 * (tail + 1) / (len(differences) + 1)))


def over_seeds(samples: Array, *, seed: int) -> Array:
    """(n_resamples,) means over seeds that are drawn with replacement, in every resample anew.

    Args:
        samples: (n_seeds, n_resamples) scores of each seed, or differences between two methods of one seed, by
            `resampled_scores` with the same clips and seed: in a column all seeds are on the same draw of clips.
        seed: of the draws; those depend on it and on the shape alone, so rows of as many seeds see the same.

    Raises:
        ValueError: there is no seed.
    """
    n_seeds, n_resamples = samples.shape
    if not n_seeds:
        raise ValueError("no seed to draw from")
    rng = np.random.default_rng([seed, zlib.crc32(b"seeds of a training")])
    drawn = rng.integers(n_seeds, size=(n_resamples, n_seeds))
    return samples[drawn, np.arange(n_resamples)[:, None]].mean(axis=1)


def _parts(counts: Array) -> Iterator[Array]:
    """Some resamples at a time, no more than what a core's own cache holds with all that comes of them."""
    step = max(1, _CACHED // max(1, counts.shape[1]))
    for start in range(0, len(counts), step):
        yield counts[start : start + step]


def _draws(section: SectionScores, n_resamples: int, seed: int) -> Iterator[Array]:
    """Blocks (rows, n_clips) of counts that add up to `n_resamples` rows."""
    name = zlib.crc32(f"{section.machine_type}/{section.section}".encode())
    rng = np.random.default_rng([seed, name])
    strata = [
        np.flatnonzero((section.domain == domain) & (section.anomalous == anomalous))
        for domain in np.unique(section.domain)
        for anomalous in (False, True)
    ]
    block = max(1, _CELLS // max(1, len(section.scores)))
    for first in range(0, n_resamples, block):
        rows = min(block, n_resamples - first)
        counts = np.zeros((rows, len(section.scores)))
        for members in filter(len, strata):
            drawn = rng.integers(len(members), size=(rows, len(members))) + len(members) * np.arange(rows)[:, None]
            counts[:, members] = np.bincount(drawn.ravel(), minlength=rows * len(members)).reshape(rows, -1)
        yield counts
