"""A sweep watched: a table that is drawn anew on a terminal, elsewhere a line for what has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from asdcli.cli.console import stdout
from asdcli.cli.tables import Grid, GridColumn
from asdcli.sweep.status import STATES, SweepStatus, changed

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from asdcli.cli.talk import Talk

_OTHERS = 5  # lines of a terminal that are not rows: title, heading, what is not shown, counts, cursor
_FIRST = ("running", "failed", "waiting", "done")

Look = Callable[[], SweepStatus]


def watch(look: Look, title: str, talk: Talk, *, every_s: float) -> SweepStatus:
    """Look again and again until every cell is done or failed; what was seen last.

    Args:
        look: looks once.
        title: of the table.
        talk: says where it goes.
        every_s: seconds between two looks.
    """
    console = stdout()
    if talk.shows_tables and console.is_terminal:
        return _live(look, title, console, every_s)
    return _lines(look, talk, every_s)


def grid_of(found: SweepStatus, title: str, most: int | None = None) -> Grid:
    """The cells as a table: all in the order of the plan, or `most` of them, what goes on first."""
    columns = [GridColumn("state", rank=0), GridColumn("time", number=True, rank=1), GridColumn("", rank=0)]
    grid = Grid(title, ["run", *columns], box=None)
    cells = list(found.cells)
    if most is not None and len(cells) > most:
        cells = sorted(cells, key=lambda cell: _FIRST.index(cell.state))[:most]
    for cell in cells:
        grid.add(cell.name, cell.state, clock(cell.seconds), cell.told)
    return grid


def summary(found: SweepStatus) -> str:
    """`2 done, 1 running; about 0:04:00 left`."""
    counts = {state: found.count(state) for state in STATES}
    left = f"; about {clock(found.left_s)} left" if found.left_s else ""
    return f"{', '.join(f'{n} {state}' for state, n in counts.items() if n)}{left}"


def clock(seconds: float | None) -> str | None:
    """`0:13:20`."""
    return None if seconds is None else str(timedelta(seconds=round(seconds)))


def _live(look: Look, title: str, console: Console, every_s: float) -> SweepStatus:
    """The last picture gives way to the whole table; it stays where somebody ended this."""
    from rich.live import Live

    found = look()
    with Live(_picture(found, title, console), console=console, auto_refresh=False, transient=True) as live:
        try:
            while not found.is_over:
                time.sleep(every_s)
                found = look()
                live.update(_picture(found, title, console), refresh=True)
        except BaseException:
            live.transient = False
            raise
    return found


def _picture(found: SweepStatus, title: str, console: Console) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    rows = max(1, console.height - _OTHERS)
    left_out = len(found.cells) - rows
    more = [Text(f"… and {left_out} more")] if left_out > 0 else []
    return Group(*grid_of(found, title, rows).tables(console.width), *more, Text(summary(found)))


def _lines(look: Look, talk: Talk, every_s: float) -> SweepStatus:
    before: SweepStatus | None = None
    while True:
        found = look()
        news = changed(before, found)
        for cell in news:
            told = cell.told or (f"in {clock(cell.seconds)}" if cell.seconds is not None else "")
            talk.progress.note(f"{cell.name}: {cell.state}{f', {told}' if told else ''}")
        if news or before is None:
            talk.progress.note(summary(found))
        if found.is_over:
            return found
        before = found
        time.sleep(every_s)
