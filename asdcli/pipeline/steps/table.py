"""table: what many runs measured, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asdcli.errors import UsageError
from asdcli.pipeline import many_runs
from asdcli.progress import SILENT, Progress
from asdcli.spec.values import convert
from asdcli.stages import table
from asdcli.stages.table import HowCompared, Tables
from asdcli.views.across_runs import Unready
from asdcli.views.sheets import SUFFIXES, SheetFormat, TableColumns, TableName

write = table.write


def run(
    name: str,
    runs: Sequence[Path] = (),
    *,
    data: Path | None = None,
    datasets: Sequence[str] = (),
    published: bool = False,
    how: HowCompared | None = None,
    progress: Progress = SILENT,
) -> Tables:
    """Make a table of what lies in runs.

    Args:
        name: one of `TableName`.
        runs: run folders, or folders above them; none means `runs`.
        data: the data root; None means `data`.
        datasets: the only ones that are wanted.
        published: put what the paper printed beside each cell.
        how: of a comparison: methods, baseline, columns, bootstrap; None means the defaults.
        progress: is told of runs that are left out.

    Raises:
        UsageError: there is no table of that name, or no run has a method that is asked for.
        MissingArtifact, BadData: there are no runs, or none has anything for the table.
    """
    convert(name, TableName, what="table")
    folders = many_runs.below(runs)
    if name == "compare":
        scored = many_runs.scores(folders, data, datasets)
        _tell(scored.unready, progress)
        return table.compare(scored.runs, scored.unready, how or HowCompared(), progress=progress)
    if name == "dns":
        tuned = many_runs.tunings(folders, data)
        _tell(tuned.unready, progress)
        return table.dns(tuned.runs, tuned.unready, datasets=datasets, published=published)
    found = many_runs.results(folders, data)
    _tell(found.unready, progress)
    return table.varmin(found.runs, found.unready, datasets=datasets, published=published)


def how(name: str, *, published: bool = False, **asked: Any) -> HowCompared | None:
    """What is asked of a comparison.

    Args:
        name: of the table.
        published: whether what is published was asked for.
        asked: fields of `HowCompared`; None means its default.

    Raises:
        UsageError: something is asked for that the table has not.
    """
    given = {field: value for field, value in asked.items() if value is not None}
    if name != "compare":
        usual = HowCompared()
        given = {field: value for field, value in given.items() if value != getattr(usual, field)}
        if given:
            raise UsageError(f"{_OPTIONS[next(iter(given))]} is of asd table compare, not of {name}", "leave it out")
        return None
    if published:
        raise UsageError("nothing is published of what compare shows", "leave --published out")
    if "by" in given:
        given["by"] = convert(given["by"], TableColumns, what="kind of column")
    return HowCompared(**given)


_OPTIONS = {
    "methods": "--method",
    "baseline": "--baseline",
    "by": "--by",
    "n_resamples": "--bootstrap",
    "seed": "--seed",
}


def _tell(unready: Sequence[Unready], progress: Progress) -> None:
    for one in unready:
        progress.left_out(str(one))


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
