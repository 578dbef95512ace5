"""`asd tune`: parameters chosen on some sections, reported on others."""

from __future__ import annotations

from typing import Annotated, Any

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
from asdcli.cli.smooth import (
    DataRootOption,
    DistanceOption,
    EmbeddingsOption,
    LevelOption,
    MethodOption,
    ObjectiveOption,
    OutsideOption,
    OwnWindowsOption,
    PoolDataOption,
    PoolOption,
    ScoresOption,
    method_of,
)
from asdcli.errors import UsageError


def tune(
    scores: ScoresOption = None,
    embeddings: EmbeddingsOption = None,
    method: MethodOption = None,
    ks: Annotated[
        str | None, typer.Option("--k", metavar="N,N", help="K to try. Default: 1, 2, 4, … 2048.", show_default=False)
    ] = None,
    data: PoolDataOption = None,
    clusters: Annotated[
        str | None,
        typer.Option(
            "--clusters",
            metavar="N,N|none",
            help="Clusters of the Gaussian mixtures to try. Default: 1, 2, 4, … 32.",
            show_default=False,
        ),
    ] = None,
    choose: Annotated[str, typer.Option("--choose", metavar="NN,NN", help="Sections that choose.")] = "00,01,02",
    report_on: Annotated[str, typer.Option("--report", metavar="NN,NN", help="Sections reported.")] = "03,04,05",
    objective: ObjectiveOption = "auc-pauc",
    level: LevelOption = None,
    pool: PoolOption = "section",
    metric: DistanceOption = "euclidean",
    outside: OutsideOption = "smooth",
    own_windows: OwnWindowsOption = "in",
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
    """Choose K and data of the smoothing, and clusters and data of the Gaussian mixture, for each machine type.

    The labels of the --choose sections choose; the --report sections are only reported, beside the oracle that chose on
    them. Writes tuning.parquet (the whole grid) and the chosen scores as two methods for asd evaluate.
    """
    from asdcli.cli.talk import Talk
    from asdcli.pipeline import workspace
    from asdcli.stages import tune as stage
    from asdcli.views.samples import read_samples

    how = method_of(None, data, level, pool, metric, outside, own_windows)
    grids = {"ks": _numbers("--k", ks, stage.KS), "clusters": _numbers("--clusters", clusters, stage.CLUSTERS)}
    space = workspace.resolve(data=data_root, run=run, dataset=dataset)
    space.remember()
    talk = Talk(as_json, quiet)
    progress = talk.progress
    where = embeddings or space.embeddings
    samples = read_samples(
        scores or space.run,
        where,
        method=method,
        level=None if level is None else how.level,
        machine_types=machine_type,
        progress=progress,
    )
    outcome = stage.run(
        samples,
        where,
        output or space.run / "tuning.parquet",
        scores_output=space.scores,
        truth=space.clips,
        how=how,
        data=how.data if data else None,
        choose=choose.split(","),
        report=report_on.split(","),
        metric=objective,
        seed=seed,
        force=force,
        progress=progress,
        **grids,
    )
    if as_json:
        talk.emit({"path": str(outcome.path), "status": outcome.status, **outcome.facts})
        return 0
    _show(outcome.facts)
    talk.say(type(outcome)(outcome.path, outcome.status))
    return 0


def _numbers(option: str, text: str | None, default: tuple[int, ...]) -> tuple[int, ...]:
    if text is None:
        return default
    if text == "none" and option == "--clusters":
        return ()
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise UsageError(f"cannot read {option} {text!r}", "write whole numbers from 1, as 1,2,4")
    return tuple(sorted(set(numbers)))


def _show(facts: dict[str, Any]) -> None:
    """The choices (the paper's Table I) and what they are worth (its Table II)."""
    from rich.table import Table

    from asdcli.cli.console import stdout

    choices, oracle = facts["choices"], facts["oracle"]
    table = Table("machine type", title="chosen parameters", title_justify="left", box=None)
    columns = [(choices, f, f) for f in choices] + [(oracle, f, f"{f} (oracle)") for f in choices if "+" in f]
    for _, _, heading in columns:
        table.add_column(heading)
    for machine_type in next(iter(choices.values())):
        table.add_row(machine_type, *(of[family][machine_type] or "–" for of, family, _ in columns))
    stdout().print(table)
    columns, rows = facts["table"]["columns"], facts["table"]["rows"]
    if not rows:
        return
    table = Table(title="reported sections, in percent", title_justify="left", box=None)
    for heading in columns:
        table.add_column(heading, justify="left" if heading == "method" else "right")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    stdout().print()
    stdout().print(table)


def _cell(value: float | str | None) -> str:
    return value if isinstance(value, str) else "–" if value is None else f"{100 * value:.2f}"
