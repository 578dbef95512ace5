"""`asd reference`: the normal recordings that others are compared with; others join or leave without training."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli.options import ConditionWordOption, DeviceOption, machine_option, method_option, one_of
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import KINDS, Output, Talk

if TYPE_CHECKING:
    from asdcli.pipeline.steps.reference import BankChange
    from asdcli.views.bank_report import BankRow


class BankAction(str, Enum):
    """What is done with the reference set."""

    list = "list"
    add = "add"
    remove = "remove"


@on_a_run(output=False, force=True)
def reference(
    action: Annotated[BankAction, typer.Argument(metavar=one_of(BankAction), help="What to do.")],
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUN] [DIR|FILE]...",
            help="Of add: recordings of healthy machines; they are only read. Of remove: names as list shows them, "
            "paths or folders. A run that stands first is the one that is meant, as with --run.",
            show_default=False,
        ),
    ] = None,
    machine: Annotated[
        str | None,
        machine_option(help="Of add: all recordings are of this machine. Of list: only this machine."),
    ] = None,
    method: Annotated[
        str | None,
        method_option(help="Of list: whose scores are shown, where several methods have a threshold."),
    ] = None,
    condition_word: ConditionWordOption = None,
    device: DeviceOption = "auto",
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Show or change the normal recordings that asd check compares others with, without training anything.

    add lets recordings of this week join what asd learn has learned, remove takes some out again; scores, thresholds
    and p-values follow, as if all had been learned at once. No recording is read again that was learned before, and it
    need not be there any more. A network stays as it was trained: what joins is compared with, and as no model has seen
    it, it counts for thresholds and p-values.

    A recording whose name says, or may say, that it is no normal one does not join, nor does a copy of one that is
    there, nor what an operator called a fault. Where nearly all of a machine lie beyond everything that was learned,
    nothing is changed, unless --force. Exits with 3 when recordings had to be left out.
    """
    from asdcli.errors import UsageError
    from asdcli.pipeline import process
    from asdcli.pipeline.steps import reference as step

    named = list(recordings or ())
    if named and (named[0] / "run.json").is_file():
        place = place.at(named.pop(0))
    if action is BankAction.list and named:
        raise UsageError(f"asd reference list takes no recordings, got {named[0]}", "one machine alone: --machine NAME")
    if action is not BankAction.list and not named:
        raise UsageError("name the recordings: files, or folders that hold them", "for example: asd reference add DIR")
    space = place.learned()
    if action is BankAction.list:
        rows = step.listing(space, machine=machine, method=method)
        if talk.shows_tables:
            _show(rows)
        return talk.answer((), {"run": str(space.run), "recordings": [asdict(row) for row in rows]})
    process.settle(networks=True)
    if action is BankAction.add:
        done = step.add(
            space,
            named,
            machine=machine,
            condition_words=condition_word or (),
            force=force,
            device=device,
            progress=talk.progress,
        )
    else:
        done = step.remove(space, [str(name) for name in named], device=device, progress=talk.progress)
    _tell(action, done, talk)
    outputs = [Output.of(KINDS[stage], outcome) for stage, outcome in done.outcomes.items()]
    facts = {name: value for name, value in asdict(done).items() if name != "outcomes"}
    return talk.answer(outputs, {"run": str(space.run), **facts}, skipped=len(done.refused))


def _tell(action: BankAction, done: BankChange, talk: Talk) -> None:
    from asdcli.cli.console import say, stdout
    from asdcli.wording import counted, listed

    if not talk.shows_tables:
        return
    console = stdout()
    if done.joined:
        say(console, f"{counted(len(done.joined), 'recording')} joined: {listed(done.joined)}")
    if done.left:
        say(console, f"{counted(len(done.left), 'recording')} left: {listed(done.left)}")
    if done.here:
        what = "there already" if action is BankAction.add else "not among those that others are compared with"
        say(console, f"{counted(len(done.here), 'recording')} {what}: {listed(done.here)}")
    for sentence in done.said:
        say(console, sentence)


def _show(rows: list[BankRow]) -> None:
    from asdcli.cli.tables import Grid, GridColumn

    several = len({row.machine for row in rows}) > 1
    trained = any(row.scored_as == "seen" for row in rows)
    columns: list[GridColumn | str] = ["recording", *(["machine"] if several else []), "group"]
    columns += [GridColumn("of threshold", number=True), "how"]
    grid = Grid(None, columns, box=None)
    for row in rows:
        grid.add(*_cells(row, several, trained))
    grid.show()


def _cells(row: BankRow, several: bool, trained: bool) -> list[Any]:
    times = None if row.times is None else f"{row.times:.2f} x"
    how = row.how + (f" {row.since}" if row.since else "")
    if trained and row.scored_as == "seen":
        how += ", known to the network"
    return [row.recording, *([row.machine] if several else []), row.group, times, how]
