"""`asd fuse`: the scores of several methods and runs as those of one method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli.options import MachineTypeOption, method_option, one_of
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.scorers.fuse import DEV, By, Fuse

if TYPE_CHECKING:
    from collections.abc import Mapping


@on_a_run(force=True)
def fuse(
    parts: Annotated[
        list[str],
        typer.Argument(
            metavar="PARTS", help="Methods of the run, score tables, runs, folders above runs, or RUN:METHOD."
        ),
    ],
    by: Annotated[
        str,
        typer.Option("--by", metavar=one_of(By), help="Mean of z-scores, of ranks or of scores; smallest z-score."),
    ] = Fuse().by,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="W,W",
            help="One a part, in order; only their ratios count. Default: all alike.",
            show_default=False,
        ),
    ] = None,
    tune: Annotated[
        str | None,
        typer.Option(
            "--tune",
            metavar=DEV,
            help="Choose the weights by the official score of the development set.",
            show_default=False,
        ),
    ] = None,
    transductive: Annotated[
        bool,
        typer.Option("--transductive", help="Normalise by the test clips, all together, instead of normal ones."),
    ] = False,
    method: Annotated[
        list[str] | None,
        method_option(help="Of runs that are named without one: this method (repeatable). Default: the only one."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="Stands in the spelling of the fused method for the parts. Default: their spellings.",
            show_default=False,
        ),
    ] = None,
    machine_type: MachineTypeOption = None,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Make one anomaly score of several: of methods, of seeds, of checkpoints, of models.

    Every part is held against its own scores of normal training clips, held-out ones where there are some, and of one
    machine type at a time; so a score does not depend on which other clips are tested. Parts must be of the same clips.
    The fused method is spelled nn+mse+fuse:by=z and goes on like any other: asd evaluate, threshold, submit. Parts of
    several runs go to runs/<dataset>-fused, unless a run is named.
    """
    from asdcli.pipeline.steps import fuse as step

    outcomes = step.run(
        place.space_if_any(),
        parts,
        fuse=step.asked(by, weights, tune, transductive=transductive),
        methods=method or (),
        name=name,
        machine_types=machine_type or (),
        output=place.output,
        force=force,
        progress=talk.progress,
    )
    if talk.shows_tables:
        for outcome in outcomes.values():
            _show(outcome.plain().get("weights") if tune else None)
    return talk.report_methods("scores", outcomes)


def _show(weights: Mapping[str, float] | None) -> None:
    """The weights that were chosen, a row a part."""
    from asdcli.cli.tables import Grid, GridColumn

    if not weights:
        return
    grid = Grid("weights", ["part", GridColumn("weight", number=True)], keys=1, box=None)
    for part, weight in weights.items():
        grid.add(part, f"{weight:.2f}")
    grid.show()
