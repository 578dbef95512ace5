"""`asd check`: which recordings are suspicious."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli.options import (
    DeviceOption,
    HopOption,
    LaterChannelOption,
    LaterResampleOption,
    LaterWindowOption,
    PlainCellsOption,
    machine_option,
    method_option,
    one_of,
)
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Output, Talk
from asdcli.errors import UsageError
from asdcli.vocabulary import NONE

if TYPE_CHECKING:
    from asdcli.views.checked import CheckRow, Event


_ALL = "all"


@on_a_run(output=False, force=True)
def check(
    recordings: Annotated[
        list[Path], typer.Argument(metavar="DIR|FILE...", help="Recordings to look at; they are only read.")
    ],
    machine: Annotated[
        str | None,
        machine_option(
            help="All recordings are of this machine. Default: the run's only one, or the one a folder is called."
        ),
    ] = None,
    method: Annotated[
        str | None,
        method_option(help="Whose threshold decides, where several methods have one."),
    ] = None,
    channel: LaterChannelOption = None,
    resample: LaterResampleOption = False,
    window: LaterWindowOption = None,
    hop: HopOption = None,
    shortest: Annotated[
        float,
        typer.Option(
            "--shortest", min=0, metavar="SECONDS", help="Events of long recordings that are shorter are none."
        ),
    ] = 0.0,
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            metavar="WHEN",
            help="When the first recording was begun (2019-10-03T14:05); where no name tells, the next follow at once. "
            "Default: names, folders, else file times.",
            show_default=False,
        ),
    ] = None,
    history: Annotated[
        bool,
        typer.Option("--history/--no-history", help="Keep what was found in the run's history.db, see asd history."),
    ] = True,
    why: Annotated[
        str,
        typer.Option(
            "--why",
            metavar=one_of(("N",), _ALL, NONE),
            help="Say of so many of the suspicious ones, the most suspicious first, how they sound beside normal ones.",
        ),
    ] = "5",
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Draw how suspicious long recordings are over time (.svg, .png, .pdf).",
            show_default=False,
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Write a row a recording (.csv, .parquet) as well.", show_default=False
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write a page of them to be looked at and listened to, as of asd report.",
            show_default=False,
        ),
    ] = None,
    plain_cells: PlainCellsOption = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 4 where something is suspicious.")] = False,
    device: DeviceOption = "auto",
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Say which recordings are suspicious, by what asd learn has learned. Nothing of that is changed.

    What was found is kept in the run's history, with the time of each recording: asd history lists it, asd drift looks
    for changes over time.

    Prints a line a recording, the most suspicious first: its score as a multiple of the threshold, above which it is
    suspicious; p, the share of normal recordings that would score as high; the verdict; and the normal recording that
    it is most like, to listen to both. Below it says what all of them mean together.

    Why says how the most suspicious sound beside the normal recordings that they are nearest to: which bands differ and
    when, and what pulses; or that nothing clear is found. asd explain FILE says more.

    Recordings are read as those that were learned: channel, sample rate, scale. A file that cannot be used is named and
    does not stop the rest. Long recordings are cut into windows as they were in learning: one is as suspicious as its
    worst window, and below it stand the events, from when to when it sounds wrong. One that is far quieter than all
    that were learned, or silent, says nothing of the machine and is not judged. Exits with 3 where there are such
    recordings.
    """
    from asdcli.artifacts import own
    from asdcli.pipeline.steps import check as step

    if start is not None and not history:
        raise UsageError("--start says when recordings were made, which --no-history does not keep", "leave one out")
    for written in (csv, html):
        if written:
            own.check(written, force=force)  # before the work, not after
    space = place.learned()
    checks = step.run(
        space,
        recordings,
        machine=machine,
        method=method,
        channel=channel,
        resample=resample,
        window_s=window,
        hop_s=hop,
        shortest_s=shortest,
        start=start,
        keep=history,
        plot=plot,
        force=force,
        whys=_whys(why),
        device=device,
        progress=talk.progress,
    )
    said = (*checks.said, *checks.untold)
    if talk.shows_tables:
        _show(checks.rows, said)
    outputs = [Output(checks.plot, "figure")] if checks.plot else []
    if csv:
        step.write(checks, csv, plain_cells=plain_cells, force=force, progress=talk.progress)
        outputs.append(Output(csv, "checks"))
    if html:
        from asdcli.pipeline.steps import check_page  # a page is not always asked for, and what it needs takes 0.1 s

        page = check_page.run(space, checks, html, method=method, device=device, force=force, progress=talk.progress)
        outputs.append(Output.of("report", page))
    if not talk.json:
        _tell(outputs, len(checks.rows), talk)
    facts = {
        "run": str(space.run),
        "recordings": [asdict(row) for row in checks.rows],
        "suspicious": checks.suspicious,
        "said": list(said),
    }
    return talk.answer(outputs, facts, skipped=checks.skipped, alarm=exit_code and checks.suspicious > 0)


def _tell(outputs: list[Output], n: int, talk: Talk) -> None:
    for one in outputs:
        talk.progress.note(f"wrote {one.path}" + (f": {n} rows" if one.kind == "checks" else ""))


def _whys(asked: str) -> int | None:
    """How many: None for all."""
    if asked in (_ALL, NONE):
        return None if asked == _ALL else 0
    if not asked.isdecimal():
        raise UsageError(f"--why takes a number, {_ALL} or {NONE}, not {asked!r}")
    return int(asked)


def _show(rows: tuple[CheckRow, ...], said: tuple[str, ...]) -> None:
    from asdcli.cli.console import say, stdout
    from asdcli.cli.tables import Grid, GridColumn, of_threshold, verdict_of
    from asdcli.wording import clock

    several = len({row.machine for row in rows}) > 1
    columns: list[GridColumn | str] = ["recording", *(["machine"] if several else [])]
    columns += [GridColumn("of threshold", number=True), GridColumn("p", number=True), "verdict", "most like"]
    whys = any(row.why for row in rows)
    grid = Grid(None, [*columns, *(["why"] if whys else [])], box=None)
    for row in rows:
        grid.add(
            row.recording,
            *([row.machine] if several else []),
            of_threshold(row.times, row.score),
            _rare(row),
            verdict_of(row.verdict),
            row.nearest,
            *([row.why or ""] if whys else []),
        )
        for event in row.events:
            blank = [""] * (len(grid.columns) - 3 - several)
            span = f"  from {clock(event.start_s)} to {clock(event.end_s)}"
            grid.add(span, *([""] if several else []), of_threshold(event.times, event.score), _rare(event), *blank)
    grid.show()
    console = stdout()
    for sentence in said:
        say(console, sentence)


def _rare(found: CheckRow | Event) -> str | None:
    return None if found.p_value is None else f"{found.p_value:.3g}"
