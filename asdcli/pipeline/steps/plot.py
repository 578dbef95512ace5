"""plot: a figure of a run, into its `plots/` or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asdcli.errors import UsageError
from asdcli.outcome import Outcome
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import changes, warn_of_stale
from asdcli.pipeline.workspace import Workspace
from asdcli.plots import PLOTS, Format, Material, Plot, Source
from asdcli.progress import SILENT, Progress
from asdcli.spec.values import convert
from asdcli.stages import plot


@answered
def run(
    space: Workspace,
    figure: str,
    *,
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
        space: the run.
        figure: a spelling, such as `p-values:p=group`.
        method: the only methods that are wanted; None means those that the figure takes.
        format: None is that of the suffix of `output`, else the default.
        numbers: the numbers behind the figure go there too (.parquet, otherwise CSV).
        plain_cells: write texts that begin like formulas into a CSV as they are.
        output: file instead of the run's.
        force: overwrite files that asd did not write, or that were changed since.
        progress: is told of what is left out, and of what looks wrong.
        parameters: of the figure; they win over its spelling, and those that are None are not given.

    Raises:
        UsageError: an unknown figure, parameter, method or format, or one file for both figure and numbers.
    """
    drawn: Plot = PLOTS.build(figure, **parameters)
    kind = format_of(output, format)
    output = output or space.plot(PLOTS.spell(drawn), kind)
    if numbers and numbers.absolute() == output.absolute():
        raise UsageError(f"figure and numbers cannot both go to {output}", "name another file for the numbers")
    files = _files(space, drawn.reads)
    stale = warn_of_stale(space, files.values(), progress)
    material = Material(files, method or (), changes(stale))
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


def _files(space: Workspace, reads: Sequence[Source]) -> dict[Source, Path]:
    """What the run has of the sources; its folder of scores whether or not there are any."""
    places: dict[Source, Path] = {
        "clips": space.clips,
        "embeddings": space.embeddings,
        "scores": space.scores_dir,
        "thresholds": space.thresholds,
    }
    return {name: places[name] for name in reads if name == "scores" or places[name].exists()}


def format_of(output: Path | None, asked: Format | None) -> Format:
    """The format asked for, which is that of the suffix where both are said.

    Raises:
        UsageError: they are not the same, or no format at all.
    """
    if output is None:
        return convert(asked or "svg", Format, what="format")
    suffix = output.suffix.removeprefix(".").lower()
    if asked is None:
        return convert(suffix, Format, what="format of a figure")
    if suffix and suffix != asked:
        raise UsageError(f"{output} is not called as a {asked}", f"call it {output.with_suffix('.' + asked)}")
    return convert(asked, Format, what="format")
