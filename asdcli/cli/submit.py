"""`asd submit`: scores into a challenge package, or a look at one that is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli.options import AllowStaleOption
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.vocabulary import Subset

if TYPE_CHECKING:
    from asdcli.pipeline.steps.submit import Checked


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
    allow_stale: AllowStaleOption = False,
    *,
    place: Place,
    talk: Talk,
) -> int:
    """Write anomaly_score and decision_result CSVs and meta files in an edition's exact naming, zipped.

    The package goes to submission/ in the run. Decisions are taken from asd threshold. What is still missing or wrong
    is said, and the exit code is then 3.
    """
    from asdcli.errors import UsageError
    from asdcli.pipeline.steps import submit as step

    if check:
        return _show(
            step.check(check, place.space_if_any() if edition else place.space(), edition=edition, subset=subset), talk
        )
    if not label:
        raise UsageError("a submission needs a label", "for example --label Doe_FactoryLab")
    outcome = step.run(
        place.space(),
        scores or (),
        label=label,
        edition=edition,
        subset=subset,
        thresholds=thresholds,
        meta=meta,
        output=place.output,
        allow_stale=allow_stale,
        progress=talk.progress,
    )
    return talk.report("submission", outcome)


def _show(checked: Checked, talk: Talk) -> int:
    """Say everything that is wrong with a folder; exit code 1 when something is."""
    from dataclasses import asdict

    from asdcli.cli.console import stdout

    if not talk.json:
        console = stdout()
        for problem in checked.problems:
            console.print(problem, markup=False)
        verdict = f"{len(checked.problems)} problems" if checked.problems else "nothing wrong"
        console.print(f"{checked.folder}: {verdict} (checked against {checked.against})", markup=False)
    return talk.answer(facts={**asdict(checked), "folder": str(checked.folder)}, bad=bool(checked.problems))
