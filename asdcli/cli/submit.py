"""`asd submit`: scores into a challenge package, or a look at one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli.options import AllowStaleOption
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.vocabulary import Subset
from asdcli.wording import counted

if TYPE_CHECKING:
    from asdcli.pipeline.steps.submit import Checked


@on_a_run(force=True)
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
            "--check",
            metavar="PATH",
            help="Write nothing; say what is wrong with this package, zip or folder.",
            show_default=False,
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
        list[str] | None,
        typer.Option(
            "--meta",
            metavar="[N=]FILE",
            help="Pack this finished meta file, of the N-th system (repeatable).",
            show_default=False,
        ),
    ] = None,
    allow_stale: AllowStaleOption = False,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Write anomaly_score and decision_result CSVs and meta files in an edition's exact naming, zipped.

    The package goes to submission/ in the run, a rehearsal to submission/dev. Decisions are taken from asd threshold.
    What you fill into a meta file stays; a technical report that you put beside it is packed too. What is still missing
    or wrong is said, and the exit code is then 3.
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
        metas=_numbered(meta or ()),
        output=place.output,
        allow_stale=allow_stale,
        force=force,
        progress=talk.progress,
    )
    return talk.report("submission", outcome)


def _show(checked: Checked, talk: Talk) -> int:
    """Say everything that is wrong with a package; exit code 1 when something is."""
    from dataclasses import asdict

    from asdcli.cli.console import stdout

    console = stdout()
    if not talk.json:
        for problem in checked.problems:
            console.print(problem)
    if talk.shows_tables:
        verdict = counted(len(checked.problems), "problem") if checked.problems else "nothing wrong"
        console.print(f"{checked.path}: {verdict} (checked against {checked.against})")
    return talk.answer(facts={**asdict(checked), "path": str(checked.path)}, bad=bool(checked.problems))


def _numbered(metas: Sequence[str]) -> dict[int, Path]:
    """Number of a system -> its meta file; 0 for one without a number, where there is but one system."""
    from asdcli.errors import UsageError

    found: dict[int, Path] = {}
    for text in metas:
        number, equals, name = text.partition("=")
        named = bool(equals) and number.isdecimal()
        if not named and len(metas) > 1:
            raise UsageError(f"--meta {text} is of which system?", f"say its number: --meta 1={text}")
        n, path = (int(number), Path(name)) if named else (0, Path(text))
        if n in found:
            raise UsageError(f"--meta gives system {n} two files: {found[n]} and {path}")
        if not path.is_file():
            raise UsageError(f"--meta: there is no file {path}")
        found[n] = path
    return found
