"""Official scores as data: which clips enter which area, and how the areas are averaged.

A `Term` picks the normal and the anomalous clips of one section and takes one area over them. A `MetricSpec` lists the
terms that enter the official score and the mean that joins them. A rule is one entry of `SPECS`; `metrics.official`
computes it. Three rules cover all editions:

* `dcase2020`: one domain. Mean AUC and pAUC over the machine IDs of a machine type. The organisers print no single
  number; the official score here is the plain mean of both over machine types, as the field reports it.
* `dcase2021`: the domain of every clip is known, and each area stays inside one domain.
* `dcase2022` (2022 to 2026): domains are hidden from the system, so the AUC of a domain sets its normal clips against
  the anomalies of *both* domains, and pAUC is taken over all clips of the section, once.

From 2021 on the official score is the harmonic mean over the flat list of all areas of all sections. `auc-pauc` is no
edition's rule but the measure of the smoothing paper: the same mean, a section's domains together.
"""

from __future__ import annotations

from dataclasses import dataclass

from asdcli.errors import unknown_name
from asdcli.vocabulary import Domain

OFFICIAL = "official"
"""The name that the official score goes by where terms are listed."""

AUC_PAUC = "auc-pauc"
"""The smoothing paper's measure, by which parameters are chosen."""

LABEL_FREE = "label-free"
"""Stands for no rule but for what is maximised where no label may be looked at: see `separation`."""


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
        MetricSpec(AUC_PAUC, (_AUC, _PAUC), mean="harmonic"),
    )
}
"""Name -> rule. An edition of the catalogue names its own as `metric`."""


def spec_named(name: str) -> MetricSpec:
    """The rule called `name`. Raises UsageError ("did you mean") for any other name."""
    if name not in SPECS:
        raise unknown_name("metric", name, SPECS)
    return SPECS[name]


def spec_without_edition(*, domains: bool) -> MetricSpec:
    """The rule for recordings of no edition: the newest that the labels allow, with or without domains."""
    return SPECS["dcase2022" if domains else "dcase2020"]
