"""Files of a run -> a figure, and the numbers behind it as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from asdcli.artifacts import own
from asdcli.artifacts.for_people import write_rows
from asdcli.outcome import Outcome
from asdcli.plots import PLOTS, Format, Material, Plot, drawing
from asdcli.progress import SILENT, Progress
from asdcli.views.editions import STAND_IN
from asdcli.writing.locks import alone_with


@dataclass(frozen=True)
class FigureFacts:
    """Which figure was drawn, of how many methods if any, how its numbers were made, and what people read off it."""

    figure: str
    methods: int | None
    signatures: Sequence[str]
    shown: Sequence[Mapping[str, Any]]


@alone_with(lambda given: [path for path in (given["output"], given["numbers"]) if path])
def run(
    plot: Plot,
    material: Material,
    output: Path,
    *,
    format: Format = "svg",
    numbers: Path | None = None,
    plain_cells: bool = False,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome[FigureFacts]:
    """Draw `plot` from `material` into `output`.

    The same material gives the same bytes with the same matplotlib. The lines that say how the numbers were made stand
    below the figure and in the file's metadata.

    Args:
        plot: the figure.
        material: what it is drawn from.
        output: the file.
        format: its format, whatever it is called.
        numbers: the numbers behind the figure go there too (.parquet, otherwise CSV).
        plain_cells: write texts that begin like formulas into a CSV as they are.
        force: overwrite files that asd did not write, or that were changed since.
        progress: is told of what is left out, and of what looks wrong.

    Raises:
        AsdError: matplotlib is not installed.
        BadData: there is nothing to draw, or a file is not asd's to overwrite.
    """
    drawing.require()
    for path in (output, numbers):
        if path:
            own.check(path, force=force)  # before the work
    found = plot.numbers(material, progress)
    if material.stand_in:
        found = replace(found, caption=[*found.caption, f"{STAND_IN[0].upper()}{STAND_IN[1:]}."])
    with own.written(output, force=force) as temporary:
        drawing.save(plot, found, temporary, format, progress=progress)
    if numbers:
        write_rows(found.table, numbers, plain_cells=plain_cells, force=force, progress=progress)
    methods = sum("|method:" in line for line in found.signatures) or None
    return Outcome(output, facts=FigureFacts(PLOTS.spell(plot), methods, found.signatures, found.facts))
