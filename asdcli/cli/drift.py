"""`asd drift`: whether a machine still sounds as it did when it was learned."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from asdcli.cli.options import RunArgument, machine_option, since_option
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Output, Talk


@on_a_run(output=False, force=True)
def drift(
    of: RunArgument = None,
    machine: Annotated[
        str | None,
        machine_option(help="Only this machine."),
    ] = None,
    since: Annotated[
        str | None,
        since_option(help="Recordings made then or later (2019-11-03) are the recent ones. Default: the last 40."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw it too (.svg, .png, .pdf).", show_default=False),
    ] = None,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Say whether checked recordings are still like those that were learned, what has changed, and since when.

    Of each machine, the recordings in the run's history in the order in which they were made, without those that were
    confirmed to be faults. Whether their p-values are smaller than chance allows (Kolmogorov-Smirnov). What a bet has
    won that they are less like the learned ones than those before them: on a machine that does not change it wins a
    hundred times its stake in 1 of 100 cases at most, however long and often one looks. And which frequencies have
    become louder or quieter than in any of the learned groups.

    It says what is seen, not what it means: a new season, a gain or wear look alike. Single faults change nothing here;
    asd check finds these.
    """
    from asdcli.pipeline.steps import drift as step

    found, picture = step.run(
        place.at(of).space(), machine=machine, since=since, output=plot, force=force, progress=talk.progress
    )
    if talk.shows_tables:
        from asdcli.cli.console import say, stdout

        for one in found:
            first, *others = one.words
            say(stdout(), first)
            for sentence in others:
                say(stdout(), f"  {sentence}")
    if picture and not talk.json:
        talk.say(picture)
    outputs = [Output.of("figure", picture)] if picture else []
    return talk.answer(outputs, {"machines": [{**asdict(one), "changed": one.changed} for one in found]})
