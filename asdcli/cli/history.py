"""`asd history`: what was checked, when, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli.options import PlainCellsOption, RunArgument, machine_option, one_of, since_option
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Output, Talk
from asdcli.views.checked import VERDICTS

if TYPE_CHECKING:
    from asdcli.pipeline.answers_kept import PromiseKept
    from asdcli.pipeline.steps.history import History

_MOST = 50  # rows of the table


@on_a_run(output=False, force=True)
def history(
    of: RunArgument = None,
    machine: Annotated[
        str | None,
        machine_option(help="Only of this machine."),
    ] = None,
    since: Annotated[
        str | None,
        since_option(help="Only recordings made then or later: 2019-11-03, 2019-11-03T14:05."),
    ] = None,
    verdict: Annotated[
        str | None,
        typer.Option(
            "--verdict",
            metavar=one_of(VERDICTS),
            help="Only with this verdict.",
            show_default=False,
        ),
    ] = None,
    recording: Annotated[
        str | None,
        typer.Option("--recording", metavar="TEXT", help="Only whose path holds this text.", show_default=False),
    ] = None,
    superseded: Annotated[
        bool,
        typer.Option("--all", help="Also checks of a recording that later ones have taken the place of."),
    ] = False,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write a row a check (.csv, .parquet) as well.", show_default=False),
    ] = None,
    plain_cells: PlainCellsOption = False,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """List the recordings that asd check has looked at, in the order in which they were made, the newest last.

    Of each recording the last check counts: checked again, also under another name, it is the same recording, by the
    digest of its bytes. Times are those of the recorder's clock; --json and --csv say what told them, which detector
    judged, and what was confirmed.
    """
    from asdcli.artifacts import own
    from asdcli.pipeline import answers_kept
    from asdcli.pipeline.steps import history as step

    if csv:
        own.check(csv, force=force)  # before the work, not after
    space = place.at(of).space()
    found = step.run(space, step.Wanted(machine, since, verdict, recording, superseded))
    promises = answers_kept.told(space)
    if talk.shows_tables:
        _show(found)
        _tell(promises)
    outputs = []
    if csv:
        step.write(found, csv, plain_cells=plain_cells, force=force, progress=talk.progress)
        outputs.append(Output(csv, "history"))
        if not talk.json:
            talk.progress.note(f"wrote {csv}: {len(found.checks)} rows")
    facts = {"run": str(space.run), "checks": list(found.rows()), "recordings": found.recordings}
    facts["promises"] = [one.plain() for one in promises]
    return talk.answer(outputs, facts)


def _tell(promises: list[PromiseKept]) -> None:
    from asdcli.cli.console import say, stdout

    for one in promises:
        say(stdout(), str(one))


def _show(found: History) -> None:
    from asdcli.cli.console import say, stdout
    from asdcli.cli.tables import Grid, GridColumn, of_threshold, verdict_of
    from asdcli.wording import counted

    shown = found.checks[-_MOST:]
    several = len({one.machine for one in found.checks}) > 1
    said = any(one.digest in found.answers for one in shown)
    columns: list[GridColumn | str] = ["made", "recording", *(["machine"] if several else [])]
    columns += [GridColumn("of threshold", number=True), GridColumn("p", number=True), "verdict", "most like"]
    grid = Grid(None, [*columns, *(["confirmed"] if said else [])], box=None)
    for one in shown:
        answer = found.answers.get(one.digest)
        grid.add(
            one.time and one.time.replace("T", " "),
            one.recording,
            *([one.machine] if several else []),
            of_threshold(one.times, one.score),
            None if one.p_value is None else f"{one.p_value:.3g}",
            verdict_of(one.verdict),
            one.nearest,
            *([answer.answer if answer else ""] if said else []),
        )
    grid.show()
    total = f"{counted(len(found.checks), 'check')}; {counted(found.recordings, 'recording')} in all"
    if len(shown) < len(found.checks):
        total += f", of which the last {len(shown)} are shown; --csv FILE writes all"
    say(stdout(), total)
