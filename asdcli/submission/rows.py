"""The lines of a challenge CSV: no header, one test clip a line, its file name and its score or decision (0 or 1)."""

from __future__ import annotations

import csv
import math
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from asdcli.clips import without_suffix
from asdcli.errors import BadData
from asdcli.files import require_file


@dataclass(frozen=True)
class Row:
    """One line: the clip's file name as it stands there, and a finite value."""

    line: int
    name: str
    value: float

    @property
    def stem(self) -> str:
        """The name without folder and suffix."""
        return _stem(self.name)


def number(text: str) -> float | None:
    """What a cell says in digits, as every program reads it; None where it says none (`1_000` is Python's own)."""
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None


def text(rows: Iterable[tuple[str, float | int]]) -> str:
    """(file name, value) lines; a score keeps every digit it has."""
    return "".join(f"{name},{value!r}\n" for name, value in rows)


def read(path: Path, *, decisions: bool = False) -> list[Row]:
    """The rows of a CSV. Raises BadData naming the first line that is not in order."""
    rows, problems = scan(path, decisions=decisions)
    if problems:
        raise BadData(problems[0], f"see everything that is wrong: asd submit --check {shlex.quote(str(path.parent))}")
    return rows


def scan(path: Path, *, decisions: bool) -> tuple[list[Row], list[str]]:
    """The readable rows of a CSV, and a sentence for each line that is not in order."""
    rows: list[Row] = []
    problems: list[str] = []
    first_seen: dict[str, int] = {}
    for line, cells in _lines(path):
        where = f"{path.name}, line {line}"
        if len(cells) != 2:
            problems.append(f"{where}: {len(cells)} fields instead of a file name and a value")
            continue
        name, text = cells[0].strip(), cells[1].strip()
        if (value := number(text)) is None:
            problems.append(f"{where}: {text!r} is not a number" + (" (a header?)" if line == 1 else ""))
            continue
        if not math.isfinite(value):
            problems.append(f"{where}: the value of {name} is {text}")
        elif decisions and value not in (0, 1):
            problems.append(f"{where}: the decision on {name} is {text}, neither 0 nor 1")
        elif name in first_seen:
            problems.append(f"{where}: {name} is in line {first_seen[name]} already")
        else:
            first_seen[name] = line
            rows.append(Row(line, name, value))
    return rows, problems


def read_aliases(path: Path) -> Iterator[tuple[str | None, list[str]]]:
    """(machine type or None, names of one clip without suffix) from the organisers' lists of renamed test files.

    Reads lists in which a line of its own names the machine type of the clips after it, and tables of two or three
    names a row, which name none.
    """
    machine_type = None
    for _, cells in _lines(path):
        filled = [c.strip() for c in cells if c.strip()]
        names = [_stem(c) for c in filled if not c.isdigit()]
        if len(filled) == 1:
            machine_type = filled[0]
        elif len(names) > 1:
            yield machine_type, names


def _stem(name: str) -> str:
    """A file's name without suffix, of a path as any system writes it."""
    return without_suffix(PureWindowsPath(name).name)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of the lines that are not empty."""
    try:
        with require_file(path).open(newline="", encoding="utf-8-sig") as file:
            for line, cells in enumerate(csv.reader(file), start=1):
                if any(c.strip() for c in cells):
                    yield line, cells
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadData(f"{path} is not a CSV: {error}") from None
