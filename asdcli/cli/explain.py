"""`asd explain`: why a clip has the score that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli.options import (
    DeviceOption,
    HopOption,
    LaterChannelOption,
    LaterResampleOption,
    LaterWindowOption,
    machine_option,
    method_option,
)
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Output, Talk

if TYPE_CHECKING:
    from asdcli.detector.explained import Explained

_SHOWN = 5  # nearest recordings


@on_a_run(force=True)
def explain(
    clips: Annotated[
        list[str],
        typer.Argument(
            metavar="CLIP...",
            help="Clips of the run: a clip_id, the path of a recording, or the end of one; and any other recordings.",
            show_default=False,
        ),
    ],
    method: Annotated[
        str | None,
        method_option(help="Whose score. Default: the only one there is, else the default method's."),
    ] = None,
    occlude: Annotated[
        bool,
        typer.Option(
            "--occlude/--no-occlude",
            help="Where a network embeds: say what its score owes to each piece of the clip (65 passes of it).",
        ),
    ] = True,
    machine: Annotated[
        str | None,
        machine_option(help="Other recordings are of this machine. Default: as asd check finds it."),
    ] = None,
    channel: LaterChannelOption = None,
    resample: LaterResampleOption = False,
    window: LaterWindowOption = None,
    hop: HopOption = None,
    device: DeviceOption = "auto",
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Explain the score of a recording: which normal ones it is nearest to, and how it sounds beside them.

    A recording that is no clip of the run is read and judged as asd check does. Of a long one that is cut into windows,
    clip or not, the most suspicious is explained. --machine, --channel, --resample, --window, --hop are for those that
    are no clips.

    The nearest normal recordings, with their distances, and where the method looks at it the local scale b of each and
    what that takes off. The score beside the threshold and the p-value. Which bands differ and when, and which pulses
    there are, in words, each made of a figure; where nothing stands out further than normal recordings do among
    themselves, that is said. For autoencoders what they miss, for networks which pieces of the clip the score hangs on.

    -o FILE draws one clip (.png, .svg, .pdf), which needs matplotlib: it comes with the extra plot of asdcli.
    """
    from asdcli.pipeline.steps import explain as step

    found, picture = step.run(
        place.space(),
        clips,
        method=method,
        occlude=occlude,
        device=device,
        reads=step.Reads(machine, channel, resample, window, hop),
        output=place.output,
        force=force,
        progress=talk.progress,
    )
    if talk.shows_tables:
        for one in found:
            _show(one)
    if picture and not talk.json:
        talk.say(picture)
    outputs = [Output.of("figure", picture)] if picture else []
    return talk.answer(outputs, {"clips": [one.plain() for one in found]})


def _show(one: Explained) -> None:
    from asdcli.cli.console import stdout
    from asdcli.views.standing import of_score
    from asdcli.visible import visible

    out = stdout()

    def say(text: str, style: str | None = None) -> None:
        out.print(visible(text, newlines=False), style=style, markup=False, highlight=False, soft_wrap=True)

    say(one.standing.clip_id, "bold")
    for sentence in of_score(one.standing):
        say(f"  {sentence}")
    for sentence in one.words:
        say(f"  * {sentence}")
    for note in one.notes:
        say(f"  ({note})")
    _nearest(one)
    say(one.signature, "dim")
    out.print()


def _nearest(one: Explained) -> None:
    from asdcli.cli.tables import Grid, GridColumn

    near = one.neighbourhood
    if near is None:
        return
    shown = [n for i, n in enumerate(near.near) if i < _SHOWN or n.decides]
    columns = [GridColumn("nearest normal recordings", rank=0), GridColumn(near.measure, number=True, rank=0)]
    figures: list[Any] = []
    if near.adjusted:
        columns.append(GridColumn("b", number=True))
        figures.append(lambda n: n.b)
        if near.alpha is not None:
            columns.append(GridColumn(f"taken off\n({near.alpha:.3g} b)", number=True))
            figures.append(lambda n: n.taken_off)
        columns.append(GridColumn("adjusted", number=True))
        figures.append(lambda n: n.adjusted)
        columns.append(GridColumn("sets the score"))
    grid = Grid(None, columns)
    for n in shown:
        marks = [_marked(n.decides, near.windows)] if near.adjusted else []
        grid.add(n.clip_id, _figure(n.distance), *(_figure(get(n)) for get in figures), *marks)
    grid.show()


def _figure(value: float | None) -> str | None:
    return None if value is None else f"{value:#.4g}"


def _marked(decides: int, windows: int) -> str:
    if not decides:
        return ""
    return "yes" if windows == 1 else f"of {decides}/{windows} windows"
