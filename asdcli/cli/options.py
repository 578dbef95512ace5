"""Options that mean the same thing in every command, declared once."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from asdcli.cli import completion
from asdcli.errors import unknown_name
from asdcli.spec.values import choices
from asdcli.sweep.engines import DEFAULT as ENGINE
from asdcli.sweep.engines import ENGINES
from asdcli.vocabulary import DEVICES, FIXED, MEAN, NONE, PEAK, RESIDUAL, Condition


def one_of(words: Any, *more: str) -> str:
    """What an option takes, for its help: `a|b`. The words are those of a Literal or an Enum, or names."""
    return "|".join([*(choices(words) or words), *more])


def _device(name: str) -> str:
    """Refuses a word that is no device even where the command then finds nothing to do."""
    if name.partition(":")[0] not in DEVICES:
        raise unknown_name("device", name, DEVICES)
    return name


def method_option(*, help: str) -> Any:
    """`-m`: the spelling of a method that there is."""
    return typer.Option(
        "-m",
        "--method",
        metavar="SPELLING",
        help=help,
        show_default=False,
        autocompletion=completion.scorers,
    )


def format_option(words: Any) -> Any:
    """`--format` of a file that `-o` names: one of `words`."""
    return typer.Option(
        "--format",
        metavar=one_of(words),
        help="Default: as the suffix of -o says, else the first.",
        show_default=False,
    )


def channel_option(*, otherwise: str) -> Any:
    """`--channel` of recordings of one's own: a number, a mean, a residual; `otherwise` is the default, in words."""
    return typer.Option(
        "--channel",
        metavar=one_of(("N",), MEAN, RESIDUAL),
        help=f"Channel of recordings that have several, counted from 0. {RESIDUAL}: the first without what the second "
        f"explains of it. Default: {otherwise}.",
        show_default=False,
    )


def machine_option(*, help: str) -> Any:
    """`--machine` that all recordings are of, or that is looked at."""
    return typer.Option("--machine", metavar="NAME", help=help, show_default=False)


def since_option(*, help: str) -> Any:
    """`--since`: recordings made then or later."""
    return typer.Option("--since", metavar="WHEN", help=help, show_default=False)


def scale_option(*, help: str) -> Any:
    """`--scale`: one gain a machine type, measured or given."""
    return typer.Option("--scale", metavar=one_of((PEAK, f"{FIXED}:GAIN")), help=help, show_default=False)


class OnError(str, Enum):
    """What is done about a clip that cannot be used."""

    fail = "fail"
    skip = "skip"


RunOption = Annotated[
    Path | None,
    typer.Option(
        "--run", envvar="ASD_RUN", metavar="DIR", help="Run folder. Default: runs/<dataset>.", show_default=False
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", envvar="ASD_DATA", metavar="DIR", help="Data root. Default: data.", show_default=False),
]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar="NAME",
        help="Dataset. Default: the run's, else the last one used.",
        show_default=False,
        autocompletion=completion.datasets,
    ),
]
RunArgument = Annotated[
    Path | None,
    typer.Argument(metavar="RUN", help="Run folder, as --run.", show_default=False),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="PATH", help="Write here instead of into the run.", show_default=False),
]
MachineTypeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--machine-type",
        metavar="NAME",
        help="Only this machine type (repeatable).",
        show_default=False,
        autocompletion=completion.machine_types,
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Only the I-th of N equal parts of the clips, beside those of others, here or on other machines. "
        "The same command without it puts them together.",
        show_default=False,
    ),
]
ShardsOption = Annotated[
    int | None,
    typer.Option(
        "--shards",
        min=1,
        metavar="N",
        help="Divide the clips into N parts, have each made where --engine says, and put them together.",
        show_default=False,
    ),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="SPELLING",
        help=f"With --shards: where they are made: {', '.join(ENGINES.entries)}; with parameters as in "
        f"{ENGINE}:workers=2. Default: {ENGINE}.",
        show_default=False,
        autocompletion=completion.engines,
    ),
]
WorksAtOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="SPELLING",
        help=f"Where the work is done: {', '.join(ENGINES.entries)}; with parameters as in {ENGINE}:workers=2.",
        autocompletion=completion.engines,
    ),
]
RetryOption = Annotated[int, typer.Option("--retry", min=0, metavar="N", help="Try what failed up to N times again.")]
FeaturesFromOption = Annotated[
    Path | None,
    typer.Option(
        "--features-from",
        metavar="RUN",
        help="Read the features of this run of the same dataset, now and in later commands.",
        show_default=False,
    ),
]


def window_option(*, otherwise: str) -> Any:
    """`--window`, where all recordings that are longer are cut."""
    return typer.Option(
        "--window",
        metavar="SECONDS",
        help=f"Cut recordings that are longer into windows of this length. Default: {otherwise}.",
        show_default=False,
    )


HopOption = Annotated[
    float | None,
    typer.Option(
        "--hop",
        metavar="SECONDS",
        help="From the start of a window to that of the next. Default: half a window.",
        show_default=False,
    ),
]
ConditionWordOption = Annotated[
    list[str] | None,
    typer.Option(
        "--condition-word",
        metavar=f"WORD={one_of(Condition, NONE)}",
        help=f"What a word in names says of the condition (repeatable): niO={Condition.ANOMALY}.",
        show_default=False,
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Do it again even if it is up to date; overwrite what asd did not write.")
]
LaterChannelOption = Annotated[str | None, channel_option(otherwise="as learned")]
LaterWindowOption = Annotated[float | None, window_option(otherwise="as learned")]
LaterResampleOption = Annotated[
    bool, typer.Option("--resample", help="Convert other sample rates, though none was met in learning.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar=one_of(DEVICES),
        callback=_device,
        help="Where networks and large searches run.",
        autocompletion=completion.devices,
    ),
]
ScoresArgument = Annotated[
    list[Path] | None,
    typer.Argument(metavar="SCORES", help="Score tables or folders of them. Default: all of the run."),
]
AllowStaleOption = Annotated[
    bool, typer.Option("--allow-stale", help="Go on with files that were made of others that have changed since.")
]
PlainCellsOption = Annotated[
    bool,
    typer.Option("--plain-cells", help="In a CSV, no ' before texts that a spreadsheet would take for formulas."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only, and what was left out.")]
VerboseOption = Annotated[bool, typer.Option("-v", "--verbose", help="Show diagnostics.")]
