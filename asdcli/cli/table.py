"""`asd table`: what many runs measured, as one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli import completion
from asdcli.cli.options import format_option, method_option, one_of
from asdcli.cli.plans import folders_of
from asdcli.cli.shared import Place, on_many_runs
from asdcli.cli.talk import Output, Talk
from asdcli.views.sheets import SheetFormat, TableColumns, TableName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.text import Text

    from asdcli.stages.table import Tables
    from asdcli.views.sheets import Sheet, SheetRow, Shown


@on_many_runs
def table(
    which: Annotated[str, typer.Argument(metavar=one_of(TableName), help="Which table.")],
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUNS", help="Runs, folders above them, or a plan that asd sweep has done. Default: runs."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="DATASET",
            help="Only this dataset (repeatable). Default: all that there are runs of.",
            show_default=False,
            autocompletion=completion.datasets,
        ),
    ] = None,
    published: Annotated[
        bool,
        typer.Option(
            "--published", help="What the paper printed beside each cell, and the difference in its deviations."
        ),
    ] = False,
    method: Annotated[
        list[str] | None,
        method_option(help="Of compare: only this method (repeatable). Default: all that there are scores of."),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="METHOD",
            help="Of compare: what every other method is set against.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar=one_of(TableColumns),
            help="Of compare: what a column is. Default: the first.",
            show_default=False,
        ),
    ] = None,
    n_resamples: Annotated[
        int, typer.Option("--bootstrap", min=1, metavar="N", help="Of compare: resamples of clips and seeds.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of compare: seed of the bootstrap.")] = 0,
    format: Annotated[
        str | None,
        format_option(SheetFormat),
    ] = None,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """What many runs measured, as one table, on stdout or where -o says.

    Dataset, model and seed of a run are read from its files, never from names of folders. Results are read, not
    computed: a cell that is missing says which command makes it, and what is damaged or stale is named in a footnote.

    varmin: Tables 1 and 2 of the variance-minimisation paper. A row a method, a column a year and subset; mean and
    standard deviation over seeds in percent, the best bold, what a paired test over seeds does not tell apart from it
    marked.

    dns: Tables I and II of the smoothing paper: what asd tune chose for each machine type, and what that is worth.

    compare: any runs and methods. A row a model and method, a column a dataset and subset, with 95 % intervals over
    test clips and seeds together, and with --baseline the paired difference to that method.

    Below each table stand footnotes about whatever was not as in the paper, and the lines that say how its numbers were
    made. LaTeX needs booktabs and graphicx.
    """
    from asdcli.pipeline.steps import table as step
    from asdcli.views.sheets import plain

    runs = folders_of(runs, place, talk)
    kind = step.format_of(place.output, format)
    asked = {"methods": method, "baseline": baseline, "by": by, "n_resamples": n_resamples, "seed": seed}
    found = step.run(
        which,
        runs,
        data=place.data,
        datasets=only or (),
        published=published,
        how=step.how(which, published=published, **asked),
        progress=talk.progress,
    )
    outputs = put(found, kind, place, talk, force=force)
    facts: dict[str, Any] = {"tables": plain(found.sheets), "left_out": [str(one.run) for one in found.unready]}
    return talk.answer(outputs, facts if talk.json else None)


def put(found: Tables, kind: SheetFormat, place: Place, talk: Talk, *, force: bool) -> list[Output]:
    """Put tables where they are to go: into the file that -o names, which is given back, or on stdout."""
    from asdcli.pipeline.steps import table as step
    from asdcli.views.sheets import WRITTEN

    if kind == "text":
        from asdcli.cli.console import written

        text = written(lambda console: show(found.sheets, console)) if place.output else ""
    else:
        text = WRITTEN[kind](found.sheets)
    if not place.output:
        if talk.shows_tables:
            _print(text, found.sheets)
        return []
    outcome = step.write(text, found, place.output, force=force, progress=talk.progress)
    if not talk.json:
        talk.say(outcome)
    return [Output.of("table", outcome)]


def show(sheets: Sequence[Sheet], console: Console) -> None:
    """Tables for a terminal, each with its notes and lines."""
    from asdcli.cli.tables import Grid, GridColumn

    for sheet in sheets:
        columns = [
            *(GridColumn(key, rank=0) for key in sheet.keys),
            *(GridColumn(c, number=True) for c in sheet.columns),
        ]
        grid = Grid(sheet.title, columns, keys=len(sheet.keys))
        for row in sheet.rows:
            grid.add(*_cells(row, len(columns)))
        grid.show(console)
        for note in sheet.notes:
            console.print(note)
        for line in sheet.signatures:
            console.print(line)
        console.print()


def _print(text: str, sheets: Sequence[Sheet]) -> None:
    from asdcli.cli.console import stdout

    if text:
        print(text, end="")
    else:
        show(sheets, stdout())


def _cells(row: SheetRow, n: int) -> list[Any]:
    from rich.text import Text

    keys = [Text(key, style="" if row.cells else "italic") for key in row.keys]
    cells = [_text(cell) for cell in row.cells]
    return [*keys, *cells, *[""] * (n - len(keys) - len(cells))]


def _text(cell: Shown) -> Text:
    from rich.text import Text

    from asdcli.views.sheets import BEST, TIED

    marks = "".join([BEST if cell.best else "", TIED if cell.tied else ""])
    return Text(f"{cell.text} {marks}" if marks else cell.text, style="bold" if cell.best else "")
