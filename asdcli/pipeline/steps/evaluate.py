"""evaluate: scores of the run, named tables or a submission into official scores, by the run's truth and thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from asdcli.artifacts import own
from asdcli.errors import UsageError
from asdcli.pipeline import lent
from asdcli.pipeline.answers import answered
from asdcli.pipeline.freshness import Look
from asdcli.pipeline.staleness import changes, refuse_stale, warn_of_stale
from asdcli.pipeline.workspace import Workspace, needed
from asdcli.progress import SILENT, Progress
from asdcli.stages import evaluate
from asdcli.stages.evaluate import Options, Report
from asdcli.views.results import save_csv
from asdcli.views.scores import Scored, read_scores
from asdcli.views.submissions import read_submission


@answered
def run(
    space: Workspace | None,
    scores: Sequence[Path] = (),
    *,
    submission: Path | None = None,
    names: Sequence[Path] = (),
    clips: Path | None = None,
    thresholds: Path | None = None,
    compare: tuple[str, str] | None = None,
    options: Options | None = None,
    csv: Path | None = None,
    plain_cells: bool = False,
    allow_stale: bool = False,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Report:
    """Evaluate score tables; those of the whole run go to `results.parquet`.

    Args:
        space: the run; None will do where `scores`, or `submission` and `clips`, say everything.
        scores: tables or folders of them; none means the run's.
        submission: a folder of challenge CSVs instead.
        names: its lists of renamed test files.
        clips: table whose labels win; None means the dataset's where the scores are of that dataset.
        thresholds: None means the run's, where the run's scores are evaluated.
        compare: two of the methods, for a paired bootstrap.
        options: metric, intervals and the like; None means the defaults.
        csv: all rows as CSV too, each with its line.
        plain_cells: write texts that begin like formulas into `csv` as they are.
        allow_stale: write `csv` of scores of files that have changed since, too.
        output: file for the results, also of named tables.
        force: overwrite files that asd did not write, or that were changed since.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        UsageError: tables and a submission.
        StaleArtifact: scores for `csv` were made of files that have changed since, unless `allow_stale`.
    """
    if scores and submission:
        raise UsageError("give score tables or --submission DIR, not both")
    methods = _methods(space, scores, submission, names, clips, progress)
    if not submission:
        tables = list(scores) or [needed(space).scores_dir]
        stale = refuse_stale(space, tables, progress, allowed=allow_stale or not csv)
        methods = _marked(methods, stale)
    if space and not clips and space.clips.exists() and all(m.header.dataset == space.dataset for m in methods):
        clips = space.clips
    if space and not thresholds and space.thresholds.exists() and not scores:
        thresholds = space.thresholds
    if output is None and space and not scores and not submission:
        output = space.results
    if thresholds and not submission:
        warn_of_stale(space, [thresholds], progress)
    if csv:
        own.check(csv, force=force)  # before the work, not after
    report = evaluate.run(
        methods,
        output,
        clips=clips,
        thresholds=thresholds,
        compare=compare,
        options=options,
        force=force,
        progress=progress,
    )
    if output:
        lent.note(space, [output], [*scores, clips, thresholds])
    if csv:
        save_csv(report.evaluations, csv, plain=plain_cells, force=force, progress=progress)
    return report


def _methods(
    space: Workspace | None,
    scores: Sequence[Path],
    submission: Path | None,
    names: Sequence[Path],
    clips: Path | None,
    progress: Progress,
) -> list[Scored]:
    if submission:
        return [read_submission(submission, clips or needed(space).clips, names=list(names), progress=progress)]
    return read_scores(list(scores) or [needed(space).scores_dir])


def _marked(methods: Sequence[Scored], stale: Iterable[Look]) -> list[Scored]:
    """The methods, those of stale tables with what has changed."""
    of = changes(stale)
    return [replace(one, stale=of.get(one.path, ())) for one in methods]
