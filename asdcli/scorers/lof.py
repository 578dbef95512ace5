"""`lof`: the local outlier factor: how much sparser a clip lies than the references next to it (Breunig et al.)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.scorers import Fitted
from asdcli.scorers.checks import at_least_one
from asdcli.scorers.nearest import nearest_distance
from asdcli.scorers.pools import mean_of
from asdcli.scorers.reference import Reference
from asdcli.scorers.smallest import smallest
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.spec import always_spelled

_LEAST_REACH = 1e-10  # duplicates have a finite density: as scikit-learn has it


@dataclass(frozen=True)
class LocalOutlierFactor:
    """A(x) = mean of lrd(y) over the k nearest references y of x, over lrd(x).

    lrd(x) = 1 / (1e-10 + mean of max(d(x, y), d_k(y)) over these y), d the Euclidean distance of unit vectors, d_k(y)
    that from y to its k-th nearest reference. About 1 for a clip in a density like that of its neighbours, more in a
    sparser place. A training clip is scored as if the references were without it: in its own neighbours, in theirs, and
    in those of theirs.

    With fewer k than references it is what scikit-learn's LocalOutlierFactor(novelty=True) gives for new clips, and for
    a training clip what one that was fitted without it would.

    Source: M. M. Breunig et al., SIGMOD 2000; as a score of embeddings Wilkinghoff et al., arXiv 2509.10951.

    Attributes:
        k: neighbours of a clip, and of a reference.
    """

    k: int = always_spelled(16)

    def __post_init__(self) -> None:
        at_least_one(lof_k=self.k)

    def fit(self, unit: UnitVectors) -> Fitted:
        reference = unit.reference
        rows, distances = _neighbours(reference, self.k)
        found = {"n_reference": len(reference), "k": int(np.isfinite(distances[:, : self.k]).sum(axis=1).min())}
        reach = _kth(distances[:, : self.k])
        density = _density(distances[:, : self.k], reach[rows[:, : self.k]])
        rules = [*unit.rules, *(["k-reduced"] if 0 < found["k"] < self.k else [])]
        rules += ["single-reference"] * (found["k"] == 0)
        learnt = {"reference": reference, "reach": reach, "density": density}
        return Fitted(self, learnt, found | {"rules": rules})

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        reference, reach, density = learnt["reference"], learnt["reach"], learnt["density"]
        if np.isnan(reach).any():
            return nearest_distance(reference, windows)
        known = np.isin(windows.clip, reference.owners)
        neighbours = _neighbours(reference, self.k) if known.any() else None

        def block(of: slice, columns: np.ndarray, d: np.ndarray) -> np.ndarray:
            places, distances = smallest(d, min(self.k, d.shape[1]))
            rows, distances = columns[places], _euclidean(distances)
            own_reach, own_density = reach[rows], density[rows]
            if neighbours is not None and known[of].any():
                i = np.flatnonzero(known[of])
                clips = np.repeat(windows.clip[of][i], rows.shape[1])
                without = _Without(reference, neighbours, reach, self.k)
                found = without.of(clips, rows[i].ravel())
                own_reach[i], own_density[i] = (one.reshape(len(i), -1) for one in found)
            among = mean_of(own_density, np.isfinite(distances))
            factor = among / _density(distances, own_reach)
            return np.where(np.isfinite(distances[:, 0]), factor, np.inf)

        return np.concatenate(reference.near(windows, self.k, block))


@dataclass(frozen=True, eq=False)
class _Without:
    """Reach and density of references as they are without one clip.

    Attributes:
        neighbours: of each reference, rows and distances, enough for k without any one clip.
        reach: (n_ref,) of all, which stays where nothing else is left.
    """

    reference: Reference
    neighbours: tuple[np.ndarray, np.ndarray]
    reach: np.ndarray
    k: int

    def of(self, clips: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) d_k and lrd of reference `rows[i]` without clip `clips[i]`."""
        near, distances = self._near(clips, rows)
        further = self._reach(np.repeat(clips, near.shape[1]), near.ravel()).reshape(near.shape)
        reach = _kth(distances)
        left = np.isfinite(distances[:, 0])
        reach = np.where(left, reach, self.reach[rows])
        return reach, np.where(left, _density(distances, further), 1 / (self.reach[rows] + _LEAST_REACH))

    def _reach(self, clips: np.ndarray, rows: np.ndarray) -> np.ndarray:
        reach = _kth(self._near(clips, rows)[1])
        return np.where(np.isnan(reach), self.reach[rows], reach)

    def _near(self, clips: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        near, distances = (one[rows] for one in self.neighbours)
        lost = (self.reference.owners[near] == clips[:, None, None]).any(axis=2)
        distances = np.where(lost, np.inf, distances)
        order = np.argsort(distances, axis=1, kind="stable")[:, : self.k]
        return np.take_along_axis(near, order, axis=1), np.take_along_axis(distances, order, axis=1)


def _neighbours(reference: Reference, k: int) -> tuple[np.ndarray, np.ndarray]:
    rows, distances = reference.neighbours(k)
    return rows, _euclidean(distances)


def _euclidean(distances: np.ndarray) -> np.ndarray:
    """|x - y| of unit vectors whose D is that."""
    return 2 * np.sqrt(distances)


def _kth(distances: np.ndarray) -> np.ndarray:
    """The last finite entry of each ascending row; NaN where there is none."""
    count = np.isfinite(distances).sum(axis=1)
    last = np.take_along_axis(distances, np.maximum(count - 1, 0)[:, None], axis=1)[:, 0]
    return np.where(count > 0, last, np.nan)


def _density(distances: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """lrd of what has these neighbours (n, k) of these reaches (n, k)."""
    reached = mean_of(np.maximum(distances, reach), np.isfinite(distances))
    density: np.ndarray = 1 / (reached + _LEAST_REACH)
    return density
