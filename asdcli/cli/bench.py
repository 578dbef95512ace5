"""`asd bench`: the official score of an encoder on every edition, in one line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli import completion
from asdcli.cli.options import DeviceOption, SeedOption, WorksAtOption, format_option, method_option
from asdcli.cli.shared import Place, on_many_runs
from asdcli.cli.table import put
from asdcli.cli.talk import Output, Talk
from asdcli.embedders import TRAINED
from asdcli.scorers import FOR_ENCODERS
from asdcli.sweep.engines import DEFAULT, ENGINES
from asdcli.views.sheets import SheetFormat

if TYPE_CHECKING:
    from asdcli.sweep.bench import Bench, Benched


@on_many_runs
def bench(
    encoders: Annotated[
        list[str],
        typer.Argument(
            metavar="ENCODER...",
            help="Embedders, as asd embed --embedder takes them; or models, as asd train --model takes them: one is "
            f"made for each edition; or {TRAINED}: what the model of each edition's own run embedded.",
            autocompletion=completion.encoders,
        ),
    ],
    editions: Annotated[
        str | None,
        typer.Option(
            "--editions",
            metavar="LIST",
            help="Years, spans of years (FROM-TO), names of editions or of datasets, with commas between them. What "
            "of them is not there is named, and the exit code is then 3. Default: all editions that are there.",
            show_default=False,
            autocompletion=completion.editions,
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        method_option(help=f"Score by this (repeatable), as asd score -m. Default: {', '.join(FOR_ENCODERS)}."),
    ] = None,
    n_resamples: Annotated[
        int,
        typer.Option("--bootstrap", min=1, metavar="N", help="95 % intervals from N resamples of the test clips."),
    ] = 1000,
    seed: SeedOption = 0,
    runs: Annotated[
        Path | None,
        typer.Option("--runs", metavar="DIR", help="Folder of the runs. Default: runs/bench.", show_default=False),
    ] = None,
    engine: WorksAtOption = DEFAULT,
    device: DeviceOption = "auto",
    format: Annotated[str | None, format_option(SheetFormat)] = None,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Bench an encoder: extract features, embed, score and evaluate it on every edition, as one table.

    A row an encoder and method, a column an edition and subset with its official score and 95 % interval, and means
    over editions. Each edition is a run, DIR/<edition>/<encoder>/seed-<n>, that other commands take with --run. What is
    done is left alone: the same command goes on where it stopped, and makes the table alone where all is done. Below it
    stand the lines that say how its numbers were made.
    """
    from asdcli.pipeline import process
    from asdcli.pipeline.steps import table as step
    from asdcli.sweep import bench as benching
    from asdcli.sweep.work import Site

    process.settle(networks=True)
    kind = step.format_of(place.output, format)
    where = runs or benching.RUNS
    site = Site(benching.NAME, str(place.root), str(where), os.getcwd(), device, force, benching.NAME)  # noqa: PTH109
    planned = benching.plan(encoders, editions, site, methods=method or (), seed=seed)
    where_done = ENGINES.build(engine)
    done = benching.run(planned, site, where_done, n_resamples=n_resamples, seed=seed, progress=talk.progress)
    outputs = [
        Output(cell.space(site).run, "run", "current" if report.state == "current" else "done")
        for cell, report in zip(done.swept.cells, done.swept.reports, strict=True)
        if report.state not in ("failed", "busy")
    ]
    outputs += put(done.tables, kind, place, talk, force=force)
    skipped = planned.skipped + len(done.swept.of("failed", "busy"))
    return talk.answer(outputs, _facts(planned, done) if talk.json else None, skipped=skipped)


def _facts(planned: Bench, done: Benched) -> dict[str, Any]:
    from dataclasses import asdict

    from asdcli.views.sheets import plain

    return {
        "tables": plain(done.tables.sheets),
        "missing": [asdict(gap) for gap in planned.gaps],
        "cells": [asdict(report) for report in done.swept.reports],
    }
