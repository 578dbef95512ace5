"""threshold: where normal ends, from the run's scores or named tables; and the decisions that follow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdcli.outcome import Outcome
from asdcli.pipeline import lent
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import refuse_stale, warn_of_stale
from asdcli.pipeline.workspace import Workspace, needed
from asdcli.progress import SILENT, Progress
from asdcli.stages import threshold


@answered
def run(
    space: Workspace | None,
    scores: Sequence[Path] = (),
    *,
    rule: str | None = None,
    output: Path | None = None,
    from_training: bool = False,
    force: bool = False,
    progress: Progress = SILENT,
    **parameters: float | None,
) -> Outcome:
    """Set a threshold a method and machine type: `thresholds.parquet`.

    Args:
        space: the run; None will do where `scores` and `output` say everything.
        scores: tables or folders of them; none means the run's.
        rule: as `stages.threshold.run` has it.
        output: file instead of the run's.
        from_training: as `stages.threshold.run` has it.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.
        parameters: as `stages.threshold.run` has them.
    """
    tables, output = _tables(space, scores), output or needed(space).thresholds
    warn_of_stale(space, tables, progress)
    outcome = threshold.run(
        tables,
        output,
        rule=rule,
        parameters=parameters,
        from_training=from_training,
        force=force,
        progress=progress,
    )
    lent.note(space, [output], tables)
    return outcome


@answered
def decide(
    space: Workspace | None,
    output: Path,
    scores: Sequence[Path] = (),
    *,
    thresholds: Path | None = None,
    plain_cells: bool = False,
    allow_stale: bool = False,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """A decision for every test clip, into `output`, by `thresholds` (None: the run's).

    Texts that begin like formulas are written into a CSV as they are where `plain_cells`.

    Raises:
        StaleArtifact: scores or thresholds were made of files that have changed since, unless `allow_stale`.
    """
    tables, thresholds = _tables(space, scores), thresholds or needed(space).thresholds
    refuse_stale(space, [*tables, thresholds], progress, allowed=allow_stale)
    return threshold.apply(tables, thresholds, output, plain_cells=plain_cells, force=force, progress=progress)


def _tables(space: Workspace | None, scores: Sequence[Path]) -> Sequence[Path]:
    return scores or [needed(space).scores_dir]
