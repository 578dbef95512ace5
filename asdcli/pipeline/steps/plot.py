"""plot: a figure of a run, into its `plots/` or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asdcli import artifacts
from asdcli.errors import UsageError
from asdcli.outcome import Outcome
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import changes, warn_of_stale
from asdcli.pipeline.workspace import Workspace
from asdcli.plots import PLOTS, Format, Material, Plot, Source
from asdcli.progress import SILENT, Progress
from asdcli.spec.values import convert
from asdcli.stages import plot
from asdcli.views.editions import is_stand_in


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
        method: the only methods that are wanted, of a figure of scores; None means those that the figure takes.
        format: None is that of the suffix of `output`, else the default.
        numbers: the numbers behind the figure go there too (.parquet, otherwise CSV).
        plain_cells: write texts that begin like formulas into a CSV as they are.
        output: file instead of the run's.
        force: overwrite files that asd did not write, or that were changed since.
        progress: is told of what is left out, and of what looks wrong.
        parameters: of the figure; they win over its spelling, and those that are None are not given.

    Raises:
        UsageError: an unknown figure, parameter, method or format, methods of a figure that shows none, or one file for
            both figure and numbers.
    """
    drawn: Plot = PLOTS.build(figure, **parameters)
    if method and "scores" not in drawn.reads:
        raise UsageError(f"{PLOTS.spell(drawn)} shows no scores of methods", "leave --method out")
    kind = format_of(output, format)
    output = output or space.plot(PLOTS.spell(drawn), kind)
    if numbers and numbers.absolute() == output.absolute():
        raise UsageError(f"figure and numbers cannot both go to {output}", "name another file for the numbers")
    files = _files(space, drawn.reads)
    stale = warn_of_stale(space, files.values(), progress)
    rendered = space.clips.exists() and is_stand_in(artifacts.read_header(space.clips, artifacts.CLIPS))
    material = Material(files, method or (), changes(stale), stand_in=rendered)
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
    }
    return {name: places[name] for name in reads if name not in _SPARED or places[name].exists()}


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
