"""`asd score`: embeddings into anomaly scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli.options import DeviceOption, SeedOption
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.errors import UsageError
from asdcli.vocabulary import Unit

if TYPE_CHECKING:
    from asdcli.outcome import Outcome
    from asdcli.views.scores import ScoreFiles


@on_a_run(force=True, verbose=True)
def score(
    method: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--method",
            metavar="SPELLING|all",
            help="nn, kmeans, smote, rescale, varmin, gmm or mahalanobis, with parameters as in "
            "varmin:k=8,val=test-all (repeatable); of an autoencoder mse or selective-mahalanobis. "
            "all: the thirteen of the paper's tables. Default: varmin.",
            show_default=False,
        ),
    ] = None,
    val: Annotated[
        str | None,
        typer.Option(
            "--val",
            metavar="SET",
            help="Validation set of varmin: train-all, train-random, train-cluster or test-all.",
            show_default=False,
        ),
    ] = None,
    k: Annotated[int | None, typer.Option("-k", help="The method's k: its neighbours.", show_default=False)] = None,
    unit: Annotated[
        Unit | None,
        typer.Option(
            "--unit",
            help="Clips that share one reference set and one alpha. Default: a section for gmm and mahalanobis, "
            "else a machine type.",
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
            help="The autoencoder of mse. Default: the run's autoencoder/.",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = "auto",
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Give every clip an anomaly score: larger is more anomalous.

    Test clips are compared with the training clips of their machine type, training clips with all but themselves. Each
    method's scores go to scores/<method>.parquet, and where clips have several windows those of the windows to
    window-scores/<method>.parquet. mse and selective-mahalanobis are an autoencoder's own: they read waveforms, not
    embeddings.
    """
    from asdcli.stages import score as stage
    from asdcli.views.scores import ScoreFiles

    spellings, reconstructed = _spellings(method or [], val=val, k=k)
    n_methods = len(spellings) + len(reconstructed)
    output, dataset = place.output, place.dataset
    if output is not None and n_methods > 1:
        raise UsageError(f"-o names one file, and there are {n_methods} methods", "name one --method, or use --run")
    if output is not None and embeddings is not None and spellings:
        outputs, errors = {spellings[0]: _files(output)}, output.parent / "errors-score.parquet"
    else:
        space = place.space()
        embeddings, errors, dataset = embeddings or space.embeddings, space.errors("score"), space.dataset
        outputs = {
            m: _files(output) if output else ScoreFiles(space.scores(m), space.window_scores(m))
            for m in (*spellings, *reconstructed)
        }
    progress = talk.progress
    outcomes: dict[str, Outcome] = {}
    if reconstructed:
        from asdcli.stages import reconstruct

        outcomes |= reconstruct.run(
            space.clips,
            space.run / "features",
            {m: outputs[m] for m in reconstructed},
            model=model or space.autoencoder,
            device=device,
            force=force,
            progress=progress,
        )
    if spellings:
        outcomes |= stage.run(
            embeddings,
            {m: outputs[m] for m in spellings},
            errors=errors,
            unit=unit,
            seed=seed,
            dataset=dataset or "",
            force=force,
            progress=progress,
        )
    if talk.json:
        talk.emit({"scores": [_plain(spelling, outcome) for spelling, outcome in outcomes.items()]})
    else:
        for outcome in outcomes.values():
            talk.say(outcome)
        if talk.verbose:
            _show({m: o for m, o in outcomes.items() if "units" in o.facts})
    return 3 if any(outcome.skipped for outcome in outcomes.values()) else 0


def _files(output: Path) -> ScoreFiles:
    from asdcli.views.scores import ScoreFiles

    return ScoreFiles(output, output.with_name(f"{output.stem}.windows.parquet"))


def _spellings(asked: list[str], *, val: str | None, k: int | None) -> tuple[list[str], list[str]]:
    """Canonical spellings without repetition, of methods on embeddings and of methods on residuals.

    Raises:
        UsageError: what no method can be.
    """
    from asdcli.scorers import DEFAULT, PAPER, SCORERS
    from asdcli.scorers.reconstruction import RECONSTRUCTION
    from asdcli.spec import parse

    if "all" in asked and (val is not None or k is not None):
        raise UsageError("--val and -k belong to one method, not to all", "leave them out, or name the method")
    wanted = [s for name in asked or [DEFAULT] for s in (PAPER if name == "all" else (name,))]
    found: tuple[dict[str, None], dict[str, None]] = ({}, {})
    for spelling in wanted:
        of_residuals = parse(spelling)[0] in RECONSTRUCTION.entries
        registry = RECONSTRUCTION if of_residuals else SCORERS
        found[of_residuals][registry.spell(registry.build(spelling, val=val, k=k))] = None
    return list(found[0]), list(found[1])


def _plain(spelling: str, outcome: Outcome) -> dict[str, Any]:
    facts = {"path": str(outcome.path), "status": outcome.status, "skipped": outcome.skipped}
    return {"method": spelling, **facts, **outcome.facts}


_COLUMNS = {
    "n_reference": "references",
    "k": "k",
    "n_val": "n_val",
    "alpha": "alpha",
    "variance_before": "variance",
    "variance_after": "adjusted",
    "correlation": "corr.",
    "n_floored": "floored",
    "clusters": "clusters",
    "n_synthetic": "synthetic",
}


def _show(outcomes: Mapping[str, Outcome]) -> None:
    """A table a method: what was found in every unit."""
    from rich.table import Table

    from asdcli.cli.console import stdout

    for spelling, outcome in outcomes.items():
        found: dict[str, dict[str, Any]] = outcome.facts["units"]
        names = [name for name in _COLUMNS if any(name in unit for unit in found.values())]
        table = Table(title=spelling, title_justify="left")
        table.add_column("unit")
        for name in names:
            table.add_column(_COLUMNS[name], justify="right")
        table.add_column("rules")
        for unit, values in found.items():
            table.add_row(unit, *(_cell(values.get(name)) for name in names), ", ".join(values.get("rules", ())))
        stdout().print(table)


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
