"""Pseudo-anomalies: what stands for anomalies where there are none, made of the normal training clips of a table.

`shuffled` are vectors in which each dimension has its values from other clips: every dimension by itself looks normal,
the vector as a whole does not. The other kinds are normal clips of another class. Those of another machine type never
are among what a unit's clips are compared with. The sections, attributes and domains of a unit are: there a class is
taken out of the reference set, together with a fifth of the other clips. What was one of them stands for anomalies, the
others for normal clips, and no method has seen either. No test clip is looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from asdcli.scorers.reference import Vectors
from asdcli.scorers.unit import UnitVectors
from asdcli.views.embeddings import Embedded
from asdcli.views.fitting import Fitting
from asdcli.views.units import UnitPlan
from asdcli.views.unseen import by_size
from asdcli.vocabulary import Condition, Domain, PseudoAnomaly, Split

_FOLDS = 5
"""So many fits of every method a kind costs: of more classes than this several are taken out at once, of fewer each is
held against several fifths of the other clips."""
_FEW = 200  # of fewer clips each class is held against all fifths: that costs little, and a fifth alone says little


@dataclass(frozen=True, eq=False)
class StandIns:
    """Pseudo-anomalies of one kind, and what they are held against.

    Attributes:
        kind: which.
        windows: of them, the windows of a clip together.
        part: number of the classes that were taken out; what is of one part belongs together.
        without: the unit without them and without a fold of the other clips; None where the unit has no such clips, and
            its own normal clips are what they are held against.
        normal: the windows of that fold.
    """

    kind: PseudoAnomaly
    windows: Vectors
    part: int = 0
    without: UnitVectors | None = None
    normal: Vectors | None = None


@dataclass(frozen=True, eq=False)
class OfUnit:
    """What the pseudo-anomalies of a unit are made of.

    Attributes:
        embedded, in_folds: the table, and the same by models that were cross-fitted.
        plan, unit: the whole unit; draws are by its seeds.
    """

    embedded: Embedded
    in_folds: Sequence[Embedded]
    plan: UnitPlan
    unit: UnitVectors

    @staticmethod
    def of(embedded: Embedded, in_folds: Sequence[Embedded], plan: UnitPlan, *, seed: int) -> OfUnit:
        return OfUnit(embedded, in_folds, plan, plan.vectors(embedded, seed=seed)[0])

    def made(self, kind: PseudoAnomaly) -> Iterator[StandIns]:
        """Those of one kind; none where the training clips have nothing that could be."""
        return _KINDS[kind].make(self)

    def draw(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng(self.unit.seed_for(purpose))

    def windows(self, clips: np.ndarray) -> Vectors:
        rows = np.flatnonzero(np.isin(self.embedded.clip, clips))
        return Vectors.of(self.embedded.vectors[rows], self.embedded.clip[rows])

    def others(self, same: Sequence[str], but: str) -> np.ndarray:
        """Normal training clips that have these columns as the unit does, and the column `but` otherwise."""
        column, first = self.embedded.column, self.plan.train[0]
        normal = (column("split") == str(Split.TRAIN)) & (column("condition") != str(Condition.ANOMALY))
        for name in same:
            normal &= column(name) == column(name)[first]
        return np.flatnonzero(normal & (column(but) != column(but)[first]))

    def as_they_are(self, kind: PseudoAnomaly, clips: np.ndarray) -> Iterator[StandIns]:
        """Clips that are no reference anyhow, at most as many as the unit has for training."""
        if len(clips) > len(self.plan.train):
            clips = np.sort(self.draw(kind).choice(clips, len(self.plan.train), replace=False))
        if len(clips):
            yield StandIns(kind, self.windows(clips))

    def folds(self, clips: np.ndarray, purpose: str) -> list[np.ndarray]:
        """Clips dealt into five folds; fewer clips into one each."""
        dealt = self.draw(purpose).permutation(clips)
        return [np.sort(dealt[i::_FOLDS]) for i in range(min(_FOLDS, len(clips)))]

    def taken_out(self, kind: PseudoAnomaly, parts: Sequence[np.ndarray]) -> Iterator[StandIns]:
        """Each of the parts (rows of `Embedded.clips`) against folds of the rest, where two clips at least remain."""
        for n, part in enumerate(parts):
            rest = np.setdiff1d(self.plan.train, part)
            if not len(part) or len(rest) < 2:
                continue
            folds = self.folds(rest, f"{kind} {n}")
            for fold in folds if len(rest) < _FEW else folds[: max(1, _FOLDS // len(parts))]:
                apart = replace(self, embedded=self.embedded.without(np.union1d(part, fold)))
                unit = apart.fitting(np.setdiff1d(rest, fold)).unit
                yield StandIns(kind, apart.windows(part), n, unit, apart.windows(fold))

    def fitting(self, train: np.ndarray) -> Fitting:
        """The unit with these training clips alone."""
        return Fitting.of(self.embedded, self.in_folds, replace(self.plan, train=train), seed=self.unit.seed)


def _shuffled(of: OfUnit) -> Iterator[StandIns]:
    embedded = of.embedded
    rows = np.flatnonzero(np.isin(embedded.clip, of.plan.train))
    x = embedded.vectors[rows]
    if len(of.plan.train) < 2 or (x == x[0]).all():
        return
    nobodys = embedded.clip[rows] + len(embedded.clips)  # compared with all clips, those that they were among too
    yield StandIns("shuffled", Vectors.of(of.draw("shuffled").permuted(x, axis=0), nobodys))


def _of_other_machine_types(of: OfUnit) -> Iterator[StandIns]:
    return of.as_they_are("machine-type", of.others((), "machine_type"))


def _of_other_sections(of: OfUnit) -> Iterator[StandIns]:
    if of.plan.section is None:
        return of.taken_out("section", _parts(of, "section"))
    return of.as_they_are("section", of.others(("machine_type",), "section"))


def _of_other_attributes(of: OfUnit) -> Iterator[StandIns]:
    return of.taken_out("attributes", _parts(of, "attribute_string"))


def _of_the_target_domain(of: OfUnit) -> Iterator[StandIns]:
    domain = of.embedded.column("domain")[of.plan.train]
    return of.taken_out("domain", [of.plan.train[domain == str(Domain.TARGET)]])


def _parts(of: OfUnit, column: str) -> list[np.ndarray]:
    """The unit's training clips by what a column says, the classes dealt into as many parts as may be; none of one."""
    value = of.embedded.column(column)[of.plan.train]
    sizes = Counter(v for v in value if v is not None)
    if len(sizes) < 2:
        return []
    classes = by_size(sorted(sizes, key=lambda v: (-sizes[v], v)), sizes, min(_FOLDS, len(sizes)))
    return [of.plan.train[np.isin(value, names)] for names in classes]


@dataclass(frozen=True)
class _Kind:
    """How pseudo-anomalies of a kind are made, and what is missing where there are none."""

    make: Callable[[OfUnit], Iterator[StandIns]]
    lacking: str


_KINDS: Mapping[PseudoAnomaly, _Kind] = {
    "shuffled": _Kind(_shuffled, "its training clips all have the same vector: there is nothing to shuffle"),
    "machine-type": _Kind(_of_other_machine_types, "the embeddings hold training clips of no other machine type"),
    "section": _Kind(_of_other_sections, "it has training clips of one section alone"),
    "attributes": _Kind(_of_other_attributes, "its training clips do not differ in attributes"),
    "domain": _Kind(_of_the_target_domain, "its training clips are not of both domains"),
}

EVERY = tuple(_KINDS)
"""Every kind, in the order in which they are shown."""


def lacking(kind: PseudoAnomaly) -> str:
    """Why a machine type has no pseudo-anomalies of a kind."""
    return _KINDS[kind].lacking
