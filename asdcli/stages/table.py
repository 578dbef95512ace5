"""Many runs -> one table: which tables there are, and the file that one may go to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from asdcli.artifacts import own
from asdcli.errors import BadData
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.stages import table_compare, table_dns, table_varmin
from asdcli.stages.table_compare import HowCompared
from asdcli.views.across_runs import RunResults, RunScores, Unready
from asdcli.views.sheets import Sheet
from asdcli.views.tuning import RunTuning
from asdcli.wording import counted, listed
from asdcli.writing.locks import alone


@dataclass(frozen=True, repr=False)
class Tables:
    """What was asked for: its sheets, and the runs that had nothing to give."""

    name: str
    sheets: tuple[Sheet, ...]
    unready: tuple[Unready, ...] = field(default=())

    def __repr__(self) -> str:
        return "\n".join(line for sheet in self.sheets for line in sheet.signatures)


@dataclass(frozen=True)
class SheetFacts:
    """How many tables went to a file, and of how many cells."""

    tables: int
    cells: int


def varmin(
    runs: Sequence[RunResults], unready: Sequence[Unready], *, datasets: Sequence[str] = (), published: bool = False
) -> Tables:
    """Tables 1 and 2 of the variance-minimisation paper, as `table_varmin.tables` has them.

    Args:
        runs: what was measured.
        unready: runs that have nothing to give; each is named in a note.
        datasets: those that get columns; none means all that there are runs of.
        published: put what is printed beside each cell.

    Raises:
        BadData: no run has results, or none of one of the tables.
    """
    require_some(runs, unready)
    return noted("varmin", table_varmin.tables(runs, datasets=datasets, published=published), unready)


def dns(
    runs: Sequence[RunTuning], unready: Sequence[Unready], *, datasets: Sequence[str] = (), published: bool = False
) -> Tables:
    """Tables I and II of the smoothing paper, as `table_dns.tables` has them.

    Args:
        runs: what was tuned.
        unready: runs that have nothing to give; each is named in a note.
        datasets: the only ones that are wanted; none means all that there are runs of.
        published: put what is printed beside each cell.

    Raises:
        BadData: nothing was tuned in any run, or none is of these datasets.
    """
    if not runs and not unready:
        raise BadData("nothing was smoothed or tuned in any of these runs", "tune one first: asd tune --method mse")
    require_some(runs, unready)
    return noted("dns", table_dns.tables(runs, datasets=datasets, published=published), unready)


def compare(
    runs: Sequence[RunScores], unready: Sequence[Unready], how: HowCompared, *, progress: Progress = SILENT
) -> Tables:
    """Any runs and methods, as `table_compare.sheet` has them.

    Args:
        runs: their scores.
        unready: runs and tables that have nothing to give; each is named in a note.
        how: what is asked for.
        progress: is told how far it is.

    Raises:
        BadData: no run has scores, or these cannot be compared. UsageError: no run has a method that is asked for.
    """
    require_some(runs, unready)
    return noted("compare", [table_compare.sheet(runs, how, progress)], unready)


def require_some(runs: Sequence[object], unready: Sequence[Unready]) -> None:
    """Raises BadData, with the reasons, where no run has anything to give."""
    if not runs and not unready:
        raise BadData("no run is of the datasets that were asked for", "leave --only out, or name other runs")
    if not runs:
        why = listed([f"{one.run}: {one.why}" for one in unready], between="; ")
        mends = [one.mends for one in unready if one.mends]
        raise BadData(
            f"none of {counted(len(unready), 'run')} has anything for a table: {why}",
            f"make it first: {mends[0]}" if mends else None,
        )


def noted(name: str, sheets: Sequence[Sheet], unready: Sequence[Unready]) -> Tables:
    """The tables with a note for each run that had nothing to give."""
    notes = tuple(map(str, unready))
    return Tables(name, tuple(replace(one, notes=(*one.notes, *notes)) for one in sheets), tuple(unready))


def write(
    text: str, tables: Tables, output: Path, *, force: bool = False, progress: Progress = SILENT
) -> Outcome[SheetFacts]:
    """Write tables, as a text in one of their formats, whole or not at all.

    Args:
        text: the tables as they are to be read.
        tables: what they are.
        output: the file.
        force: overwrite a file that asd did not write, or that was changed since.
        progress: is told where another program is at the same file.

    Raises:
        BadData: such a file is there, and no `force`.
    """
    with alone(output, progress), own.written(output, force=force) as temporary:
        temporary.write_bytes(text.encode("utf-8", "replace"))
    return Outcome(output, facts=SheetFacts(len(tables.sheets), sum(len(one.records) for one in tables.sheets)))
