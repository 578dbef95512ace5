"""`domain-zscore`: the nearest distance in each domain against those of its normal training clips (GenRep 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.scorers import Fitted
from asdcli.scorers.domains import by_domain, references
from asdcli.scorers.nearest import nearest_distance
from asdcli.scorers.reference import Reference
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors

_FEWEST = 3  # clips that a mean and a spread of distances among the others take
_FLAT = 1e-9  # a spread below this share of the mean is rounding


@dataclass(frozen=True)
class DomainZScore:
    """A(x) = min_d (D_d(x) - mu_d) / sigma_target, D_d(x) the distance to the nearest training window of domain d.

    mu_d is the mean of D_d over the training windows of d, each without its own clip, and sigma_target their standard
    deviation in the target domain (in the source domain where there is no target, or all of its distances are alike).
    Test clips have no part in it. A training clip is scored without itself in D, mu and sigma. A domain of fewer than
    three clips counts as of the other one.

    Source: Saengthong and Shinozaki, report of DCASE 2025 Task 2 (GenRep): the domain z-score of training clips alone,
    with the target's sigma in both domains and K = 1.
    """

    def fit(self, unit: UnitVectors) -> Fitted:
        of, rules = by_domain(unit, _FEWEST)
        learnt: dict[str, Any] = dict(of)
        for name, reference in of.items():
            every = spread_without(reference)
            learnt |= {f"{name}-mean": every.mean, f"{name}-sigma": every.sigma}
        sigma = sigma_of({name: learnt[f"{name}-sigma"][-1:] for name in of}, {n: learnt[f"{n}-mean"][-1:] for n in of})
        if not sigma[0] > 0:
            rules.append("flat-spread")
        if len(np.unique(unit.train.clip)) < 2:
            rules.append("single-reference")
        figures = {f"mean_{name}": float(learnt[f"{name}-mean"][-1]) for name in of}
        n = sum(map(len, of.values()))
        return Fitted(self, learnt, {"n_reference": n, **figures, "sigma": float(sigma[0]), "rules": rules})

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        of = references(learnt)
        every = {name: _of_clips(learnt, name, windows.clip) for name in of}
        sigma = sigma_of({n: one[1] for n, one in every.items()}, {n: one[0] for n, one in every.items()})
        divisor = np.where(sigma > 0, sigma, 1.0)
        scores = [(nearest_distance(one, windows) - every[name][0]) / divisor for name, one in of.items()]
        least: np.ndarray = np.min(scores, axis=0)
        return least


@dataclass(frozen=True)
class SpreadWithout:
    """Mean and spread of the nearest distances within a domain, without each of its clips and of all.

    Attributes:
        mean: (n_clips + 1,) without each clip, in the order of their numbers; the last is of all.
        sigma: (n_clips + 1,) the same, dividing by the number of windows.
    """

    mean: np.ndarray
    sigma: np.ndarray


def spread_without(reference: Reference) -> SpreadWithout:
    """Those of all windows of a reference set, each to the nearest window of another clip.

    Without a clip its windows are neither counted nor anybody's nearest: that of the next clip takes its place. Where
    nothing is left to measure, mean and spread are 0.
    """
    rows, distances = reference.neighbours(1)
    clip, own = np.unique(reference.rows.clip, return_inverse=True)
    first = distances[:, 0]
    owner = np.searchsorted(clip, reference.rows.clip[rows[:, 0]])
    others = np.where(reference.rows.clip[rows] == reference.rows.clip[rows[:, :1]], np.inf, distances)
    second = others.min(axis=1)
    centre = float(first[np.isfinite(first)].mean()) if np.isfinite(first).any() else 0.0

    def total(power: int) -> tuple[np.ndarray, np.ndarray]:
        """Sums of (distance - centre)^power without each clip and of all, and how many they are of."""
        value, instead = ((np.where(np.isfinite(d), d, centre) - centre) ** power for d in (first, second))
        counted, stays = np.isfinite(first).astype(float), np.isfinite(second).astype(float)
        value, instead = value * counted, instead * stays
        gone = np.bincount(own, value, len(clip)) + np.bincount(owner, (value - instead) * counted, len(clip))
        lost = np.bincount(own, counted, len(clip)) + np.bincount(owner, (counted - stays) * counted, len(clip))
        return np.append(value.sum() - gone, value.sum()), np.append(counted.sum() - lost, counted.sum())

    (sums, n), (squares, _) = total(1), total(2)
    n = np.maximum(n, 1.0)
    sigma = np.sqrt(np.maximum(squares / n - (sums / n) ** 2, 0.0))
    return SpreadWithout(centre + sums / n, sigma)


def sigma_of(sigmas: Mapping[str, np.ndarray], means: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n,) the target's spread, the source's where the target has none to speak of, 0 where neither has."""
    found = np.zeros(1)
    for name in ("source", "target"):
        if name in sigmas:
            found = np.where(sigmas[name] > _FLAT * np.abs(means[name]), sigmas[name], found)
    return found


def _of_clips(learnt: Mapping[str, Any], domain: str, clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread in a domain without each of the `clips` (n,), which may be none of its own."""
    known = np.unique(learnt[domain].rows.clip)
    place = np.searchsorted(known, clips)
    place = np.where(known[np.minimum(place, len(known) - 1)] == clips, place, len(known))
    return learnt[f"{domain}-mean"][place], learnt[f"{domain}-sigma"][place]
