"""Official scores computed: the areas of every section by a rule of `specs`, and the mean that joins them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asdcli.metrics import means, roc
from asdcli.metrics.specs import MetricSpec, Term


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
