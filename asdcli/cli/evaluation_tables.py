"""Evaluations as tables for the terminal: one method section by section, several methods side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from asdcli.cli.console import stdout
from asdcli.views.results import RATES, Evaluation

if TYPE_CHECKING:
    from asdcli.stages.evaluate import Report

NOTHING = "–"


def show(report: Report, *, details: bool) -> None:
    """Print every subset's tables, the comparisons, and the line of how each number was made."""
    console = stdout()
    for subset in dict.fromkeys(e.subset for e in report.evaluations):
        own = [e for e in report.evaluations if e.subset == subset]
        tables = []
        if len(own) > 1:
            tables += [_methods(own), *_machine_types(own, console.width)]
        if len(own) == 1 or details:
            tables += [_sections(e) for e in own]
        tables += [_decisions(e) for e in own if e.decided and (len(own) == 1 or details)]
        for table in tables:
            console.print(table, soft_wrap=False)
            console.print()
        for e in own:
            console.print(e.signature, markup=False)
            if e.interval:
                console.print(Text("  95 % interval ").append_text(_interval(e)))
        console.print()
    for subset, c in report.comparisons.items():
        a, b = report.compared or ("", "")
        line = f"{subset}: {a} − {b} = {c.difference:+.4f}  [{c.low:+.4f}, {c.high:+.4f}]  p = {c.p:.2g}"
        console.print(line, markup=False)


def _methods(evaluations: Sequence[Evaluation]) -> Table:
    """One row a method: means of the terms and the official score."""
    spec = evaluations[0].spec
    table = _table(f"{evaluations[0].subset}: {spec.mean} means", "method")
    columns = [[e.mean(t.name) for e in evaluations] for t in spec.terms] + [[e.official for e in evaluations]]
    for heading in (*(t.label for t in spec.terms), "official"):
        table.add_column(heading, justify="right")
    intervals = any(e.interval for e in evaluations)
    if intervals:
        table.add_column("95 % interval")
    best = [max((v for v in column if v is not None), default=None) for column in columns]
    for i, e in enumerate(evaluations):
        cells = [_number(column[i], bold=column[i] == top) for column, top in zip(columns, best, strict=True)]
        table.add_row(Text(e.method), *cells, *([_interval(e)] if intervals else []))
    return table


def _machine_types(evaluations: Sequence[Evaluation], width: int) -> Iterator[Table]:
    """One row a method, one column a machine type; as many tables as it takes to fit `width` columns of text."""
    room = width - max(len(e.method) for e in evaluations) - 4
    chunks: list[list[str]] = [[]]
    for m in dict.fromkeys(m for e in evaluations for m in e.by_machine_type):
        if chunks[-1] and sum(max(len(c), 6) + 3 for c in (*chunks[-1], m)) > room:
            chunks.append([])
        chunks[-1].append(m)
    yield from (_some_machine_types(evaluations, chunk) for chunk in chunks)


def _some_machine_types(evaluations: Sequence[Evaluation], machine_types: Sequence[str]) -> Table:
    table = _table(f"{evaluations[0].subset}: official score of each machine type", "method")
    for machine_type in machine_types:
        table.add_column(machine_type, justify="right")
    best = {
        m: max((v for e in evaluations if (v := e.by_machine_type.get(m)) is not None), default=None)
        for m in machine_types
    }
    for e in evaluations:
        values = [e.by_machine_type.get(m) for m in machine_types]
        cells = [_number(v, bold=v == best[m]) for m, v in zip(machine_types, values, strict=True)]
        table.add_row(Text(e.method), *cells)
    return table


def _sections(e: Evaluation) -> Table:
    """One row a section, a mean row for machine types of several, and both means over all."""
    table = _table(f"{e.subset}: {e.method}", "machine type")
    table.add_column("section")
    for term in e.spec.reported:
        table.add_column(term.label, justify="right")
    table.add_column("official", justify="right")
    places = dict.fromkeys((v.machine_type, v.section) for v in e.values)
    values = {(v.machine_type, v.section, v.term): v.value for v in e.values}
    for machine_type, score in e.by_machine_type.items():
        own = [p for p in places if p[0] == machine_type]
        for place in own:
            cells = [_number(values[place[0], place[1], t.name]) for t in e.spec.reported]
            last = _number(score) if len(own) == 1 else Text("")
            table.add_row(Text(machine_type), place[1] or "", *cells, last)
        if len(own) > 1:
            cells = [_number(e.mean(t.name, machine_type=machine_type)) for t in e.spec.reported]
            table.add_row(Text(machine_type), "mean", *cells, _number(score), end_section=True)
    table.add_section()
    for mean in ("arithmetic", "harmonic"):
        official = mean == e.spec.mean
        cells = [_number(e.mean(t.name, mean)) for t in e.spec.reported]
        last = _number(e.official, bold=True) if official else Text("")
        table.add_row(f"{mean} mean", "", *cells, last)
    return table


def _decisions(e: Evaluation) -> Table:
    """Precision, recall and F1 of each section and domain at the stored threshold."""
    table = _table(f"{e.subset}: decisions of {e.method}", "machine type")
    for heading in ("section", "domain"):
        table.add_column(heading)
    for heading in ("precision", "recall", "F1", "alarms", "of which false"):
        table.add_column(heading, justify="right")
    for d in e.decided:
        c = d.confusion
        rates = [_number(getattr(c, rate)) for rate in RATES]
        alarms = c.true_positive + c.false_positive
        domain = str(d.domain) if d.domain else "all"
        table.add_row(Text(d.machine_type), d.section or "", domain, *rates, str(alarms), str(c.false_positive))
    return table


def _table(title: str, first: str) -> Table:
    table = Table(title=Text(title), title_justify="left", header_style="bold")
    table.add_column(first, no_wrap=True)
    return table


def _number(value: float | None, *, bold: bool = False) -> Text:
    if value is None:
        return Text(NOTHING, style="dim")
    return Text(f"{value:.4f}", style="bold" if bold else "")


def _interval(e: Evaluation) -> Text:
    return Text(f"[{e.interval[0]:.4f}, {e.interval[1]:.4f}]" if e.interval else NOTHING)
