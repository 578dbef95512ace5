"""`asd smooth`: anomaly scores averaged over neighbours in an embedding space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from asdcli.cli.options import MachineTypeOption, SeedOption, method_option, one_of
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.errors import UsageError
from asdcli.metrics.specs import AUC_PAUC, SPECS
from asdcli.scorers.smooth import Level, Outside, OwnWindows, Pool, Smooth
from asdcli.vocabulary import Data, Distance

ScoresOption = Annotated[
    Path | None,
    typer.Option(
        "--scores", metavar="RUN|FILE", help="Smooth these scores. Default: the run's own.", show_default=False
    ),
]
EmbeddingsOption = Annotated[
    Path | None,
    typer.Option(
        "--embeddings", metavar="RUN|FILE", help="In this embedding space. Default: the run's own.", show_default=False
    ),
]
MethodOption = Annotated[
    str | None,
    method_option(help="Which of several methods' scores to smooth."),
]
LevelOption = Annotated[
    str | None,
    typer.Option(
        "--level",
        metavar=one_of(Level),
        help=f"Smooth windows and average them, or whole clips. Default: {Smooth.level} where both sides have windows.",
        show_default=False,
    ),
]
PoolOption = Annotated[str, typer.Option("--pool", metavar=one_of(Pool), help="Where neighbours are looked for.")]
DistanceOption = Annotated[str, typer.Option("--distance", metavar=one_of(Distance), help="Distance of embeddings.")]
OutsideOption = Annotated[
    str,
    typer.Option(
        "--outside",
        metavar=one_of(Outside),
        help="Clips that are nobody's neighbour (target clips with --neighbours source): smooth them too, or keep "
        "their scores.",
    ),
]
OwnWindowsOption = Annotated[
    str,
    typer.Option(
        "--own-windows", metavar=one_of(OwnWindows), help="Whether a clip's windows may be neighbours of one another."
    ),
]
NeighboursOption = Annotated[
    str | None,
    typer.Option(
        "--neighbours",
        metavar=one_of(Data),
        help=f"Domain of the clips that may be neighbours (data=… in a spelling). Default: {Smooth().data}; where "
        "parameters are chosen, all are tried.",
        show_default=False,
    ),
]


def objective_option(*more: str) -> Any:
    """`--objective`: an official rule; `more` says what else."""
    rules = f"What is maximised: one of {', '.join(SPECS)} ({AUC_PAUC}: domains together, as in the paper)"
    return typer.Option("--objective", metavar="RULE", help="; ".join([rules, *more]) + ".")


@on_a_run(force=True)
def smooth(
    k: Annotated[
        list[int] | None,
        typer.Option(
            "-k", min=1, help=f"Samples averaged, the clip's own included (repeatable). Default: {Smooth().k}."
        ),
    ] = None,
    neighbours: NeighboursOption = None,
    level: LevelOption = None,
    pool: PoolOption = Smooth.pool,
    distance: DistanceOption = Smooth.metric,
    outside: OutsideOption = Smooth.outside,
    own_windows: OwnWindowsOption = Smooth.own_windows,
    scores: ScoresOption = None,
    embeddings: EmbeddingsOption = None,
    method: MethodOption = None,
    append: Annotated[
        bool, typer.Option("--append", help="Keep a pool of all clips ever smoothed so, and add the new ones to it.")
    ] = False,
    fraction: Annotated[
        str | None,
        typer.Option(
            "--fraction",
            metavar="START:STOP:STEP",
            help="Instead: the metric when only this share of the clips is observed, each with its best k and data.",
            show_default=False,
        ),
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Random subsets of each --fraction.")] = 20,
    sections: Annotated[
        str | None, typer.Option("--sections", metavar="NN,NN", help="Only these for --fraction.", show_default=False)
    ] = None,
    objective: Annotated[str, objective_option()] = AUC_PAUC,
    seed: SeedOption = 0,
    machine_type: MachineTypeOption = None,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Average every test clip's anomaly score with those of its nearest neighbours among the test clips.

    Smooths any run's scores in any run's embedding space (discriminative neighbourhood smoothing); the clips are joined
    by name. It looks at other test clips, never at their labels. -k 1 gives the scores back.
    """
    from asdcli.pipeline.steps import smooth as step

    ks = list(dict.fromkeys(k or ()))
    if append and fraction is not None:
        raise UsageError("--append and --fraction exclude each other")
    if append and len(ks) > 1:
        raise UsageError(f"there are {len(ks)} values of -k", "--append takes one")
    source, how = step.asked(
        scores,
        embeddings,
        method,
        machine_type,
        k=ks[0] if ks else None,
        data=neighbours,
        level=level,
        pool=pool,
        metric=distance,
        outside=outside,
        own_windows=own_windows,
    )
    space = place.space()
    where: dict[str, Any] = {"output": place.output, "force": force, "progress": talk.progress}
    if fraction is not None:
        outcome = step.fraction(
            space,
            source,
            fraction,
            smoothing=how,
            neighbours=how.data if neighbours else None,
            ks=ks,
            repeats=repeats,
            sections=sections.split(",") if sections else None,
            objective=objective,
            seed=seed,
            **where,
        )
        if talk.shows_tables:
            _show(outcome.facts.rows)
        return talk.report("fractions", outcome)
    if append:
        return talk.report_methods("scores", step.append(space, source, smoothing=how, **where))
    return talk.report_methods("scores", step.run(space, source, smoothing=how, ks=ks, **where))


def _show(rows: list[dict]) -> None:
    """A row a share of the clips and method, a column a machine type."""
    from asdcli.cli.tables import Grid, GridColumn
    from asdcli.stages.fraction import ALL

    machine_types = sorted({row["machine_type"] for row in rows}, key=lambda m: (m == ALL, m))
    title = "percent, mean ± standard deviation, every subset with its best k and data"
    figures = (GridColumn(m, number=True, rank=0 if m == ALL else 1) for m in machine_types)
    grid = Grid(title, ["observed", "method", *figures], keys=2, box=None)
    for share, method in dict.fromkeys((row["fraction"], row["method"]) for row in rows):
        of = {r["machine_type"]: r for r in rows if (r["fraction"], r["method"]) == (share, method)}
        cells = (f"{100 * of[m]['mean']:.2f} ± {100 * of[m]['std']:.2f}" if m in of else None for m in machine_types)
        grid.add(f"{share:.0%}", method, *cells)
    grid.show()
