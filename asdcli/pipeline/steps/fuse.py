"""fuse: scores of several methods and runs into those of one method, in the run or in a run of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdcli.errors import UsageError
from asdcli.outcome import Outcome
from asdcli.pipeline import lent
from asdcli.pipeline.answers import answered
from asdcli.pipeline.parts import find_parts, of_run
from asdcli.pipeline.staleness import warn_of_stale
from asdcli.pipeline.workspace import DATA_ROOT, RUNS_ROOT, Workspace
from asdcli.progress import SILENT, Progress
from asdcli.scorers.fuse import DEV, FUSIONS, Fuse
from asdcli.stages import fuse as stage
from asdcli.stages.import_scores import method_name
from asdcli.views.parts import Fusion
from asdcli.views.scores import Scored


@answered
def run(
    space: Workspace | None,
    parts: Sequence[str],
    *,
    fuse: Fuse | None = None,
    methods: Sequence[str] = (),
    name: str | None = None,
    machine_types: Sequence[str] = (),
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Outcome]:
    """Fuse scores: `scores/<parts>+fuse:….parquet`.

    Where all parts are the run's, or the run was named, the scores go there; else into `runs/<dataset>-fused`.

    Args:
        space: the run; None where there is none.
        parts: as `pipeline.parts.find_parts` takes them.
        fuse: how; None means by z-scores of equal weights.
        methods: of runs that are named without one.
        name: what stands in the spelling instead of the parts' spellings.
        machine_types: only these; none means all.
        output: file instead of the run's.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Returns:
        spelling -> outcome.

    Raises:
        UsageError: as `find_parts` or `method_name`. Otherwise as `stages.fuse.run`.
    """
    if name is not None:
        method_name(name)
    found = find_parts(space, parts, methods)
    fusion = Fusion(found, fuse or Fuse(), name, machine_types)
    target, paths = _target(space, found), [one.path for one in found]
    warn_of_stale(target, paths, progress)
    if output is None:
        target.remember()
    outcome = stage.run(
        fusion,
        output or target.scores(fusion.spelling),
        truth=target.clips if target.clips.exists() else None,
        force=force,
        progress=progress,
    )
    lent.note(target, [outcome.path], paths)
    return {fusion.spelling: outcome}


def asked(by: str, weights: str | None, tune: str | None, *, transductive: bool) -> Fuse:
    """How scores are fused.

    Args:
        by: one of `scorers.fuse.By`.
        weights: one a part; None means equal ones.
        tune: `dev` chooses them by the labels of the development machines.
        transductive: normalise by the test clips.

    Raises:
        UsageError: a word that is none, or words that do not go together.
    """
    if tune is not None and tune != DEV:
        raise UsageError(f"weights cannot be chosen by {tune!r}", f"by the development machines: --tune {DEV}")
    if tune is not None and weights is not None:
        raise UsageError("weights are given, so there are none to choose", "leave out --weights or --tune")
    how: Fuse = FUSIONS.build("fuse", by=by, weights=tune or weights, transductive=transductive)
    return how


def _target(space: Workspace | None, parts: Sequence[Scored]) -> Workspace:
    """The run that fused scores go to."""
    if space is not None and (of_run(space, parts) or not space.run_assumed):
        return space
    dataset = parts[0].header.dataset
    run = RUNS_ROOT / f"{dataset}-fused"
    return Workspace(space.data if space else DATA_ROOT, run, dataset)
