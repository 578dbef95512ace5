"""`asd confirm`: what an operator says of a checked recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli.options import DeviceOption, one_of
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import KINDS, Output, Talk
from asdcli.history.answers import Said

if TYPE_CHECKING:
    from asdcli.pipeline.steps.confirm import Answered


@on_a_run(output=False)
def confirm(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar=f"RECORDING... {one_of(Said)}",
            help="Checked recordings, by name, path or folder, and what they are; none takes an answer back.",
            show_default=False,
        ),
    ],
    reference: Annotated[
        bool, typer.Option("--reference", help="Of normal ones: compare others with them, too.")
    ] = False,
    note: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help="Why, for asd history.", show_default=False)
    ] = None,
    device: DeviceOption = "auto",
    *,
    place: Place,
    talk: Talk,
) -> int:
    """Say of recordings that asd check has looked at whether they are normal or a fault. The answer counts.

    A normal one joins those that thresholds and p-values stand on: no model has seen it. With --reference others are
    compared with it, too. A fault is kept among the known ones: asd check says where a recording is nearer to one of
    them than to any normal one, and no fault is ever compared with as normal. The word stands last, or first. A later
    answer takes the place of an earlier one.

    Prints how the threshold moves, and how many of the recordings that were called normal had been alarms, beside the
    share of false alarms that was promised.
    """
    from asdcli.errors import UsageError
    from asdcli.pipeline import process
    from asdcli.pipeline.steps import confirm as step

    said = next((word for word in (words[-1], words[0]) if word in step.ANSWERS), None)
    named = words[1:] if said and words[-1] != said else words[:-1]
    if said is None or not named:
        raise UsageError(
            "say which recordings, and what they are: normal, fault or none", "for example: asd confirm 0071.wav fault"
        )
    if reference and said != "normal":
        raise UsageError("--reference is for what is normal", "no fault is ever compared with")
    space = place.learned()
    process.settle(networks=True)
    answer = step.Answer(next(one for one in step.ANSWERS if one == said), reference, note)
    done = step.run(space, named, answer, device=device, progress=talk.progress)
    if talk.shows_tables:
        _tell(done, answer.said)
    outputs = [Output.of(KINDS[stage], outcome) for stage, outcome in done.change.outcomes.items()]
    facts = {
        "run": str(space.run),
        "answer": answer.said,
        "recordings": list(done.recordings),
        "said": list(done.change.said),
        "promises": [one.plain() for one in done.promises],
    }
    return talk.answer(outputs, facts)


def _tell(done: Answered, said: str) -> None:
    from asdcli.cli.console import say, stdout
    from asdcli.wording import counted, listed

    console = stdout()
    what = {"normal": "called normal", "fault": "called a fault", "none": "without an answer"}[said]
    n = len(done.recordings)
    say(console, f"{counted(n, 'recording')} {'is' if n == 1 else 'are'} now {what}: {listed(done.recordings)}")
    for sentence in [*done.change.said, *map(str, done.promises)]:
        say(console, sentence)
