"""submit: the run's scores and thresholds into a challenge package; and a look at one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asdcli import artifacts, catalogue
from asdcli.outcome import Outcome
from asdcli.pipeline import run_note
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import refuse_stale
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.stages import submit
from asdcli.submission import check as checks
from asdcli.submission import package
from asdcli.submission.formats import format_of
from asdcli.views.editions import edition_of
from asdcli.views.scores import read_scores
from asdcli.vocabulary import Subset


@dataclass(frozen=True)
class Checked:
    """What was found wrong with a package: every problem, against which clips and in which edition's naming."""

    path: Path
    edition: str
    against: str
    problems: list[str]


@answered
def run(
    space: Workspace,
    scores: Sequence[Path] = (),
    *,
    thresholds: Path | None = None,
    output: Path | None = None,
    allow_stale: bool = False,
    progress: Progress = SILENT,
    **options: Any,
) -> Outcome:
    """Write the package of one to four systems into `submission/`.

    Args:
        space: the run that it works on.
        scores: tables; none means the run's.
        thresholds: None means the run's, where it has any.
        output: folder instead of the run's.
        allow_stale: go on with scores or thresholds of files that have changed since.
        progress: is told how far it is, and of what looks wrong.
        options: as `stages.submit.run` has them.

    Raises:
        StaleArtifact: scores or thresholds were made of files that have changed since, unless `allow_stale`.
    """
    thresholds = thresholds or (space.thresholds if space.thresholds.exists() else None)
    tables = list(scores) or [space.scores_dir]
    refuse_stale(space, [*tables, *([thresholds] if thresholds else [])], progress, allowed=allow_stale)
    return submit.run(
        read_scores(tables),
        output or space.submission,
        thresholds=thresholds,
        models=_models(space),
        progress=progress,
        **options,
    )


def _models(space: Workspace) -> list[Path]:
    """Folders of the models that may have made the run's scores: its own, and those of runs that it has files of."""
    named = [path for inputs in run_note.elsewhere(space.run).values() for path in inputs.values()]
    scores = {path.parent.parent for path in named if path.parent.name == space.scores_dir.name}
    embeddings = {path.parent for path in named if path.name == space.embeddings.name}
    runs = [space.run, *sorted(scores | embeddings)]
    return [run / folder.name for run in runs for folder in (space.model, space.autoencoder)]


def check(path: Path, space: Workspace | None, *, edition: str | None = None, subset: Subset) -> Checked:
    """Look at a package (zip or folder) or the folder of one system, with the clips of `space` where they fit.

    Raises:
        BadData: no such file, or no package. UsageError: no edition can be told.
    """
    clips = None
    if space and space.clips.exists():
        header = artifacts.read_header(space.clips, artifacts.CLIPS)
        known = submit.challenge(edition, header)
        clips = space.clips if edition_of(header) in (None, known) else None
    else:
        known = catalogue.load(edition or (space.dataset if space else ""))
    style, expected = format_of(known), submit.expected(known, subset, clips)
    with package.opened(path) as found:
        problems = list(found.problems)
        for folder in found.systems:
            name = f"{folder.name}: " if len(found.systems) > 1 else ""
            problems += [f"{name}{problem}" for problem in checks.check(folder, style, expected)]
    against = f"the clips of {clips}" if clips else f"the catalogue of {known.name}"
    return Checked(path, known.name, against, problems)
