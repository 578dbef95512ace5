"""drift: are the recordings that were checked still where the learned ones are?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from asdcli import artifacts
from asdcli.artifacts import own
from asdcli.errors import BadData, unknown_name
from asdcli.history.checks import kept
from asdcli.layouts.times import since_when
from asdcli.outcome import Outcome
from asdcli.pipeline.answers import answered
from asdcli.pipeline.steps import plot
from asdcli.pipeline.workspace import Workspace
from asdcli.plots import format_of
from asdcli.progress import SILENT, Progress
from asdcli.stages import drift
from asdcli.stages.drift_words import Drift
from asdcli.views.scores import read_scores
from asdcli.views.sounds import Sounds
from asdcli.wording import listed

__all__ = ["Drift", "run"]


@answered
def run(
    space: Workspace,
    *,
    machine: str | None = None,
    since: str | None = None,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> tuple[list[Drift], Outcome | None]:
    """Look for drift of each machine that was checked.

    Args:
        space: the run.
        machine: only this one.
        since: recordings made then or later are the recent ones; by default the last 40.
        output: a picture of all of it goes there, in the format of its suffix.
        force: overwrite a file that asd did not write, or that was changed since.
        progress: is told how far it is.

    Returns:
        one finding a machine, and the outcome of the picture.

    Raises:
        MissingArtifact: nothing was checked. BadArtifact, Busy: the history cannot be read.
        BadData: not one recording has a p-value. UsageError: an unknown machine or format, or no point of time.
    """
    begun = None if since is None else since_when(since)
    known = sorted({one.machine for one in kept(space.history)})
    if machine is not None and machine not in known:
        raise unknown_name("machine that was checked", machine, known)
    if output:
        format_of(output, None)
        own.check(output, force=force)  # before the work
    methods = read_scores([space.scores_dir])
    found = drift.run(space.history, methods, _sounds(space), machine=machine, since=begun, progress=progress)
    if not found:
        raise BadData(
            "not one checked recording has a p-value among scores that are there, so nothing tells whether they drift",
            "see what was found of them: asd history",
        )
    if others := [name for name in known if machine is None and name not in {one.machine for one in found}]:
        progress.left_out(f"{listed(others)}: no checked recording has a p-value among scores that are there")
    if output is None:
        return found, None
    return found, plot.run(space, "drift", output=output, machine=machine, force=force, progress=progress)


def _sounds(space: Workspace) -> Callable[[str, str], Sounds]:
    table, _ = artifacts.read_table(space.clips, artifacts.CLIPS)

    def of(machine: str, method: str) -> Sounds:
        made = artifacts.read_header(space.detector(method), artifacts.DETECTOR)
        return Sounds.of(machine, space.clips, table, space.features, made)

    return of
