"""Tables that fit the terminal: text folds, numbers are never cut, columns without room go to a further table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import HEAVY_HEAD, Box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from asdcli.cli.console import stdout
from asdcli.visible import visible

NOTHING = "–"
_FOLDED = 16  # a text column is made no narrower than this


@dataclass(frozen=True)
class GridColumn:
    """One column of a `Grid`.

    Attributes:
        heading: lines are broken where it says so (`AUC\\n(source)`).
        number: aligned to the right and never folded.
        rank: what finds no room goes, the largest rank first, to a further table; 0 is in the first one.
    """

    heading: str
    number: bool = False
    rank: int = 1


class Grid:
    """Rows of cells under columns, the first `keys` of which tell the rows apart and stand in every table.

    Args:
        title: above the (first) table; None for none.
        columns: a text is a `GridColumn` of text.
        box: how lines are drawn; None for none.
    """

    def __init__(
        self, title: str | None, columns: Iterable[GridColumn | str], *, keys: int = 1, box: Box | None = HEAVY_HEAD
    ) -> None:
        self.title, self.keys, self.box = title and _cell(title), keys, box
        self.columns = [c if isinstance(c, GridColumn) else GridColumn(c) for c in columns]
        self.rows: list[tuple[list[Text], bool]] = []

    def add(self, *cells: Any, ends_section: bool = False) -> None:
        """Add a row. A cell is a `Text`, or anything as plain text (None: nothing known)."""
        texts = [c if isinstance(c, Text) else Text(NOTHING if c is None else _cell(c)) for c in cells]
        self.rows.append((texts, ends_section))

    def end_section(self) -> None:
        """Draw a line below the last row."""
        if self.rows:
            self.rows[-1] = (self.rows[-1][0], True)

    def tables(self, width: int) -> list[Table]:
        """As many tables as it takes for columns of `width` characters."""
        keys = list(range(self.keys))
        others = sorted(range(self.keys, len(self.columns)), key=lambda i: self.columns[i].rank)
        chunks: list[list[int]] = [[]]
        for i in others:
            if chunks[-1] and sum(map(self._least, [*keys, *chunks[-1], i])) + 1 > width:
                chunks.append([])
            chunks[-1].append(i)
        return [self._table([*keys, *sorted(chunk)], width, first=n == 0) for n, chunk in enumerate(chunks)]

    def show(self, console: Console | None = None) -> None:
        """Print to the terminal (stdout)."""
        console = console or stdout()
        for n, table in enumerate(self.tables(console.width)):
            if n and self.box is None:
                console.print()
            console.print(table, soft_wrap=False)

    def _least(self, i: int) -> int:
        """The characters that column `i` needs, with what stands between columns."""
        heading = max(map(len, self.columns[i].heading.splitlines()), default=0)
        longest = max([heading, *(row[i].cell_len for row, _ in self.rows)])
        return (longest if self.columns[i].number else min(longest, max(_FOLDED, heading))) + (3 if self.box else 2)

    def _table(self, chosen: Sequence[int], width: int, *, first: bool) -> Table:
        title = Text(self.title) if self.title and first else None
        table = Table(
            title=title, title_justify="left", header_style="bold", box=self.box, pad_edge=self.box is not None
        )
        for i in chosen:
            column = self.columns[i]
            if column.number:
                table.add_column(visible(column.heading), justify="right", no_wrap=True)
            else:
                table.add_column(visible(column.heading), overflow="fold")
        texts = [i for i in chosen if not self.columns[i].number]
        room = width - 1 - sum(self._least(i) for i in chosen if i not in texts) - (3 if self.box else 2)
        for row, ends_section in self.rows:
            cells = [_folded(row[i], room) if texts == [i] else row[i] for i in chosen]
            table.add_row(*cells, end_section=ends_section)
        return table


def _cell(content: Any) -> str:
    return visible(str(content), newlines=False)


def _folded(text: Text, width: int) -> Text:
    """A spelling broken behind its punctuation (`varmin:k=16,` / `val=train-all`) where it is wider than `width`."""
    lines = [""]
    for piece in re.findall(r"[^,:/+]*[,:/+]?", text.plain):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
    return Text("\n".join(lines), style=text.style) if len(lines) > 1 else text


def of_threshold(times: float | None, score: float | None) -> str | None:
    """A score as a multiple of the threshold (`3.20 x`); the score itself where that is none, None without any."""
    return f"{times:.2f} x" if times is not None else None if score is None else f"{score:.4g}"


def verdict_of(verdict: str) -> Text:
    """A verdict as its cell shows it."""
    return Text(verdict, style={"suspicious": "bold red", "normal": ""}.get(verdict, "yellow"))


def number(value: float | None, *, bold: bool = False, digits: int = 4) -> Text:
    """A figure with fixed digits; nothing known is a dash."""
    if value is None:
        return Text(NOTHING, style="dim")
    return Text(f"{value:.{digits}f}", style="bold" if bold else "")
