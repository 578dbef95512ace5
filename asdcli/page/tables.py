"""Results as tables of a page: official scores with intervals, by machine type, promises, and methods compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from asdcli.metrics.bootstrap import Comparison
from asdcli.page.content import TextTable
from asdcli.views.results import Evaluation

_NOTHING = "–"


def result_tables(
    evaluations: Sequence[Evaluation], compared: Mapping[tuple[str, str, str], Comparison]
) -> list[TextTable]:
    """All tables of some evaluations of one dataset.

    Args:
        evaluations: with intervals, as far as there are any.
        compared: (A, B, subset) -> the official score of A minus that of B.
    """
    found: list[TextTable] = []
    groups = dict.fromkeys((e.subset, e.spec) for e in evaluations)
    for group in groups:
        own = [e for e in evaluations if (e.subset, e.spec) == group]
        where = f", {group[0]}" if len(groups) > 1 else ""
        found.append(_methods(own, where))
        if len({name for e in own for name in e.by_machine_type}) > 1:
            found.append(_machines(own, where))
        found += _promises(own, where)
    if compared:
        found.append(_comparisons(compared))
    return found


def _methods(evaluations: Sequence[Evaluation], where: str) -> TextTable:
    spec = evaluations[0].spec
    partial = any(e.n_missing for e in evaluations)
    columns = ["method", "official", "95 % interval", *(t.label for t in spec.terms), *(["clips"] if partial else [])]
    rows = [
        [
            e.method,
            _number(e.official),
            f"{e.interval[0]:.4f} to {e.interval[1]:.4f}" if e.interval else _NOTHING,
            *(_number(e.mean(t.name)) for t in spec.terms),
            *([e.coverage or "all"] if partial else []),
        ]
        for e in evaluations
    ]
    note = f"Official score by the rule {spec.name}: the {spec.mean} mean of the areas beside it; 0.5 is chance."
    note += " The interval says how far other test clips could have moved it (stratified bootstrap)."
    return TextTable(f"Official score{where}", columns, rows, note)


def _machines(evaluations: Sequence[Evaluation], where: str) -> TextTable:
    machines = list(dict.fromkeys(name for e in evaluations for name in e.by_machine_type))
    rows = [[name, *(_number(e.by_machine_type.get(name)) for e in evaluations)] for name in machines]
    return TextTable(
        f"Official score of each machine type{where}", ["machine type", *(e.method for e in evaluations)], rows
    )


def _promises(evaluations: Sequence[Evaluation], where: str) -> Iterator[TextTable]:
    rows = []
    for e in evaluations:
        for one in e.promises:
            low, high = one.false_alarms.interval
            measured = f"{_percent(one.false_alarms.measured)} ({100 * low:.0f} to {100 * high:.0f} %)"
            hits = _percent(one.hits.measured) if one.hits else _NOTHING
            promised = _percent(one.false_alarms.promised)
            rows.append([e.method, str(one.domain or "all"), promised, measured, hits, one.verdict])
    if rows:
        columns = ["method", "domain", "promised", "measured (95 %)", "anomalies found", "verdict"]
        yield TextTable(f"False alarms{where}", columns, rows, "Shares of labelled test clips above the threshold.")


def _comparisons(compared: Mapping[tuple[str, str, str], Comparison]) -> TextTable:
    rows = [
        [f"{a} − {b}", subset, f"{c.difference:+.4f}", f"{c.low:+.4f} to {c.high:+.4f}", f"{c.p:.2g}"]
        for (a, b, subset), c in compared.items()
    ]
    note = "Both on the same draws of the same clips (paired bootstrap): an interval without 0 is a difference."
    columns = ["official score of", "subset", "difference", "95 % interval", "p"]
    return TextTable("Methods compared", columns, rows, note)


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.4f}"


def _percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{100 * share:.1f} %"
