"""Read recordings from a table: CSV or Parquet, one row a recording, a path and whatever else is known."""

from __future__ import annotations

import csv
import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from asdcli import clips
from asdcli.errors import BadData
from asdcli.filenames import fault
from asdcli.layouts import labels
from asdcli.layouts.recording import LeftOut, Recording
from asdcli.vocabulary import ConditionFrom, Subset

PATHS = ("path", "file", "filename", "file_name", "wav")
"""The column names under which a manifest may say where a recording lies, in any case."""

GROUP = "group"
"""The column that says which recordings belong together, where it goes by no other name."""

_Table = dict[str, list[Any]]


def read_manifest(file: Path, root: Path, group: str | None = None) -> tuple[list[Recording], list[str]]:
    """Read `file`, whose paths are relative to `root` or absolute and below it.

    Args:
        file: `.parquet`, or CSV with a header line (comma, semicolon or tab; UTF-8).
        root: folder of the recordings.
        group: the column that says which recordings belong together, if there is one of that name; by default `group`.

    Returns:
        The recordings in the order of their paths, and the columns that are not used.

    Raises:
        BadData: no table, no path column, an empty or repeated path, a path outside `root`, words that are none of
            split, domain, condition or subset, or a machine type that cannot be a file name.
        OSError: the file cannot be read.
    """
    table = _parquet(file) if file.suffix.lower() == ".parquet" else _csv(file)
    columns = _columns(table, file, group)
    unused = [name for name in table if name not in columns.values()]
    values = {what: table[name] for what, name in columns.items()}
    paths = [_path(value, row, file, root) for row, value in enumerate(values.pop("path"), 1)]
    _refuse_repeated(paths, file)
    for what in (labels.COLUMNS.keys() & values.keys()) - {"attributes"}:
        values[what] = labels.values_of(values[what], what, columns[what], file)
    for name in set(values.get("machine_type", [])) - {None}:
        if why := fault(name):
            raise BadData(
                f"{file}: machine type {name!r} cannot be a file name: {why}", "leave out slashes and the like"
            )
    if GROUP in values:
        values[GROUP] = [labels.text(labels.whole(v)) for v in values[GROUP]]
    values["subset"] = [v or Subset.DEV for v in values.get("subset", [None] * len(paths))]
    if "attributes" in values:
        pairs = [_attributes(cell) for cell in values["attributes"]]
        values |= {"attributes": [p for p, _ in pairs], "attribute_string": [s for _, s in pairs]}
    if "condition" in values:  # also of empty cells: they say that nothing is known
        values["condition_from"] = [ConditionFrom.MANIFEST] * len(paths)
    names = list(values)
    rows = zip(paths, *values.values(), strict=True)
    recordings = [Recording(path, **dict(zip(names, rest, strict=True))) for path, *rest in rows]
    return sorted(recordings, key=lambda r: r.path), unused


def existing(
    read: Sequence[Recording], paths: Iterable[str], root: Path, file: Path
) -> tuple[list[Recording], list[LeftOut]]:
    """The recordings of the manifest `file` that exist; and of the others what lies there instead.

    Args:
        read: what it lists.
        paths: of the audio files below `root`.
        root: folder of the recordings.
        file: the manifest.

    Raises:
        BadData: not one exists.
    """
    found = set(paths)
    alike: dict[str, str] = {}
    for path in sorted(found, reverse=True):
        alike[clips.without_suffix(path.rpartition("/")[2])] = path
    alike |= {clips.without_suffix(path): path for path in found}
    there: list[Recording] = []
    lacking: list[LeftOut] = []
    for recording in read:
        if recording.path in found or (root / recording.path).exists():
            there.append(recording)
            continue
        name = clips.without_suffix(recording.path)
        instead = alike.get(name) or alike.get(name.rpartition("/")[2])
        reason = f"does not exist, though {file.name} lists it" + (f": {instead} is there" if instead else "")
        lacking.append(LeftOut(recording.path, reason, is_loss=True))
    if lacking and not there:
        first, (_, _, instead) = lacking[0], lacking[0].reason.partition(": ")
        such = f"{first.path} ({instead})" if instead else first.path
        raise BadData(
            f"{file}: not one of {len(lacking)} listed paths exists, such as {such}",
            f"paths are relative to {root}, and need their suffix",
        )
    return there, lacking


