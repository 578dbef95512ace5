"""What was chosen without anomalies, by what, and how its order of the candidates agrees with the official one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.views.tuning import ReportTable
from asdcli.vocabulary import PseudoAnomaly

ALL = "all"
"""What stands for a machine type in the rows over all of them."""


@dataclass(frozen=True)
class NamedEmbeddings:
    """A table of embeddings that is to choose from.

    Attributes:
        name: it goes by, without a path.
        path: where it lies.
        role: of it among the inputs of what is made of it.
    """

    name: str
    path: Path
    role: str


@dataclass(frozen=True)
class Candidates:
    """What is to choose from, and by what.

    Attributes:
        embeddings: one or more tables of the same clips.
        methods: canonical spellings, scored in each of them.
        pseudo: kinds of pseudo-anomalies; None means all that a machine type has.
        transductive: the test clips, all together, count as normal, and methods may look at them.
        machine_types: only these; none means all.
    """

    embeddings: Sequence[NamedEmbeddings]
    methods: Sequence[str]
    pseudo: Sequence[PseudoAnomaly] | None = None
    transductive: bool = False
    machine_types: Sequence[str] = ()

    def params(self, objective: str) -> dict[str, Any]:
        """What a header says of them."""
        params: dict[str, Any] = {"objective": objective, "methods": list(self.methods)}
        params |= {"of": {one.name: one.role for one in self.embeddings}}
        params |= {"pseudo": list(self.pseudo)} if self.pseudo is not None else {}
        params |= {"transductive": True} if self.transductive else {}
        return params | ({"machine_types": list(self.machine_types)} if self.machine_types else {})


@dataclass(frozen=True)
class Candidate:
    """A method in one of the tables of embeddings.

    Attributes:
        embeddings: by their name.
        method: its spelling.
        criterion: mean of the lower bounds on the AUC, in [0, 1].
        official: the official score by the labels of the test clips; None where there are none.
    """

    embeddings: str
    method: str
    criterion: float
    official: float | None = None


@dataclass(frozen=True)
class Agreement:
    """How the criterion's order of the candidates agrees with that of their official scores.

    Attributes:
        machine_type: or `all`.
        pseudo: the kind by whose bounds alone they are ordered, or `all`.
        spearman, kendall: rank correlations; None where there are fewer than two candidates, or all are alike.
        candidates: how many.
    """

    machine_type: str
    pseudo: str
    spearman: float | None
    kendall: float | None
    candidates: int


@dataclass(frozen=True)
class LabelFreeFacts:
    """What was found.

    Attributes:
        chosen: machine type (`all` of them together) -> the candidate with the largest criterion.
        oracle: the same by the official score, which no system may know; empty where no label is known.
        agreement: of both orders; empty where no label is known.
        bounds: what the criterion is the mean of: a row a candidate, machine type and kind of pseudo-anomaly.
        next: the words of the command that scores with what was chosen.
    """

    chosen: dict[str, Candidate]
    oracle: dict[str, Candidate]
    agreement: list[Agreement]
    bounds: ReportTable
    next: list[str] = field(default_factory=list)

    @staticmethod
    def of(header: Header) -> LabelFreeFacts | None:
        """What a table's header says was found when it was made; None where it does not say so."""
        from pydantic import TypeAdapter, ValidationError

        try:
            facts: LabelFreeFacts = TypeAdapter(LabelFreeFacts).validate_python(header.diagnostics)
        except ValidationError:
            return None
        return facts if ALL in facts.chosen and set(facts.oracle) <= set(facts.chosen) else None


def ranked(tuning: Path) -> list[Candidate]:
    """The candidates of a table of label-free tuning by what they are worth on all machine types, the best first."""
    rows = artifacts.read_table(tuning, artifacts.TUNING)[0].to_pylist()
    found = [
        Candidate(row["params"].partition("=")[2], row["method"], row["chosen_on"], row["reported_on"])
        for row in rows
        if row["machine_type"] == ALL
    ]
    return sorted(found, key=lambda one: -one.criterion)
