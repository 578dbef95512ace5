"""`asd log`: trainings and official scores to the tracker that people compare runs in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asdcli.cli.options import one_of
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.tracking import TRACKERS


@on_a_run(force=True)
def log(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="RUNS", help="Folders of runs. Default: that of the run.")
    ] = None,
    to: Annotated[
        str, typer.Option("--to", metavar=one_of(TRACKERS.entries), help="The tracker; each is an extra of asdcli.")
    ] = "tensorboard",
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Export runs to a tracker: the curves of metrics.jsonl, the official scores, and how they were made.

    The run's own files stay the truth; nothing is sent anywhere. A run is called as its folder; exported again, it
    takes the place of what the tracker had, or is left alone where nothing has changed. -o is the tracker's folder
    (mlflow: a folder, or a database .db). Default: tracking/, in the working folder.
    """
    from asdcli.pipeline.steps import log as step

    chosen = runs or [place.space().run]
    outcome = step.run(chosen, to, output=place.output, force=force, progress=talk.progress)
    return talk.report("tracking", outcome)
