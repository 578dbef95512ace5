"""explain: why clips of a run have the scores that they have; with a picture, where one is asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from asdcli.errors import AsdError, UsageError
from asdcli.outcome import Outcome
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import changes, warn_of_stale
from asdcli.pipeline.steps.plot import format_of
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.scorers import DEFAULT, SCORERS, takes
from asdcli.stages import explain
from asdcli.stages.explain import Explained
from asdcli.views.named import chosen
from asdcli.views.scores import Scored, read_scores
from asdcli.wording import listed


@answered
def run(
    space: Workspace,
    clips: Sequence[str],
    *,
    method: str | None = None,
    occlude: bool = True,
    device: str = "auto",
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> tuple[list[Explained], Outcome | None]:
    """Explain the scores of clips.

    Args:
        space: the run.
        clips: clip_ids, or what `stages.explain.run` takes for them.
        method: whose scores; None means the only one, else the default one.
        occlude: say what a network's score owes to each piece of the clip.
        device: where networks run.
        output: a picture goes there, in the format of its suffix.
        force: overwrite a file that asd did not write, or that was changed since.
        progress: is told how far it is, and of what looks wrong.

    Returns:
        one explanation a clip, and the outcome of the picture.

    Raises:
        UsageError: an unknown clip, method or format, a picture of several clips, or several methods and none named.
    """
    kind = format_of(output, None) if output else "svg"
    if output and len(clips) != 1:
        raise UsageError(f"-o names one picture, and there are {len(clips)} clips", "explain them one by one")
    if output:
        explain.may_draw(output, force=force)
    scored = _method(read_scores([space.scores_dir]), method, progress)
    files = evidence(space, scored)
    reads = [scored.path, *(path for path in (files.embeddings, files.detector, files.thresholds) if path)]
    stale = changes(warn_of_stale(space, reads, progress))
    scored = Scored(
        scored.method, scored.spelling, scored.table, scored.header, scored.path, stale.get(scored.path, ())
    )
    found = explain.run(clips, scored, files, occlude=occlude, device=device, progress=progress)
    if output is None:
        return found, None
    return found, explain.picture(found[0], output, kind, force=force, progress=progress)


def _method(methods: Sequence[Scored], asked: str | None, progress: Progress) -> Scored:
    if asked is not None:
        found = chosen([_spelled(asked, methods)], methods)
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} methods are called {asked!r}", f"name one: {listed([m.method for m in found])}"
            )
        return found[0]
    if len(methods) == 1:
        return methods[0]
    default = next((one for one in methods if one.method == DEFAULT), None)
    if default is None:
        raise UsageError(
            f"several methods have scores: {listed([m.method for m in methods])}",
            f"say which to explain: -m {methods[0].method}",
        )
    progress.note(f"of {len(methods)} methods: {default.method} (another: -m)")
    return default


def _spelled(asked: str, methods: Sequence[Scored]) -> str:
    """The name of a method as it was scored, where a shorter spelling was typed."""
    names = {one.method for one in methods}
    if asked not in names:
        with contextlib.suppress(AsdError):  # scores that were smoothed or brought are no method's own
            spelling = SCORERS.canonical(asked)
            return spelling if spelling in names else asked
    return asked


def evidence(space: Workspace, scored: Scored) -> explain.Evidence:
    """What there is of the run to explain the scores of a method by."""
    detector = space.detector(scored.spelling)
    residuals = False
    if detector.exists():
        residuals = takes(SCORERS.build(scored.spelling)) == "residuals"
    model = space.autoencoder if residuals else space.model
    return explain.Evidence(
        space.clips,
        space.features,
        embeddings=space.embeddings if space.embeddings.exists() and not residuals else None,
        detector=detector if detector.exists() else None,
        thresholds=space.thresholds if space.thresholds.exists() else None,
        model=model if model.exists() else None,
    )
