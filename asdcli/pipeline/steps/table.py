"""table: what many runs measured, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdcli.errors import UsageError
from asdcli.pipeline import many_runs
from asdcli.progress import SILENT, Progress
from asdcli.spec.values import convert
from asdcli.stages import table
from asdcli.stages.table import Tables
from asdcli.views.sheets import SUFFIXES, SheetFormat
from asdcli.vocabulary import TableName

write = table.write


def run(
    name: str,
    runs: Sequence[Path] = (),
    *,
    data: Path | None = None,
    datasets: Sequence[str] = (),
    published: bool = False,
    progress: Progress = SILENT,
) -> Tables:
    """Make a table of what lies in runs.

    Args:
        name: one of `TableName`.
        runs: run folders, or folders above them; none means `runs`.
        data: the data root; None means `data`.
        datasets: the only ones that are wanted.
        published: put what the paper printed beside each cell.
        progress: is told of runs that are left out.

    Raises:
        UsageError: there is no table of that name.
        MissingArtifact, BadData: there are no runs, or none has anything for the table.
    """
    convert(name, TableName, what="table")
    found = many_runs.results(many_runs.below(runs), data)
    for one in found.unready:
        progress.left_out(str(one))
    return table.varmin(found.runs, found.unready, datasets=datasets, published=published)


def format_of(output: Path | None, asked: str | None) -> SheetFormat:
    """The format asked for, else that of the suffix, else text.

    Raises:
        UsageError: no such format, or a suffix that says nothing.
    """
    if asked is not None or output is None:
        return convert(asked or "text", SheetFormat, what="format")
    suffix = output.suffix.removeprefix(".").lower()
    if suffix not in SUFFIXES:
        known = ", ".join(f".{s}" for s in SUFFIXES)
        raise UsageError(f"{output} does not say its format", f"call it {known}, or say --format")
    return SUFFIXES[suffix]
