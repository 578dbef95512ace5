"""One method evaluated on one subset: its numbers, their means, and the rows they become in results.parquet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from asdcli import artifacts
from asdcli.metrics.decisions import Confusion
from asdcli.metrics.official import Value, join
from asdcli.metrics.specs import OFFICIAL, MetricSpec
from asdcli.progress import SILENT, Progress
from asdcli.views.making import Making
from asdcli.views.promises import Held, Promise, held
from asdcli.vocabulary import Domain
from asdcli.writing.spreadsheet import write_csv

ResultRow = tuple[str | None, str | None, str, float, int | None, int | None]
RATES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Decided:
    """How good the decisions at a threshold are: one section, one domain (None: all clips); and what was promised."""

    machine_type: str
    section: str | None
    domain: Domain | None
    confusion: Confusion
    promise: Promise | None = None


@dataclass(frozen=True)
class Evaluation:
    """One method on one subset (`dev` or `eval`) by one rule.

    `values` holds every term of every section, undefined ones with value None; `official` is None when all are.
    `signature` is the one line that must go wherever the number goes. `interval` is the 95 % bootstrap interval.
    `n_clips` were evaluated and `n_missing` more have a known condition and no score (None: no table of clips tells).
    `apart` names the embeddings and the autoencoder that the scores come from (`views.making`), where those of other
    methods of the same table come from others.
    """

    method: str
    subset: str
    spec: MetricSpec
    values: tuple[Value, ...]
    official: float | None
    by_machine_type: dict[str, float | None]
    signature: str
    interval: tuple[float, float] | None = None
    decided: tuple[Decided, ...] = ()
    dataset: str = ""
    n_clips: int = 0
    n_missing: int | None = None
    making: Making = field(default_factory=Making)
    apart: Mapping[str, str] = field(default_factory=dict)
    stale: tuple[str, ...] = ()

    @property
    def coverage(self) -> str | None:
        """`420/1400` where clips are missing, `420/?` where nobody knows how many there should be, else None."""
        if self.n_missing is None:
            return f"{self.n_clips}/?"
        return f"{self.n_clips}/{self.n_clips + self.n_missing}" if self.n_missing else None

    @property
    def promises(self) -> list[Held]:
        """What the thresholds promised against what came, by domain."""
        return held([(d.domain, d.confusion, d.promise) for d in self.decided if d.promise])

    @property
    def undefined(self) -> list[Value]:
        """Terms of the official score that could not be computed and are left out of every mean."""
        own = {t.name for t in self.spec.terms}
        return [v for v in self.values if v.value is None and v.term in own]

    def mean(self, term: str, mean: str | None = None, machine_type: str | None = None) -> float | None:
        """Mean (by default the rule's) of one term over the sections of one or all machine types; None if undefined."""
        own = [
            (v.machine_type, v.value)
            for v in self.values
            if v.term == term and v.value is not None and machine_type in (None, v.machine_type)
        ]
        rule = replace(self.spec, mean=mean or self.spec.mean)
        return float(join(rule, [m for m, _ in own], [value for _, value in own])) if own else None


def rows(evaluation: Evaluation) -> list[ResultRow]:
    """(machine_type, section, term, value, n_normal, n_anomalous) of all that is defined; None means "over all"."""
    found: list[ResultRow] = [
        (v.machine_type, v.section or "", v.term, v.value, v.n_normal, v.n_anomalous)
        for v in evaluation.values
        if v.value is not None
    ]
    for d in evaluation.decided:
        counts = d.confusion
        for rate in RATES:
            name = f"{rate}_{d.domain}" if d.domain else rate
            value = getattr(counts, rate)
            found.append((d.machine_type, d.section or "", name, value, counts.n_normal, counts.n_anomalous))
    for machine_type, score in (*evaluation.by_machine_type.items(), (None, evaluation.official)):
        for term in evaluation.spec.reported:
            mean = evaluation.mean(term.name, machine_type=machine_type)
            found += [(machine_type, None, term.name, mean, None, None)] if mean is not None else []
        found += [(machine_type, None, OFFICIAL, score, None, None)] if score is not None else []
    return found


def table(evaluations: Iterable[Evaluation]) -> pa.Table:
    """The rows of results.parquet."""
    kinds = artifacts.RESULTS.columns
    cells = [(e.method, e.subset, *row) for e in evaluations for row in rows(e)]
    columns = zip(*cells, strict=True) if cells else [()] * len(kinds)
    return pa.table({c.name: pa.array(v, c.type) for c, v in zip(kinds, columns, strict=True)})


def save_csv(
    evaluations: Iterable[Evaluation],
    path: Path,
    *,
    plain: bool = False,
    force: bool = False,
    progress: Progress = SILENT,
) -> None:
    """The rows of results.parquet as CSV, whole or not at all, each with its line; an empty field means "over all".

    Args:
        evaluations: whose rows.
        path: of the file.
        plain: write texts that begin like formulas as they are.
        force: overwrite a file that asd did not write, or that was changed since.
        progress: is told of cells that were changed.

    Raises:
        BadData: such a file is there, and no `force`.
    """
    evaluations = list(evaluations)
    lines = pa.array([e.signature for e in evaluations for _ in rows(e)], pa.string())
    with artifacts.own.written(path, force=force) as temporary:
        written = table(evaluations).append_column("signature", lines)
        write_csv(written, temporary, plain=plain, progress=progress)
