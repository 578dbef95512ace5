"""`asd sweep`: the many runs of a plan, and how far they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli import completion
from asdcli.cli.options import DeviceOption, RetryOption, WorksAtOption, one_of
from asdcli.cli.shared import Place, on_the_data
from asdcli.cli.talk import Output, Talk
from asdcli.errors import BadData, UsageError
from asdcli.sweep import STARTS
from asdcli.sweep.engines import DEFAULT, ENGINES

if TYPE_CHECKING:
    from asdcli.sweep.cells import Cell
    from asdcli.sweep.status import SweepStatus
    from asdcli.sweep.work import Site, Work


@on_the_data(force=True)
def sweep(
    plan: Annotated[
        str | None,
        typer.Argument(
            metavar="PLAN",
            help="A file of TOML, or the name of a plan that comes with asd.",
            show_default=False,
            autocompletion=completion.plans,
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            "--init",
            metavar=one_of(tuple(STARTS), "FILE"),
            help="Write a commented plan to change: that of a paper's tables, or one of your own into FILE.",
            show_default=False,
        ),
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Show how far it is, and do nothing.")] = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="With --status: look again and again, until every run is done or failed (exit code 3)."
        ),
    ] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.1, metavar="SECONDS", help="Of --watch: between two looks.")
    ] = 5.0,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="CELL",
            help="Only this part of the plan (repeatable): DATASET, DATASET/LABEL or DATASET/LABEL/seed-N.",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option("--runs", metavar="DIR", help="Folder of the runs. Default: runs/<plan>.", show_default=False),
    ] = None,
    engine: WorksAtOption = DEFAULT,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            metavar="N",
            help="Runs at once; the threads of the machine are divided among them. Default: the engine's own.",
            show_default=False,
        ),
    ] = None,
    retry: RetryOption = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the scripts that the engine would submit, and do nothing.")
    ] = False,
    device: DeviceOption = "auto",
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Do all runs of a plan: datasets x models x seeds, each an ordinary run folder, scored by all methods of the plan.

    Nothing is computed twice: features once for all runs of a dataset, a training once for all methods. What is done
    is left alone, so the same command goes on where it stopped, and a run that was killed goes on with its last epoch.
    A run that fails is named, with its error in its sweep.json, and does not stop the others; the exit code is then 3.
    Two sweeps may work on one plan: each takes what the other is not at.
    """
    if init is not None:
        return _init(init, plan, talk, force=force)
    if plan is None:
        raise UsageError("which plan?", "name a file, or write one: asd sweep --init plan.toml")
    from asdcli.sweep import plan as plans
    from asdcli.sweep import status as looking
    from asdcli.sweep import sweep as sweeping
    from asdcli.sweep.work import Site

    file = plans.find(plan)
    cells = sweeping.chosen(plans.read(file), only or ())
    where = runs or sweeping.RUNS / file.stem
    site = Site(file.stem, str(place.root), str(where), os.getcwd(), device, force)  # noqa: PTH109 - as it was typed
    if watch and not status:
        raise UsageError("--watch looks at a sweep that somebody else does", "with --status: --status --watch")
    if watch:
        return _watch(cells, site, talk, every)
    if status:
        return _tell_status(looking.look(cells, site), site, talk)
    where_done = ENGINES.build(engine, workers=workers)
    if dry_run:
        return _show_scripts(where_done, sweeping.to_do(cells, site), site, talk)
    swept = sweeping.run(cells, site, where_done, retry=retry, progress=talk.progress)
    return _tell(swept, site, talk)


def _init(what: str, plan: str | None, talk: Talk, *, force: bool) -> int:
    from asdcli import artifacts
    from asdcli.sweep import plan as plans

    if plan is not None:
        raise UsageError(f"--init writes a plan, and {plan} is one to work on", "leave one of the two out")
    file, text = plans.start(what)
    if file.exists() and not force:
        raise BadData(f"{file} is there already", "name another file, or overwrite it with --force")
    with artifacts.atomic(file) as temporary:
        temporary.write_text(text, encoding="utf-8")
    talk.progress.note(f"wrote {file}; then: asd sweep {file}")
    return talk.answer([Output(file, "plan")])


def _show_scripts(engine: Any, phases: Sequence[Sequence[Work]], site: Site, talk: Talk) -> int:
    if not hasattr(engine, "scripts"):
        raise UsageError(f"engine {ENGINES.name_of(engine)} submits no scripts", "leave --dry-run out, or see --status")
    scripts = engine.scripts(phases, site)
    if talk.shows_tables:
        from asdcli.cli.console import stdout

        for script in scripts:
            stdout().print(script)
    return talk.answer((), {"scripts": scripts})


def _tell(swept: Any, site: Site, talk: Talk) -> int:
    left, current = swept.of("failed", "busy"), swept.of("current")
    done = len(swept.reports) - len(left)
    told = [f"{done} of {len(swept.reports)} done"] + ([f"{len(current)} of them before"] if current else [])
    talk.progress.note(f"{site.runs}: {', '.join(told)}")
    outputs = [
        Output(cell.space(site).run, "run", "current" if report.state == "current" else "done")
        for cell, report in zip(swept.cells, swept.reports, strict=True)
        if report not in left
    ]
    return talk.answer(outputs, {"cells": [asdict(report) for report in swept.reports]}, skipped=len(left))


def _tell_status(found: SweepStatus, site: Site, talk: Talk, *, skipped: int = 0) -> int:
    from asdcli.cli.console import stdout
    from asdcli.cli.watching import grid_of, summary
    from asdcli.sweep.status import STATES

    if talk.shows_tables:
        grid_of(found, str(site.runs)).show()
        stdout().print(f"\n{summary(found)}")
    facts = {**{state: found.count(state) for state in STATES}, "left_s": found.left_s}
    return talk.answer((), {**facts, "cells": [asdict(cell) for cell in found.cells]}, skipped=skipped)


def _watch(cells: Sequence[Cell], site: Site, talk: Talk, every_s: float) -> int:
    from asdcli.cli.watching import watch
    from asdcli.sweep import status as looking

    found = watch(lambda: looking.look(cells, site), str(site.runs), talk, every_s=every_s)
    return _tell_status(found, site, talk, skipped=found.count("failed"))
