"""How `asd tune --objective label-free` shows what it found: the candidates, the choices, and how far to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from asdcli.cli.console import stdout
from asdcli.cli.tables import Grid, GridColumn, number
from asdcli.views.label_free import ALL, Agreement, Candidate, LabelFreeFacts, ranked


def show(facts: LabelFreeFacts, table: Path) -> None:
    """The candidates of `table`, what each machine type would have, the bounds of the choice and rank correlations."""
    several = len(facts.chosen) > 2  # with one machine type, `all` says the same
    _show_candidates(ranked(table), facts)
    if several:
        _show_choices(facts)
    _show_bounds(facts)
    if facts.agreement:
        _show_agreement([one for one in facts.agreement if several or one.machine_type == ALL])


def _show_candidates(candidates: Sequence[Candidate], facts: LabelFreeFacts) -> None:
    """All of them together, the largest criterion first."""
    grid = Grid("candidates, by no label", _headings(), keys=2, box=None)
    for one in candidates:
        style = "bold" if one == facts.chosen[ALL] else ""
        grid.add(*(Text(cell, style=style) if isinstance(cell, str) else cell for cell in _cells(one)))
    grid.show()


def _show_choices(facts: LabelFreeFacts) -> None:
    grid = Grid("chosen for each machine type", ["machine type", *_headings()], keys=3, box=None)
    for machine_type, one in facts.chosen.items():
        if machine_type != ALL:
            grid.add(machine_type, *_cells(one))
    stdout().print()
    grid.show()


def _headings() -> list[GridColumn | str]:
    return ["embeddings", "method", *(GridColumn(heading, number=True) for heading in ("criterion", "official"))]


def _cells(of: Candidate) -> list[str | Text]:
    return [of.embeddings, of.method, number(of.criterion), number(of.official)]


def _show_bounds(facts: LabelFreeFacts) -> None:
    chosen = facts.chosen[ALL]
    figures = (GridColumn(heading, number=True) for heading in ("normal", "pseudo", "bound", "AUC"))
    title = f"pseudo-anomalies by {chosen.method} in {chosen.embeddings}"
    grid = Grid(title, ["machine type", "kind", "held against", *figures], keys=2, box=None)
    for embeddings, method, machine_type, kind, normals, n_normal, n_pseudo, bound, auc in facts.bounds.rows:
        if (embeddings, method) == (chosen.embeddings, chosen.method):
            grid.add(machine_type, kind, normals, n_normal, n_pseudo, number(bound), number(auc))
    stdout().print()
    grid.show()


def _show_agreement(agreement: Sequence[Agreement]) -> None:
    figures = (GridColumn(heading, number=True) for heading in ("Spearman", "Kendall", "candidates"))
    title = "rank correlation with the official score"
    grid = Grid(title, ["machine type", "ordered by", *figures], keys=2, box=None)
    for one in agreement:
        by = "the criterion" if one.pseudo == ALL else f"bounds: {one.pseudo}"
        grid.add(one.machine_type, by, number(one.spearman), number(one.kendall), one.candidates)
    stdout().print()
    grid.show()
