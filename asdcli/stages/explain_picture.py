"""The picture of `asd explain`."""

from __future__ import annotations

from pathlib import Path

from asdcli.artifacts import own
from asdcli.detector.explained import Explained, occluded
from asdcli.outcome import Outcome
from asdcli.plots import Format, drawing
from asdcli.plots.explanation import ExplanationPlot
from asdcli.progress import SILENT, Progress
from asdcli.views.compared import Layer
from asdcli.views.standing import of_score
from asdcli.writing.locks import alone_with


@alone_with(lambda given: [given["output"]])
def picture(
    explained: Explained, output: Path, format: Format, *, force: bool = False, progress: Progress = SILENT
) -> Outcome:
    """Draw one explanation into `output`; the same explanation gives the same bytes with the same matplotlib.

    Raises:
        AsdError: matplotlib is not installed. BadData: the file is not asd's to overwrite.
    """
    may_draw(output, force=force)
    plot = plot_of(explained)
    with own.written(output, force=force) as temporary:
        drawing.save(plot, plot.numbers(), temporary, format, progress=progress)
    return Outcome(output)


def may_draw(output: Path, *, force: bool) -> None:
    """Raises, before the work, what `picture` would raise after it."""
    drawing.require()
    own.check(output, force=force)


def plot_of(explained: Explained) -> ExplanationPlot:
    """The figure of an explanation."""
    layers: dict[str, Layer] = {}
    if explained.occlusion:
        layers["occlusion"] = occluded(explained.occlusion, explained.compared)
    if explained.missed:
        layers["missed"] = explained.missed
    score = "; ".join(of_score(explained.standing))
    caption = [*(f"{sentence}." for sentence in (*explained.words, score)), *(f"{note}." for note in explained.notes)]
    return ExplanationPlot(explained.standing.clip_id, explained.compared, layers, caption, explained.signature)
