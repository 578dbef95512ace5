"""`asd smooth`: anomaly scores averaged over neighbours in an embedding space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli.options import (
    DatasetOption,
    ForceOption,
    JsonOption,
    MachineTypeOption,
    OutputOption,
    QuietOption,
    RunOption,
    SeedOption,
)
from asdcli.cli.talk import Talk
from asdcli.errors import UsageError

if TYPE_CHECKING:
    from asdcli.pipeline.workspace import Workspace
    from asdcli.scorers.smoothing import Smooth
    from asdcli.views.samples import Samples

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
    typer.Option(
        "-m", "--method", metavar="SPELLING", help="Which of several methods' scores to smooth.", show_default=False
    ),
]
LevelOption = Annotated[
    str | None,
    typer.Option(
        "--level",
        metavar="window|clip",
        help="Smooth windows and average them, or whole clips. Default: window where both sides have windows.",
        show_default=False,
    ),
]
PoolOption = Annotated[
    str, typer.Option("--pool", metavar="section|machine-type", help="Where neighbours are looked for.")
]
DistanceOption = Annotated[str, typer.Option("--metric", metavar="euclidean|cosine", help="Distance of embeddings.")]
OutsideOption = Annotated[
    str,
    typer.Option(
        "--outside",
        metavar="smooth|keep",
        help="Clips that are nobody's neighbour (target clips with --data source): smooth them too, or keep "
        "their scores.",
    ),
]
OwnWindowsOption = Annotated[
    str,
    typer.Option("--own-windows", metavar="in|out", help="Whether a clip's windows may be neighbours of one another."),
]
PoolDataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="source|all",
        help="Domain of the clips that may be neighbours. Default: all. "
        "(The data root is ASD_DATA or --data-root here.)",
        show_default=False,
    ),
]
DataRootOption = Annotated[
    Path | None, typer.Option("--data-root", envvar="ASD_DATA", metavar="DIR", help="Data root.", show_default=False)
]
ObjectiveOption = Annotated[
    str,
    typer.Option(
        "--objective",
        metavar="RULE",
        help="What is maximised: auc-pauc (domains together, as in the paper) or dcase2020, dcase2021, dcase2022.",
    ),
]


def smooth(
    k: Annotated[
        list[int] | None,
        typer.Option("-k", min=1, help="Samples averaged, the clip's own included (repeatable). Default: 128."),
    ] = None,
    data: PoolDataOption = None,
    level: LevelOption = None,
    pool: PoolOption = "section",
    metric: DistanceOption = "euclidean",
    outside: OutsideOption = "smooth",
    own_windows: OwnWindowsOption = "in",
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
    objective: ObjectiveOption = "auc-pauc",
    seed: SeedOption = 0,
    machine_type: MachineTypeOption = None,
    output: OutputOption = None,
    run: RunOption = None,
    data_root: DataRootOption = None,
    dataset: DatasetOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Average every test clip's anomaly score with those of its nearest neighbours among the test clips.

    Smooths any run's scores in any run's embedding space (discriminative neighbourhood smoothing); the clips are joined
    by name. It looks at other test clips, never at their labels. -k 1 gives the scores back.
    """
    from asdcli.pipeline import workspace
    from asdcli.stages import smooth as stage
    from asdcli.views.samples import read_samples

    ks = list(dict.fromkeys(k or ()))
    if (append or output) and len(ks) > 1 and fraction is None:
        raise UsageError(f"there are {len(ks)} values of -k", "--append and -o take one")
    if append and fraction is not None:
        raise UsageError("--append and --fraction exclude each other")
    how = method_of(ks[0] if ks else None, data, level, pool, metric, outside, own_windows)
    space = workspace.resolve(data=data_root, run=run, dataset=dataset)
    talk = Talk(as_json, quiet)
    progress = talk.progress
    samples = read_samples(
        scores or space.run,
        embeddings or space.embeddings,
        method=method,
        level=None if level is None else how.level,
        machine_types=machine_type,
        progress=progress,
    )
    if fraction is not None:
        return _fraction(
            samples,
            space,
            fraction,
            repeats=repeats,
            how=how,
            ks=ks,
            data=data,
            sections=sections,
            objective=objective,
            seed=seed,
            output=output,
            force=force,
            talk=talk,
        )
    space.remember()
    if append:
        spelling = stage.spelled(samples, how)
        place = space.run / "pools" / space.scores(spelling).name
        outcome = stage.append(
            samples, place, output or space.scores(spelling), smooth=how, force=force, progress=progress
        )
        return talk.report(outcome)
    outcomes = stage.run(
        samples,
        lambda spelling: output or space.scores(spelling),
        smooth=how,
        ks=ks or [how.k],
        force=force,
        progress=progress,
    )
    if as_json:
        rows = [{"method": m, "path": str(o.path), "status": o.status, **o.facts} for m, o in outcomes.items()]
        talk.emit({"scores": rows})
    else:
        for outcome in outcomes.values():
            talk.say(outcome)
    return 0


def method_of(
    k: int | None, data: str | None, level: str | None, pool: str, metric: str, outside: str, own_windows: str
) -> Smooth:
    """The smoothing that the options ask for. Raises UsageError ("did you mean") for a word that is none."""
    from asdcli.scorers.smoothing import SMOOTHERS

    built: Smooth = SMOOTHERS.build(
        "smooth", k=k, data=data, level=level, pool=pool, metric=metric, outside=outside, own_windows=own_windows
    )
    return built


def _fraction(
    samples: Samples,
    space: Workspace,
    fraction: str,
    *,
    how: Smooth,
    ks: list[int],
    data: str | None,
    sections: str | None,
    objective: str,
    output: Path | None,
    talk: Talk,
    **rest: Any,
) -> int:
    from asdcli.cli.console import stdout
    from asdcli.stages import fraction as stage
    from asdcli.stages.tune import KS

    outcome = stage.run(
        samples,
        output or space.run / "fractions.parquet",
        truth=space.clips,
        shares=stage.fractions(fraction),
        smooth=how,
        ks=ks or KS,
        data=how.data if data else None,
        sections=sections.split(",") if sections else None,
        metric=objective,
        progress=talk.progress,
        **rest,
    )
    if talk.json:
        talk.emit({"path": str(outcome.path), "status": outcome.status, **outcome.facts})
        return 0
    from rich.table import Table

    rows = outcome.facts["rows"]
    machine_types = sorted({row["machine_type"] for row in rows}, key=lambda m: (m == stage.ALL, m))
    title = "percent, mean ± standard deviation, every subset with its best k and data"
    table = Table("observed", "method", title=title, title_justify="left", box=None)
    for machine_type in machine_types:
        table.add_column(machine_type, justify="right")
    for share, method in dict.fromkeys((row["fraction"], row["method"]) for row in rows):
        of = {r["machine_type"]: r for r in rows if (r["fraction"], r["method"]) == (share, method)}
        cells = (f"{100 * of[m]['mean']:.2f} ± {100 * of[m]['std']:.2f}" for m in machine_types)
        table.add_row(f"{share:.0%}", method, *cells)
    stdout().print(table)
    talk.say(type(outcome)(outcome.path, outcome.status))
    return 0
