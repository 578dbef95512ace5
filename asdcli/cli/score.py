"""`asd score`: embeddings into anomaly scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from asdcli.cli import completion
from asdcli.cli.options import DeviceOption, SeedOption, one_of
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.errors import UsageError
from asdcli.scorers import DEFAULT, PAPER, SCORERS
from asdcli.vocabulary import HIGHEST, MEAN, OfWindows, Unit, ValidationSet


@on_a_run(force=True, verbose=True)
def score(
    method: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--method",
            autocompletion=completion.methods,
            metavar="SPELLING|all|all+",
            help=f"{', '.join([*SCORERS.entries, *SCORERS.short])}; with parameters as in {DEFAULT} "
            "(repeatable; see asd methods). "
            f"all: the {len(PAPER)} of the paper's tables; all+: also with an alpha of clips that no model has met. "
            f"Default: {DEFAULT}.",
            show_default=False,
        ),
    ] = None,
    val: Annotated[
        str | None,
        typer.Option(
            "--val",
            metavar=one_of(ValidationSet),
            help="The clips on which a method sets its alpha.",
            show_default=False,
        ),
    ] = None,
    k: Annotated[int | None, typer.Option("-k", help="The method's k: its neighbours.", show_default=False)] = None,
    unit: Annotated[
        Unit | None,
        typer.Option(
            "--unit",
            help="Clips that share one reference set and one alpha. Default: the method's own, as asd methods says.",
            show_default=False,
        ),
    ] = None,
    of_windows: Annotated[
        OfWindows | None,
        typer.Option(
            "--of-windows",
            help=f"What a clip has of the scores of its windows. Default: {HIGHEST} where extract-features --window "
            f"cut them, else {MEAN}.",
            show_default=False,
        ),
    ] = None,
    seed: SeedOption = 0,
    embeddings: Annotated[
        Path | None,
        typer.Option("--embeddings", metavar="FILE", help="Score these embeddings instead.", show_default=False),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="DIR",
            help="The autoencoder of methods of residuals. Default: the run's autoencoder/.",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = "auto",
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Bring scores from a CSV, npz or Parquet file instead: clip_id and anomaly_score are enough.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What to call them. Default: as FILE.", show_default=False),
    ] = None,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Give every clip an anomaly score: larger is more anomalous.

    Test clips are compared with the training clips of their machine type, training clips with all but themselves. Each
    method's scores go to scores/<method>.parquet, and where clips have several windows those of the windows to
    window-scores/<method>.parquet; what it has learnt goes to detectors/<method>.npz, to score new clips with. mse and
    selective-mahalanobis are an autoencoder's own: they read waveforms, not embeddings.
    """
    from asdcli.pipeline.steps import score as step

    methods, output = method or [], place.output
    if source is not None:
        if methods or embeddings or model or val or k is not None or unit or of_windows:
            raise UsageError("--from brings scores that are finished: nothing else says how to make them")
        own = place.space(otherwise=source.stem)  # labels of its own need no dataset on disk
        outcomes = step.bring(own, source, name=name, output=output, force=force, progress=talk.progress)
        return talk.report_methods("scores", outcomes)
    if name is not None:
        raise UsageError("--name is what scores brought by --from are called", "give --from FILE too")
    space = place.space() if step.needs_run(methods, embeddings=embeddings, output=output) else place.space_if_named()
    outcomes = step.run(
        space,
        methods,
        val=val,
        k=k,
        unit=unit,
        of_windows=of_windows,
        seed=seed,
        embeddings=embeddings,
        model=model,
        device=device,
        output=output,
        force=force,
        progress=talk.progress,
    )
    if talk.verbose and talk.shows_tables:
        _show({m: o.facts.units for m, o in outcomes.items() if o.facts.units})
    return talk.report_methods("scores", outcomes)


COLUMNS = {
    "n_reference": "references",
    "n_bands": "bands",
    "k": "k",
    "k_mean": "mean k",
    "k_source": "k source",
    "k_target": "k target",
    "n_val": "n_val",
    "alpha": "alpha",
    "leverage_top1": "top 1 %",
    "top1_target": "of target",
    "alpha_without_top1": "without",
    "variance_before": "variance",
    "variance_after": "adjusted",
    "correlation": "corr.",
    "n_floored": "floored",
    "clusters": "clusters",
    "components": "components",
    "mean_source": "mean source",
    "mean_target": "mean target",
    "sigma": "sigma",
    "n_synthetic": "synthetic",
}
"""A figure of a method's diagnostics -> its heading."""


def _show(of_methods: Mapping[str, Mapping[str, dict[str, Any]]]) -> None:
    """A table a method: what was found in every unit."""
    from asdcli.cli.tables import Grid, GridColumn

    for spelling, found in of_methods.items():
        names = [name for name in COLUMNS if any(name in unit for unit in found.values())]
        figures = (GridColumn(COLUMNS[name], number=True) for name in names)
        rules = [GridColumn("rules", rank=2)] if any(unit.get("rules") for unit in found.values()) else []
        grid = Grid(spelling, ["unit", *figures, *rules])
        for unit, values in found.items():
            said = [", ".join(values.get("rules", ()))] if rules else []
            grid.add(unit, *(_cell(values.get(name)) for name in names), *said)
        grid.show()


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