def _parquet(file: Path) -> _Table:
    from asdcli import parquets

    try:
        table = parquets.read(file)
    except parquets.DamagedParquet as error:
        raise BadData(f"{file} is not a Parquet file: {error}") from None
    if not len(table):
        raise BadData(f"{file} has no rows")
    return {name: table[name].to_pylist() for name in table.column_names}


def _csv(file: Path) -> _Table:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData(f"{file} is not UTF-8 text: {error.reason} at byte {error.start}", "save it as UTF-8") from None
    lines = text.splitlines()
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    rows = [(line, cells) for line, cells in _numbered(text, delimiter, file) if any(cells)]
    if len(rows) < 2:
        raise BadData(f"{file} has no rows" if rows else f"{file} is empty", "the first line names the columns")
    header = rows[0][1]
    twice = [name for name, n in Counter(header).items() if n > 1]
    if twice:
        raise BadData(f"{file}: column {twice[0]!r} comes twice")
    for line, cells in rows[1:]:
        if len(cells) != len(header):
            raise BadData(
                f"{file}, line {line}: {len(cells)} cells, but {len(header)} columns",
                f"a cell that holds {delimiter!r} needs quotes",
            )
    return {name: list(cells) for name, cells in zip(header, zip(*(c for _, c in rows[1:]), strict=True), strict=True)}


def _numbered(text: str, delimiter: str, file: Path) -> Iterable[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise BadData(f"{file}, line {reader.line_num}: {error}") from None


def _columns(table: _Table, file: Path, group: str | None) -> dict[str, str]:
    """What is said -> the table's own name of that column."""
    wanted = {"path": PATHS, **labels.COLUMNS, GROUP: ((group or GROUP).lower(),)}
    found = labels.columns_of(table, wanted, file)
    if "path" not in found:
        close = _close(list(table), PATHS)
        hint = f"did you mean {close[0]!r} to be the path? " if close else ""
        raise BadData(f"{file} has no column 'path': it has {', '.join(table)}", f"{hint}rename one column to 'path'")
    return found


def _close(names: Sequence[str], known: Iterable[str]) -> list[str]:
    return [n for n in names if difflib.get_close_matches(n.lower(), list(known), n=1, cutoff=0.6)]


def _path(value: Any, row: int, file: Path, root: Path) -> str:
    text = labels.text(value)
    if text is None:
        raise BadData(f"{file}, row {row}: the path is empty")
    path = PurePosixPath(text.replace("\\", "/"))
    if path.is_absolute():
        for base in (root.absolute(), root.resolve()):
            if path.is_relative_to(base):
                path = path.relative_to(base)
                break
    if path.is_absolute() and not Path(path).exists():
        return path.as_posix()  # of another machine, maybe: counted and named with the others that do not exist
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise BadData(f"{file}, row {row}: {text} lies outside {root}", "index a folder that holds all recordings")
    return path.as_posix()


def _refuse_repeated(paths: Sequence[str], file: Path) -> None:
    repeated = [path for path, n in Counter(paths).items() if n > 1]
    if repeated:
        raise BadData(f"{file}: {repeated[0]} has more than one row ({len(repeated)} such paths)", "keep one row each")


def _attributes(cell: Any) -> tuple[dict[str, str], str | None]:
    """(pairs, opaque string) of one cell: text in the DCASE form, or a Parquet map or struct."""
    if isinstance(cell, (dict, list)):
        pairs = {str(k): str(v) for k, v in dict(cell).items() if v is not None}
        return pairs, "_".join(f"{k}_{v}" for k, v in pairs.items()) or None
    text = labels.text(cell)
    return clips.parse_attributes(text), text
