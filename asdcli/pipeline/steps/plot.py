"""plot: a figure of a run, or of many, into its `plots/` or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asdcli import artifacts
from asdcli.errors import BadData, UsageError
from asdcli.outcome import Outcome
from asdcli.pipeline import many_runs
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import changes, warn_of_stale
from asdcli.pipeline.workspace import DATA_ROOT, RUNS_ROOT, Workspace, needed
from asdcli.plots import PLOTS, Format, Material, Plot, Source, format_of
from asdcli.progress import SILENT, Progress
from asdcli.stages import plot
from asdcli.stages.table import require_some
from asdcli.views.editions import is_stand_in
from asdcli.wording import counted


@answered
def run(
    space: Workspace | None,
    figure: str,
    *,
    runs: Sequence[Path] = (),
    data: Path | None = None,
    dataset: str | None = None,
    method: Sequence[str] | None = None,
    format: Format | None = None,
    numbers: Path | None = None,
    plain_cells: bool = False,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
    **parameters: Any,
) -> Outcome[plot.FigureFacts]:
    """Draw a figure of the run: `plots/<figure>.svg`.

    Args:
        space: the run; None of a figure of many.
        figure: a spelling, such as `p-values:p=group`.
        runs: of a figure of many runs: their folders, or folders above them; none means `runs`.
        data: of such a figure: the data root; None means `data`.
        dataset: of such a figure: the only one that is wanted.
        method: the only methods that are wanted, of a figure of scores; None means those that the figure takes.
        format: None is that of the suffix of `output`, else the default.
        numbers: the numbers behind the figure go there too (.parquet, otherwise CSV).
        plain_cells: write texts that begin like formulas into a CSV as they are.
        output: file instead of the run's.
        force: overwrite files that asd did not write, or that were changed since.
        progress: is told of what is left out, and of what looks wrong.
        parameters: of the figure; they win over its spelling, and those that are None are not given.

    Raises:
        MissingArtifact, BadData: of many runs, there is none, or none that was evaluated.
        UsageError: an unknown figure, parameter, method or format, methods of a figure that shows none, or one file for
            both figure and numbers.
    """
    drawn: Plot = PLOTS.build(figure, **parameters)
    of_many = "runs" in drawn.reads
    if runs and not of_many:
        raise UsageError(f"{PLOTS.spell(drawn)} is of one run", "name it with --run")
    if method and not of_many and "scores" not in drawn.reads:
        raise UsageError(f"{PLOTS.spell(drawn)} shows no scores of methods", "leave --method out")
    kind = format_of(output, format)
    output = output or (_place(runs) if of_many else needed(space)).plot(PLOTS.spell(drawn), kind)
    if numbers and numbers.absolute() == output.absolute():
        raise UsageError(f"figure and numbers cannot both go to {output}", "name another file for the numbers")
    if of_many:
        material = _of_runs(runs, data, dataset, method or (), progress)
    else:
        material = _of_run(needed(space), drawn.reads, method or (), progress)
    return plot.run(
        drawn,
        material,
        output,
        format=kind,
        numbers=numbers,
        plain_cells=plain_cells,
        force=force,
        progress=progress,
    )


def is_of_many(figure: str, **parameters: Any) -> bool:
    """Whether a figure is of many runs. Raises UsageError: an unknown figure or parameter."""
    return "runs" in PLOTS.build(figure, **parameters).reads


def _place(runs: Sequence[Path]) -> Workspace:
    """Where a figure of many runs goes: beside them, where they lie below one folder."""
    return Workspace(DATA_ROOT, runs[0] if len(runs) == 1 else RUNS_ROOT, "")


def _of_runs(
    runs: Sequence[Path], data: Path | None, dataset: str | None, methods: Sequence[str], progress: Progress
) -> Material:
    found = many_runs.results(many_runs.below(runs), data)
    for one in found.unready:
        progress.left_out(str(one))
    taken = [run for run in found.runs if dataset is None or run.dataset == dataset]
    if found.runs and not taken:
        raise BadData(f"none of {counted(len(found.runs), 'run')} is of dataset {dataset}", "leave --dataset out")
    require_some(taken, found.unready)
    return Material({}, methods, runs=taken, stand_in=any(is_stand_in(run.header) for run in taken))


def _of_run(space: Workspace, reads: Sequence[Source], methods: Sequence[str], progress: Progress) -> Material:
    files = _files(space, reads)
    stale = warn_of_stale(space, files.values(), progress)
    rendered = space.clips.exists() and is_stand_in(artifacts.read_header(space.clips, artifacts.CLIPS))
    return Material(files, methods, changes(stale), stand_in=rendered)


_SPARED: tuple[Source, ...] = ("clips", "thresholds", "model", "autoencoder")
"""Without one of these a figure may be drawn all the same; without anything else that it reads it cannot be."""


def _files(space: Workspace, reads: Sequence[Source]) -> dict[Source, Path]:
    """What the run has of the sources; some only where there are any."""
    places: dict[Source, Path] = {
        "clips": space.clips,
        "embeddings": space.embeddings,
        "scores": space.scores_dir,
        "thresholds": space.thresholds,
        "model": space.model,
        "autoencoder": space.autoencoder,
        "tuning": space.tuning,
        "fractions": space.fractions,
        "history": space.history,
    }
    return {name: places[name] for name in reads if name not in _SPARED or places[name].exists()}
