"""`asd submit`: scores into a challenge package, or a look at one that is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.vocabulary import Subset

if TYPE_CHECKING:
    from asdcli.pipeline.workspace import Workspace


@on_a_run()
def submit(
    scores: Annotated[
        list[Path] | None,
        typer.Argument(metavar="SCORES", help="One to four score tables. Default: those of the run."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="LASTNAME_INSTITUTE", help="Your label.", show_default=False),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check", metavar="DIR", help="Write nothing; say what is wrong with this folder.", show_default=False
        ),
    ] = None,
    edition: Annotated[
        str | None,
        typer.Option("--edition", metavar="NAME", help="Whose naming. Default: the dataset's.", show_default=False),
    ] = None,
    subset: Annotated[
        Subset, typer.Option("--subset", help="dev: a rehearsal with the development set.")
    ] = Subset.EVAL,
    thresholds: Annotated[
        Path | None,
        typer.Option("--thresholds", metavar="FILE", help="Decide by these. Default: the run's.", show_default=False),
    ] = None,
    meta: Annotated[
        Path | None,
        typer.Option("--meta", metavar="FILE", help="Pack this finished meta file.", show_default=False),
    ] = None,
    *,
    place: Place,
    talk: Talk,
) -> int:
    """Write anomaly_score and decision_result CSVs and meta files in an edition's exact naming, zipped.

    The package goes to submission/ in the run. Decisions are taken from asd threshold. What is still missing or wrong
    is said, and the exit code is then 3.
    """
    from asdcli.errors import UsageError
    from asdcli.stages import submit as stage
    from asdcli.views.scores import read_scores

    if check:
        return _check(check, edition, subset, place.space_if_any() if edition else place.space(), talk)
    if not label:
        raise UsageError("a submission needs a label", "for example --label Doe_FactoryLab")
    space = place.space()
    progress = talk.progress
    outcome = stage.run(
        read_scores(scores or [space.scores_dir]),
        place.output or space.run / "submission",
        label=label,
        edition=edition,
        subset=subset,
        thresholds=thresholds or (space.thresholds if space.thresholds.exists() else None),
        meta=meta,
        progress=progress,
    )
    return talk.report(outcome)


def _check(folder: Path, edition: str | None, subset: Subset, space: Workspace | None, talk: Talk) -> int:
    """Say everything that is wrong with a folder; exit code 1 when something is."""
    from asdcli import artifacts
    from asdcli.cli.console import stdout
    from asdcli.errors import BadData
    from asdcli.stages import submit as stage
    from asdcli.submission.check import check
    from asdcli.submission.formats import format_of

    if not folder.is_dir():
        raise BadData(f"no folder {folder}", "name the folder of one system: task2/Lastname_Institute_task2_1")
    clips = None
    if space and space.clips.exists():
        own = stage.edition_of(artifacts.read_header(space.clips, artifacts.CLIPS), default=edition)
        edition = edition or own
        clips = space.clips if own == edition else None
    edition = edition or (space.dataset if space else "")
    problems = check(folder, format_of(edition), stage.expected(edition, subset, clips))
    against = f"the clips of {clips}" if clips else f"the catalogue of {edition}"
    if talk.json:
        talk.emit({"path": str(folder), "edition": edition, "against": against, "problems": problems})
    else:
        console = stdout()
        for problem in problems:
            console.print(problem, markup=False)
        verdict = f"{len(problems)} problems" if problems else "nothing wrong"
        console.print(f"{folder}: {verdict} (checked against {against})", markup=False)
    return 1 if problems else 0
