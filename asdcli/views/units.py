"""Embeddings cut into the units that share a reference set, in an order that does not depend on the file's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.views.embeddings import Embedded
from asdcli.vocabulary import Condition, Domain, Split, Unit


@dataclass(frozen=True)
class UnitPlan:
    """Which clips (rows of `Embedded.clips`) make a unit, and which of them it gives scores to.

    `test` holds those of which an operator said what they are, too: they are compared as test clips are.
    `section` is None where the unit is a whole machine type.
    """

    machine_type: str
    section: str | None
    train: np.ndarray
    test: np.ndarray
    scored: np.ndarray

    @property
    def name(self) -> str:
        return self.machine_type if self.section is None else f"{self.machine_type}/{self.section}"

    def vectors(self, embedded: Embedded, *, seed: int) -> tuple[UnitVectors, np.ndarray, np.ndarray]:
        """The unit as scorers see it, and the windows (rows of `Embedded.vectors`) of its training and test clips."""
        of_train, of_test = (np.flatnonzero(np.isin(embedded.clip, clips)) for clips in (self.train, self.test))
        domain = embedded.column("domain")[embedded.clip[of_train]]
        train, test = (Vectors.of(embedded.vectors[rows], embedded.clip[rows]) for rows in (of_train, of_test))
        unit = UnitVectors(
            name=self.name,
            train=train,
            test=test,
            is_target=domain == str(Domain.TARGET),
            n_sections=len(set(embedded.column("section")[self.train])),
            seed=seed,
            unknown_domain=None in domain,
            rules=("zero-norm",) * (train.has_zero or test.has_zero),
            bands=embedded.bands,
            brought=embedded.brought,
        )
        return unit, of_train, of_test


def plan_units(embedded: Embedded, unit: Unit) -> tuple[list[UnitPlan], dict[str, str], list[str]]:
    """The units, the clips that no unit can score with the reason, and a sentence for every fallback taken.

    The reference set of a unit is its training clips, save those known to be anomalous. With `Unit.SECTION` a clip
    whose section has no training clips is scored by its machine type's unit.
    """
    machine_type, section = embedded.column("machine_type"), embedded.column("section")
    split, condition = embedded.column("split"), embedded.column("condition")
    anomalous = (split == str(Split.TRAIN)) & (condition == str(Condition.ANOMALY))
    train, test = (split == str(Split.TRAIN)) & ~anomalous, np.isin(split, [str(Split.TEST), str(Split.ANSWERED)])
    unscored = dict.fromkeys(np.flatnonzero(anomalous), "it is a training clip with condition anomaly")
    plans: list[UnitPlan] = []
    warnings: list[str] = []
    for name in sorted(set(machine_type[train | test])):
        mine = machine_type == name
        whole = UnitPlan(name, None, *(np.flatnonzero(mine & m) for m in (train, test, train | test)))
        if not len(whole.train):
            unscored |= dict.fromkeys(whole.test, f"machine type {name} has no training clips to compare it with")
            continue
        if unit is Unit.MACHINE_TYPE:
            plans.append(whole)
            continue
        known = sorted(set(section[whole.train]) - {None})
        for one in known:
            of = mine & (section == one)
            plans.append(UnitPlan(name, one, *(np.flatnonzero(of & m) for m in (train, test, train | test))))
        rest = whole.scored[~np.isin(section[whole.scored], known)]
        if len(rest):
            plans.append(UnitPlan(name, None, whole.train, whole.test, rest))
            sections = ", ".join(sorted({str(s or "none") for s in section[rest]}))
            warnings.append(
                f"{name}: {len(rest)} clips of section {sections}, which has no training clips of its own, are scored "
                "against the whole machine type"
            )
    ids = embedded.column("clip_id")
    return plans, {ids[i]: reason for i, reason in sorted(unscored.items())}, warnings
