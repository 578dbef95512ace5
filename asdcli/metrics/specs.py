"""Each edition's official score as data: which clips enter which area, and how the areas are averaged.

A `Term` picks the normal and the anomalous clips of one section and takes one area over them. A `MetricSpec` lists the
terms that enter the official score and the mean that joins them. Three rules cover all editions:

* `dcase2020`: one domain. Mean AUC and pAUC over the machine IDs of a machine type. The organisers print no single
  number; the official score here is the plain mean of both over machine types, as the field reports it.
* `dcase2021`: the domain of every clip is known, and each area stays inside one domain.
* `dcase2022` (2022 to 2026): domains are hidden from the system, so the AUC of a domain sets its normal clips against
  the anomalies of *both* domains, and pAUC is taken over all clips of the section, once.

From 2021 on the official score is the harmonic mean over the flat list of all areas of all sections.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asdcli.errors import unknown_name
from asdcli.metrics import means, roc
from asdcli.vocabulary import Domain

OFFICIAL = "official"
"""The name that the official score goes by where terms are listed."""


@dataclass(frozen=True)
class Term:
    """One area: over normal clips of the domain `normals` and anomalous clips of `anomalies` (None: of any domain)."""

    name: str
    label: str
    normals: Domain | None = None
    anomalies: Domain | None = None
    partial: bool = False


@dataclass(frozen=True)
class MetricSpec:
    """An official score: the mean named `mean` over `terms`; terms in `also` are reported beside it and do not enter.

    With `by_machine_type`, every machine type is averaged first and weighs the same however many sections it has.
    """

    name: str
    terms: tuple[Term, ...]
    mean: str
    also: tuple[Term, ...] = ()
    by_machine_type: bool = False

    @property
    def reported(self) -> tuple[Term, ...]:
        return self.terms + self.also

    @property
    def uses_domains(self) -> bool:
        return any(t.normals or t.anomalies for t in self.terms)


@dataclass(frozen=True)
class SectionScores:
    """The scored test clips of one section whose truth is known.

    scores: (n,) finite, larger is more anomalous. anomalous: (n,) bool. domain: (n,) "source", "target" or ""
    (unknown).
    decisions: (n,) bool, true where somebody called the clip anomalous; None where nobody decided.
    """

    machine_type: str
    section: str | None
    scores: npt.NDArray[np.float64]
    anomalous: npt.NDArray[np.bool_]
    domain: npt.NDArray[np.str_]
    decisions: npt.NDArray[np.bool_] | None = None

    def pick(self, term: Term) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """(n,) masks of the normal and of the anomalous clips that enter `term`."""
        normal, anomalous = ~self.anomalous, self.anomalous
        if term.normals:
            normal = normal & (self.domain == str(term.normals))
        if term.anomalies:
            anomalous = anomalous & (self.domain == str(term.anomalies))
        return normal, anomalous


@dataclass(frozen=True)
class Value:
    """One term of one section; `value` is None where the term is undefined because one of its two counts is zero."""

    machine_type: str
    section: str | None
    term: str
    value: float | None
    n_normal: int
    n_anomalous: int

    @property
    def why_undefined(self) -> str:
        return "no normal clips" if not self.n_normal else "no anomalous clips"


def _auc(domain: Domain, *, anomalies: Domain | None = None) -> Term:
    return Term(f"auc_{domain}", f"AUC ({domain})", normals=domain, anomalies=anomalies)


def _pauc(domain: Domain) -> Term:
    return Term(f"pauc_{domain}", f"pAUC ({domain})", normals=domain, anomalies=domain, partial=True)


_AUC, _PAUC = Term("auc", "AUC"), Term("pauc", "pAUC", partial=True)
_S, _T = Domain.SOURCE, Domain.TARGET

SPECS: dict[str, MetricSpec] = {
    spec.name: spec
    for spec in (
        MetricSpec("dcase2020", (_AUC, _PAUC), mean="arithmetic", by_machine_type=True),
        MetricSpec(
            "dcase2021", (_auc(_S, anomalies=_S), _pauc(_S), _auc(_T, anomalies=_T), _pauc(_T)), mean="harmonic"
        ),
        MetricSpec("dcase2022", (_auc(_S), _auc(_T), _PAUC), mean="harmonic", also=(_pauc(_S), _pauc(_T))),
    )
}


def spec_named(name: str) -> MetricSpec:
    """The rule called `name`. Raises UsageError ("did you mean") for any other name."""
    if name not in SPECS:
        raise unknown_name("metric", name, SPECS)
    return SPECS[name]


def measure(spec: MetricSpec, sections: Iterable[SectionScores], *, max_fpr: float = roc.MAX_FPR) -> list[Value]:
    """Every reported term of every section, in the order given; undefined terms are there, with value None."""
    values = []
    for section in sections:
        for term in spec.reported:
            normal, anomalous = section.pick(term)
            n_normal, n_anomalous = int(normal.sum()), int(anomalous.sum())
            area = None
            if n_normal and n_anomalous:
                chosen = section.scores[normal], section.scores[anomalous]
                area = roc.pauc(*chosen, max_fpr) if term.partial else roc.auc(*chosen)
            values.append(Value(section.machine_type, section.section, term.name, area, n_normal, n_anomalous))
    return values


def official(spec: MetricSpec, values: Iterable[Value]) -> float | None:
    """The official score over the defined values among `values`; None when not one of its terms is defined."""
    own = {t.name for t in spec.terms}
    used = [(v.machine_type, v.value) for v in values if v.term in own and v.value is not None]
    if not used:
        return None
    return float(join(spec, [m for m, _ in used], [x for _, x in used]))


def join(spec: MetricSpec, machine_types: Sequence[str], areas: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The spec's mean over (n,) or (n, r) areas of the spec's own terms, the i-th belonging to `machine_types[i]`."""
    mean, areas = means.MEANS[spec.mean], np.asarray(areas, dtype=np.float64)
    if not spec.by_machine_type:
        return mean(areas)
    owner = np.asarray(machine_types)
    return mean(np.stack([mean(areas[owner == m]) for m in dict.fromkeys(machine_types)]))


AUC_PAUC = MetricSpec("auc-pauc", (Term("auc", "AUC"), Term("pauc", "pAUC", partial=True)), mean="harmonic")
"""Harmonic mean of AUC and pAUC over sections, a section's domains together: the measure of the smoothing paper."""


def spec_of(name: str) -> MetricSpec:
    """`auc-pauc`, or the rule of an edition."""
    return AUC_PAUC if name == AUC_PAUC.name else spec_named(name)
