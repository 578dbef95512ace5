"""`asd report`: a page of runs, to be looked at and listened to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from asdcli.cli.options import method_option, one_of
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.page import PageSounds
from asdcli.vocabulary import Projector


@on_a_run(force=True)
def report(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN...", help="Runs of one dataset, side by side. Default: the one last worked on."),
    ] = None,
    method: Annotated[
        list[str] | None,
        method_option(
            help="Only this method (repeatable); the page begins with the first. Default: the first few, those with "
            "thresholds first."
        ),
    ] = None,
    audio: Annotated[
        str,
        typer.Option(
            "--audio",
            metavar=one_of(PageSounds),
            help="Where sounds lie: in the page those worth a listen first; all in a folder beside it; nowhere.",
        ),
    ] = "inline",
    budget: Annotated[
        float, typer.Option("--budget", metavar="MB", help="What sounds and pictures in the page may take.")
    ] = 4.5,
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            metavar="TIME",
            help="From one recording to the next, for false alarms a day. Default: as in the threshold, else 10min.",
            show_default=False,
        ),
    ] = None,
    map_by: Annotated[
        str, typer.Option("--map", metavar=one_of(Projector), help="How vectors are laid out on the map.")
    ] = "pca",
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Write one HTML file that says what a run found, to be looked at and listened to: report.html in the run.

    It opens in any browser, from a disk too, and asks no network for anything. First what this is, results with
    intervals or the verdicts on your machines, and what to look at first. Then each machine type: scores with a
    threshold that can be dragged, ROC, a map of the vectors whose points play, VarMin's weight. Then all clips, sorted
    and filtered as you like, the worst misses and false alarms first; a click shows the spectrogram beside that of the
    nearest normal recording, plays both in turn, and says in words and bands what differs. Methods, and runs that are
    named together, stand side by side. At the end, how everything was made, and all warnings.

    The page holds the sounds of the clips worth a listen first, compressed, as many as --budget takes, and says how
    many; --audio folder writes all of them, as they were scored, into a folder beside it.
    """
    from asdcli.pipeline.steps import report as step
    from asdcli.pipeline.workspace import resolve
    from asdcli.spec.values import convert

    spaces = [resolve(data=place.data, run=run, dataset=place.dataset) for run in runs or ()] or [place.space()]
    outcome = step.run(
        spaces,
        method=method,
        audio=cast("PageSounds", convert(audio, PageSounds, what="--audio")),
        budget=budget,
        every=every,
        by=cast("Projector", convert(map_by, Projector, what="--map")),
        output=place.output,
        force=force,
        progress=talk.progress,
    )
    return talk.report("report", outcome)
