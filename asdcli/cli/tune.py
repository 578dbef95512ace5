"""`asd tune`: parameters chosen on some sections, reported on others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli.options import MachineTypeOption, SeedOption
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.smooth import (
    DistanceOption,
    EmbeddingsOption,
    LevelOption,
    MethodOption,
    NeighboursOption,
    ObjectiveOption,
    OutsideOption,
    OwnWindowsOption,
    PoolOption,
    ScoresOption,
)
from asdcli.cli.talk import Talk
from asdcli.errors import UsageError
from asdcli.metrics.specs import AUC_PAUC
from asdcli.scorers.smooth import CHOOSE, CLUSTERS, KS, REPORT, Smooth

if TYPE_CHECKING:
    from asdcli.views.tuning import TuningFacts


def _series(values: Sequence[int]) -> str:
    """`1, 2, 4, … 32`."""
    return f"{', '.join(map(str, values[:3]))}, … {values[-1]}"


@on_a_run(force=True)
def tune(
    scores: ScoresOption = None,
    embeddings: EmbeddingsOption = None,
    method: MethodOption = None,
    ks: Annotated[
        list[str] | None,
        typer.Option("-k", metavar="N[,N]", help=f"K to try (repeatable). Default: {_series(KS)}.", show_default=False),
    ] = None,
    neighbours: NeighboursOption = None,
    clusters: Annotated[
        str | None,
        typer.Option(
            "--clusters",
            metavar="N,N|none",
            help=f"Clusters of the Gaussian mixtures to try. Default: {_series(CLUSTERS)}.",
            show_default=False,
        ),
    ] = None,
    choose: Annotated[str, typer.Option("--choose", metavar="NN,NN", help="Sections that choose.")] = ",".join(CHOOSE),
    report_on: Annotated[str, typer.Option("--report", metavar="NN,NN", help="Sections reported.")] = ",".join(REPORT),
    objective: ObjectiveOption = AUC_PAUC,
    level: LevelOption = None,
    pool: PoolOption = Smooth.pool,
    distance: DistanceOption = Smooth.metric,
    outside: OutsideOption = Smooth.outside,
    own_windows: OwnWindowsOption = Smooth.own_windows,
    seed: SeedOption = 0,
    machine_type: MachineTypeOption = None,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Choose K and data of the smoothing, and clusters and data of the Gaussian mixture, for each machine type.

    The labels of the --choose sections choose; the --report sections are only reported, beside the oracle that chose on
    them. Writes tuning.parquet (the whole grid) and the chosen scores as two methods for asd evaluate.
    """
    from asdcli.pipeline.steps import tune as step
    from asdcli.pipeline.steps.smooth import asked

    source, smoothing = asked(
        scores,
        embeddings,
        method,
        machine_type,
        data=neighbours,
        level=level,
        pool=pool,
        metric=distance,
        outside=outside,
        own_windows=own_windows,
    )
    outcome = step.run(
        place.space(),
        source,
        smoothing=smoothing,
        neighbours=smoothing.data if neighbours else None,
        ks=_numbers("-k", ks, KS),
        clusters=() if clusters == "none" else _numbers("--clusters", [clusters] if clusters else None, CLUSTERS),
        choose=choose.split(","),
        report=report_on.split(","),
        objective=objective,
        seed=seed,
        output=place.output,
        force=force,
        progress=talk.progress,
    )
    if talk.shows_tables:
        _show(outcome.facts)
    return talk.report("tuning", outcome)


def _numbers(option: str, given: list[str] | None, default: tuple[int, ...]) -> tuple[int, ...]:
    """The whole numbers of a repeatable option whose values may be lists with commas."""
    if not given:
        return default
    numbers: set[int] = set()
    for text in given:
        try:
            numbers |= {int(part) for part in text.split(",")}
        except ValueError:
            numbers.add(0)
        if min(numbers) < 1:
            raise UsageError(f"cannot read {option} {text!r}", "write whole numbers from 1, as 1,2,4")
    return tuple(sorted(numbers))


def _show(facts: TuningFacts) -> None:
    """The choices (the paper's Table I) and what they are worth (its Table II)."""
    from asdcli.cli.console import stdout
    from asdcli.cli.tables import Grid, GridColumn, number

    choices, oracle = facts.choices, facts.oracle
    columns = [(choices, f, f) for f in choices] + [(oracle, f, f"{f}\n(oracle)") for f in choices if "+" in f]
    grid = Grid("chosen parameters", ["machine type", *(heading for _, _, heading in columns)], box=None)
    for machine_type in next(iter(choices.values())):
        grid.add(machine_type, *(of[family][machine_type] for of, family, _ in columns))
    grid.show()
    headings, rows = facts.table.columns, facts.table.rows
    if not rows:
        return
    rank = {"method": 0, "all": 0}
    grid = Grid(
        "reported sections, in percent",
        [GridColumn(heading, number=heading != "method", rank=rank.get(heading, 1)) for heading in headings],
        box=None,
    )
    for method, *values in rows:
        grid.add(method, *(number(None if v is None else 100 * v, digits=2) for v in values))
    stdout().print()
    grid.show()
