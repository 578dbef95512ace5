"""`asd plot`: a figure of a run or of many, and the numbers behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from asdcli.cli import completion
from asdcli.cli.options import PlainCellsOption, format_option, method_option, one_of
from asdcli.cli.plans import folders_of
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Output, Talk
from asdcli.plots import PLOTS, Format
from asdcli.vocabulary import PValue


@on_a_run(force=True)
def plot(
    figure: Annotated[
        str,
        typer.Argument(
            metavar="FIGURE", help=f"What to draw: {', '.join(PLOTS.entries)}.", autocompletion=completion.plots
        ),
    ],
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUNS",
            help="Of a figure of many runs: these, folders above them, or a plan of asd sweep. Default: runs.",
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        method_option(
            help="Only this method (repeatable), of figures of scores. Default: the first few that can be drawn."
        ),
    ] = None,
    p: Annotated[
        str | None,
        typer.Option(
            "--p",
            metavar=one_of(PValue),
            help="Of p-values: as if every clip were like any other, or as if it were of a new group.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        str | None,
        format_option(Format),
    ] = None,
    numbers: Annotated[
        Path | None,
        typer.Option(
            "--numbers",
            metavar="FILE",
            help="Write the numbers behind the figure too (.csv, .parquet).",
            show_default=False,
        ),
    ] = None,
    plain_cells: PlainCellsOption = False,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Draw a figure of the run into its folder plots/. It needs matplotlib (and maps by UMAP umap-learn), which come
    with the extra plot of asdcli.

    p-values: whether promised false-alarm rates are kept. For each method and machine type, the share of labelled
    normal test clips whose conformal p-value is as small as what is promised, source and target apart, against the
    diagonal: below it there are fewer false alarms than promised, above it more. It says which clips the p-values
    stand on; a method whose model was trained on all normal clips promises nothing and is not drawn.

    distributions: anomaly scores by domain and condition, one method beside the other, with the run's thresholds.

    alpha: the official score against VarMin's weight, and the weights that its validation sets choose.

    roc: ROC curves by section and domain, with the region that pAUC is taken over.

    scale: what VarMin's weight hangs on: distance against local scale, their slope, and each point's leverage.

    map: embeddings on a plane (principal components, t-SNE or UMAP), by domain, split and condition, or by score.

    curves: loss and accuracy of the run's models by epoch.

    fractions, neighbours: what smoothing is worth by the share of clips there are, and by the number of neighbours.

    spectrogram: one clip, as in spectrogram:clip=CLIP_ID.

    seeds: the official scores of many runs, each method's over its seeds as a box and all points, a panel a model.

    drift: p-values of checked recordings over time, and what a bet on a change has won; see asd drift.

    Parameters of a figure are spelled after its name, as in distributions:by=section.

    The line that says how the numbers were made stands below the figure and in the metadata of its file, and the same
    scores give the same bytes.
    """
    from asdcli.pipeline.steps import plot as step

    of_many = step.is_of_many(figure, p=p)
    outcome = step.run(
        None if of_many else place.space(),
        figure,
        runs=folders_of(runs or ([place.run] if of_many and place.run else None), place, talk),
        data=place.data,
        dataset=place.dataset,
        method=method,
        p=p,
        format=cast("Format | None", format),
        numbers=numbers,
        plain_cells=plain_cells,
        output=place.output,
        force=force,
        progress=talk.progress,
    )
    if not talk.json:
        talk.say(outcome)
    outputs = [Output.of("figure", outcome), *([Output(numbers, "numbers")] if numbers else [])]
    return talk.answer(outputs, outcome.plain())
