"""`asd learn`: recordings of healthy machines into a run that tells normal from suspicious."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.audio import SAMPLE_RATE
from asdcli.cli import completion
from asdcli.cli.options import (
    ConditionWordOption,
    DeviceOption,
    HopOption,
    SeedOption,
    channel_option,
    machine_option,
    method_option,
    scale_option,
    window_option,
)
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import KINDS, Output, Talk
from asdcli.embedders import EMBEDDERS
from asdcli.metrics.alarm_rates import DEFAULT
from asdcli.vocabulary import GROUPINGS

if TYPE_CHECKING:
    from asdcli.pipeline.steps.learn import Learnt


@on_a_run(output=False, force=True)
def learn(
    recordings: Annotated[
        list[Path],
        typer.Argument(metavar="DIR|FILE...", help="Recordings of healthy machines, and nothing else; only read."),
    ],
    machine: Annotated[
        str | None,
        machine_option(help="All recordings are of this one machine. Default: the nearest folder that names one."),
    ] = None,
    false_alarms: Annotated[
        str,
        typer.Option(
            "--false-alarms",
            metavar="RATE",
            help="How rare false alarms are to be: 1% or 1/200 of the normal recordings, or 1/month (see --every).",
        ),
    ] = DEFAULT,
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            metavar="TIME",
            help="How often a recording comes: 10min, 1h. Default, where all are cut into windows: without a gap.",
            show_default=False,
        ),
    ] = None,
    embedder: Annotated[
        str | None,
        typer.Option(
            "--embedder",
            metavar="SPELLING",
            help=f"How to listen: {', '.join([*EMBEDDERS.entries, *EMBEDDERS.short])}. "
            "Default: a network where there are several machines and 200 recordings of each, else what needs no "
            "training.",
            show_default=False,
            autocompletion=completion.embedders,
        ),
    ] = None,
    method: Annotated[
        str | None,
        method_option(
            help="How recordings are compared: see asd methods. Default: the distance to the nearest normal one."
        ),
    ] = None,
    channel: Annotated[
        str | None,
        channel_option(otherwise="the first"),
    ] = None,
    sample_rate: Annotated[
        int | None,
        typer.Option(
            "--sample-rate",
            min=1,
            metavar="HZ",
            help=f"Sample rate to bring recordings to. Default: {SAMPLE_RATE}, or the lowest that there is.",
            show_default=False,
        ),
    ] = None,
    resample: Annotated[
        bool, typer.Option("--resample", help="Convert other rates in later checks too, though none was met here.")
    ] = False,
    scale: Annotated[
        str | None,
        scale_option(help="Multiply all samples of a machine by one factor, where they go beyond full scale."),
    ] = None,
    window: Annotated[float | None, window_option(otherwise="10 seconds, of recordings of 20 seconds or more")] = None,
    hop: HopOption = None,
    condition_word: ConditionWordOption = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            "--group-by",
            metavar="|".join(GROUPINGS[:-1]),
            help="What tells recordings that belong together. Default: folders, days or names, else blocks of time.",
            show_default=False,
        ),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Learn what is normal from recordings of healthy machines, so that asd check can say which others are suspicious.

    Recordings stay where and as they are, of any sample rate, number of channels, format and length; what is done to
    them is said. The machine is the nearest folder that names one: "fan 3/October normal" is of fan 3. Several folders
    may be of several machines. What was learned lies in one run, by default runs/MACHINE; the same command again does
    what is new. Long recordings are cut into windows, and each is as suspicious as the worst of its own. Of a machine
    with fewer than five recordings, long ones are learned as many: day@00:10:00-00:20:00.wav is ten minutes of day.wav.

    Says at once how good the recordings are: how many and how alike they are, which stand out, how rare a false alarm
    can be promised with so many, and how many more it takes for what was asked. A recording whose name says, or may
    say, that it is no normal one is not learned. Exits with 3 when recordings had to be left out.
    """
    from asdcli.pipeline import process
    from asdcli.pipeline.steps import learn as step
    from asdcli.views.normals import sentences

    process.settle(networks=True)
    learnt = step.run(
        recordings,
        data=place.data,
        into=place.run,
        dataset=place.dataset,
        machine=machine,
        false_alarms=false_alarms,
        every=every,
        embedder=embedder,
        method=method,
        channel=channel,
        sample_rate=sample_rate,
        resample=resample,
        scale=scale,
        window_s=window,
        hop_s=hop,
        condition_words=condition_word or (),
        group_by=group_by,
        seed=seed,
        device=device,
        force=force,
        progress=talk.progress,
    )
    told = [list(sentences(of)) for of in learnt.normals]
    if talk.shows_tables:
        _show(told)
    if not talk.json:
        talk.progress.note(f"learned into {learnt.space.run}")
        talk.progress.note(f"next: {shlex.join(['asd', 'check', 'DIR', *learnt.space.words()])}")
    outputs = [Output.of("clips", learnt.dataset)]
    outputs += [Output.of(KINDS[stage], outcome) for stage, outcome in learnt.outcomes.items()]
    return talk.answer(outputs, _facts(learnt, told), skipped=learnt.skipped)


def _show(told: list[list[str]]) -> None:
    from asdcli.cli.console import say, stdout

    console = stdout()
    for first, *others in told:
        say(console, first)
        for sentence in others:
            say(console, f"  {sentence}")


def _facts(learnt: Learnt, told: list[list[str]]) -> dict[str, Any]:
    machines = [
        {**asdict(of), "rarest": of.rarest, "lacking": of.lacking, "said": said}
        for of, said in zip(learnt.normals, told, strict=True)
    ]
    return {"run": str(learnt.space.run), "embedder": learnt.embedder, "method": learnt.method, "machines": machines}
