"""Tables for papers: rows of cells with their notes and lines, and how they read as Markdown, LaTeX, CSV and JSON.

What a sheet shows stands in its records too, a mapping a cell, so that no format knows more than another.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from asdcli.visible import in_json, visible
from asdcli.writing.spreadsheet import write_csv

TableName = Literal["varmin", "dns", "compare"]
"""What `asd table` makes."""
TableColumns = Literal["dataset", "machine-type"]
"""What a column of a comparison is."""
SheetFormat = Literal["text", "markdown", "latex", "csv", "json"]
SUFFIXES: dict[str, SheetFormat] = {"txt": "text", "md": "markdown", "tex": "latex", "csv": "csv", "json": "json"}
"""Suffix of a file -> the format that it is taken to ask for."""
TIED, BEST, NOTHING = "≈", "*", "–"
"""Behind a figure: it is not told apart from the best one; it is the best (beside bold, where there is none)."""


@dataclass(frozen=True)
class Shown:
    """A cell as it is read: a text, whether it is best, whether it is tied with the best."""

    text: str
    best: bool = False
    tied: bool = False


@dataclass(frozen=True)
class SheetRow:
    """What tells the row apart, and its cells; without cells it is a heading over the rows that follow."""

    keys: tuple[str, ...]
    cells: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        name: short, for programs: `varmin-1`.
        title: its caption.
        keys: headings of what tells rows apart.
        columns: headings of the cells; a line end parts what stands above from what stands below.
        rows: in their order.
        notes: sentences below it.
        signatures: lines that say how its numbers were made.
        records: name -> value, a mapping a cell, JSON-ready and all with the same names; `signature` is its line.
    """

    name: str
    title: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    notes: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    records: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


def markdown(sheets: Sequence[Sheet]) -> str:
    """Tables as GitHub and pandoc read them."""
    return "\n".join(_markdown(sheet) for sheet in sheets)


def latex(sheets: Sequence[Sheet]) -> str:
    """Tables for a document that loads booktabs; what is wider than the text is made to fit it (graphicx)."""
    head = "% \\usepackage{booktabs,graphicx}\n"
    return head + "\n".join(_latex(sheet) for sheet in sheets)


def as_csv(sheets: Sequence[Sheet]) -> str:
    """A row a cell of all tables, each with the line of its number; notes stand in the first row of their table."""
    import pyarrow as pa

    records = [
        {"table": s.name, **record, "notes": None if i else "; ".join(s.notes)}
        for s in sheets
        for i, record in enumerate(s.records)
    ]
    names = dict.fromkeys(name for record in records for name in record)
    table = pa.table({name: [_flat(record.get(name)) for record in records] for name in names})
    written = io.BytesIO()
    write_csv(table, written)
    return written.getvalue().decode()


def as_json(sheets: Sequence[Sheet]) -> str:
    """All that is known of the tables."""
    return in_json(json.dumps({"tables": plain(sheets)}, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def plain(sheets: Sequence[Sheet]) -> list[dict[str, Any]]:
    """The tables JSON-ready."""
    return [
        {
            "name": s.name,
            "title": s.title,
            "cells": [dict(record) for record in s.records],
            "notes": list(s.notes),
            "signatures": list(s.signatures),
        }
        for s in sheets
    ]


WRITTEN: dict[SheetFormat, Callable[[Sequence[Sheet]], str]] = {
    "markdown": markdown,
    "latex": latex,
    "csv": as_csv,
    "json": as_json,
}
"""How tables are written in every format but `text`, which is for a terminal."""


def _flat(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else value


def _markdown(sheet: Sheet) -> str:
    headings = [_md(h.replace("\n", " ")) for h in (*sheet.keys, *sheet.columns)]
    lines = [f"**{_md(sheet.title)}**", "", _bars(headings)]
    lines.append(_bars([":---"] * len(sheet.keys) + ["---:"] * len(sheet.columns)))
    for row in sheet.rows:
        keys = [_md(k) for k in row.keys] if row.cells else [f"*{_md(k)}*" for k in row.keys if k]
        cells = [_md_cell(cell) for cell in row.cells]
        lines.append(_bars([*keys, *cells, *[""] * (len(headings) - len(keys) - len(cells))]))
    lines += ["", *(f"* {_md(note)}" for note in sheet.notes)]
    lines += ["", "```text", *map(visible, sheet.signatures), "```", ""]
    return "\n".join(lines)


def _bars(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _md_cell(cell: Shown) -> str:
    text = _md(cell.text)
    return (f"**{text}**" if cell.best else text) + (f" {TIED}" if cell.tied else "")


def _md(text: str) -> str:
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", visible(text, newlines=False))


_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",  # \textquotedbl needs a font encoding that a document may not have
    "±": r"$\pm$",
    "−": "$-$",
    "–": r"\textendash{}",
    "≈": r"$\approx$",
    "≥": r"$\geq$",
    "σ": r"$\sigma$",
    "†": r"$\dagger$",
    "×": r"$\times$",
    "…": r"\dots{}",
}


def tex(text: str) -> str:
    """A text as LaTeX prints it; letters beyond ASCII are left to the document's own encoding."""
    return "".join(_TEX.get(c, c) for c in visible(text, newlines=False)).replace("--", "-{}-")


def _latex(sheet: Sheet) -> str:
    n_keys, n = len(sheet.keys), len(sheet.keys) + len(sheet.columns)
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{_caption(sheet)}}}", rf"\label{{tab:{sheet.name}}}"]
    lines += [r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"]
    lines += [rf"\begin{{tabular}}{{{'l' * n_keys}{'r' * len(sheet.columns)}}}", r"\toprule"]
    parts = [h.split("\n") for h in (*sheet.keys, *sheet.columns)]
    for i in range(max(map(len, parts))):
        lines.append(_ampersands([tex(p[i]) if i < len(p) else "" for p in parts]))
    lines.append(r"\midrule")
    for i, row in enumerate(sheet.rows):
        if not row.cells:
            lines += [r"\addlinespace"] if i else []
            lines.append(rf"\multicolumn{{{n}}}{{l}}{{\textit{{{tex(' '.join(filter(None, row.keys)))}}}}} \\")
        else:
            lines.append(_ampersands([*map(tex, row.keys), *map(_tex_cell, row.cells)]))
    lines += [r"\bottomrule", r"\end{tabular}}", r"\par\footnotesize\raggedright"]
    lines += [rf"{tex(note)}\par" for note in sheet.notes]
    lines += [rf"\texttt{{{_breakable(tex(line))}}}\par" for line in sheet.signatures]
    return "\n".join([*lines, r"\end{table}", ""])


def _caption(sheet: Sheet) -> str:
    """The title without the number that the table has in its paper: LaTeX gives it one."""
    return tex(re.sub(r"^Table \w+: ", "", sheet.title))


def _breakable(signature: str) -> str:
    """With places at which a line may end, of which a signature in LaTeX has none by itself."""
    return re.sub(r"(\\textbar\{\}|[:,])", r"\1\\allowbreak{}", signature)


def _ampersands(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _tex_cell(cell: Shown) -> str:
    text = tex(cell.text)
    return (rf"\textbf{{{text}}}" if cell.best else text) + (rf"\,{tex(TIED)}" if cell.tied else "")
