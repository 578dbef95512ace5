"""Evaluations as tables for the terminal: one method section by section, several methods side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from asdcli.cli.console import stdout
from asdcli.cli.tables import NOTHING, Grid, GridColumn, number
from asdcli.views.results import RATES, Evaluation

if TYPE_CHECKING:
    from asdcli.stages.evaluate import Report


def show(report: Report, *, details: bool) -> None:
    """Print every subset's tables, the comparisons, and the line of how each number was made."""
    console = stdout()
    several = len({e.dataset for e in report.evaluations}) > 1
    for group in dict.fromkeys((e.dataset, e.subset, e.spec) for e in report.evaluations):
        own = [e for e in report.evaluations if (e.dataset, e.subset, e.spec) == group]
        where = " ".join(group[:2]) if several else group[1]
        grids = [_methods(own, where), _machine_types(own, where)] if len(own) > 1 else []
        if len(own) == 1 or details:
            grids += [_sections(e) for e in own]
        grids += [_decisions(e) for e in own if e.decided and (len(own) == 1 or details)]
        grids += [_promises(own, where)] if any(e.promises for e in own) else []
        for grid in grids:
            grid.show(console)
            console.print()
        for e in own:
            console.print(e.signature)
            if e.interval:
                console.print(Text("  95 % interval ").append_text(_interval(e)))
        console.print()
    for subset, c in report.comparisons.items():
        a, b = report.compared or ("", "")
        line = f"{subset}: {a} − {b} = {c.difference:+.4f}  95 % interval [{c.low:+.4f}, {c.high:+.4f}]  p = {c.p:.2g}"
        console.print(line)


def _methods(evaluations: Sequence[Evaluation], where: str) -> Grid:
    """One row a method: means of the terms and the official score."""
    spec = evaluations[0].spec
    columns = [[e.mean(t.name) for e in evaluations] for t in spec.terms] + [[e.official for e in evaluations]]
    headings = [GridColumn(t.label.replace(" (", "\n("), number=True, rank=2) for t in spec.terms]
    headings.append(GridColumn("official", number=True, rank=0))
    partial, intervals = any(e.n_missing for e in evaluations), any(e.interval for e in evaluations)
    headings += [GridColumn("clips", number=True, rank=0)] if partial else []
    headings += [GridColumn("95 % interval", number=True, rank=1)] if intervals else []
    keys = _Keys(evaluations)
    grid = Grid(f"{where}: {spec.mean} means", [*keys.headings, *headings], keys=len(keys.headings))
    best = [max((v for v in column if v is not None), default=None) for column in columns]
    for i, e in enumerate(evaluations):
        cells: list[Any] = [number(column[i], bold=column[i] == top) for column, top in zip(columns, best, strict=True)]
        cells += [e.coverage or "all"] if partial else []
        cells += [_interval(e)] if intervals else []
        grid.add(*keys.cells(e), *cells)
    return grid


def _machine_types(evaluations: Sequence[Evaluation], where: str) -> Grid:
    """One row a method, one column a machine type."""
    machine_types = list(dict.fromkeys(m for e in evaluations for m in e.by_machine_type))
    keys = _Keys(evaluations)
    columns = [*keys.headings, *(GridColumn(m, number=True) for m in machine_types)]
    grid = Grid(f"{where}: official score of each machine type", columns, keys=len(keys.headings))
    best = {
        m: max((v for e in evaluations if (v := e.by_machine_type.get(m)) is not None), default=None)
        for m in machine_types
    }
    for e in evaluations:
        values = [e.by_machine_type.get(m) for m in machine_types]
        grid.add(*keys.cells(e), *(number(v, bold=v == best[m]) for m, v in zip(machine_types, values, strict=True)))
    return grid


class _Keys:
    """What tells the rows of a table apart: the method, and where its scores come from if not all are alike.

    The lines below the table say it in full.
    """

    def __init__(self, evaluations: Sequence[Evaluation]) -> None:
        self._apart = list(dict.fromkeys(kind for e in evaluations for kind in e.apart))
        self._stale = any(e.stale for e in evaluations)

    @property
    def headings(self) -> list[GridColumn | str]:
        narrow = [*self._apart, *(["stale"] if self._stale else [])]
        return ["method", *(GridColumn(heading, number=True) for heading in narrow)]

    def cells(self, e: Evaluation) -> list[str | None]:
        return [e.method, *map(e.apart.get, self._apart), *(["yes" if e.stale else ""] if self._stale else [])]


def _sections(e: Evaluation) -> Grid:
    """One row a section, a mean row for machine types of several, and both means over all."""
    terms = [GridColumn(t.label.replace(" (", "\n("), number=True, rank=2) for t in e.spec.reported]
    columns: list[GridColumn | str] = ["machine type", "section", *terms, GridColumn("official", number=True, rank=0)]
    grid = Grid(f"{e.subset}: {e.method}", columns, keys=2)
    places = dict.fromkeys((v.machine_type, v.section) for v in e.values)
    values = {(v.machine_type, v.section, v.term): v.value for v in e.values}
    for machine_type, score in e.by_machine_type.items():
        own = [p for p in places if p[0] == machine_type]
        for place in own:
            cells = [number(values[place[0], place[1], t.name]) for t in e.spec.reported]
            grid.add(machine_type, place[1] or "", *cells, number(score) if len(own) == 1 else "")
        if len(own) > 1:
            cells = [number(e.mean(t.name, machine_type=machine_type)) for t in e.spec.reported]
            grid.add(machine_type, "mean", *cells, number(score), ends_section=True)
    grid.end_section()
    for mean in ("arithmetic", "harmonic"):
        cells = [number(e.mean(t.name, mean)) for t in e.spec.reported]
        grid.add(f"{mean} mean", "", *cells, number(e.official, bold=True) if mean == e.spec.mean else "")
    return grid


def _decisions(e: Evaluation) -> Grid:
    """Precision, recall and F1 of each section and domain at the stored threshold."""
    figures = [GridColumn(h, number=True) for h in ("precision", "recall", "F1", "alarms", "of which\nfalse")]
    grid = Grid(f"{e.subset}: decisions of {e.method}", ["machine type", "section", "domain", *figures], keys=3)
    for d in e.decided:
        c = d.confusion
        domain = str(d.domain) if d.domain else "all"
        alarms = c.true_positive + c.false_positive
        rates = [number(getattr(c, rate)) for rate in RATES]
        grid.add(d.machine_type, d.section or "", domain, *rates, alarms, c.false_positive)
    return grid


def _promises(evaluations: Sequence[Evaluation], where: str) -> Grid:
    """What the stored thresholds promise against what the test clips show, one row a method and domain."""
    figures = [GridColumn(heading, number=True) for heading in ("promised", "measured", "95 %", "hits")]
    grid = Grid(f"{where}: false alarms", ["method", "domain", *figures, GridColumn("verdict", rank=1)], keys=2)
    for e in evaluations:
        for one in e.promises:
            low, high = one.false_alarms.interval
            cells = [
                _percent(one.false_alarms.promised),
                _percent(one.false_alarms.measured),
                f"{100 * low:.0f} to {_percent(high)}",
            ]
            cells += [_percent(one.hits.measured) if one.hits else NOTHING]
            grid.add(e.method, str(one.domain or "all"), *cells, one.verdict)
    return grid


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.0f} %"


def _interval(e: Evaluation) -> Text:
    return Text(f"[{e.interval[0]:.4f}, {e.interval[1]:.4f}]" if e.interval else NOTHING)
