"""Reads a table that somebody brought (CSV, Parquet or npz): its columns, and its labels in the field's words.

Form is checked here; what the other columns mean, by whoever asked.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from asdcli import artifacts, parquets
from asdcli.artifacts.npz import read_entries
from asdcli.clips import without_suffix
from asdcli.errors import BadData, MissingArtifact, UsageError
from asdcli.files import require_file
from asdcli.layouts import labels
from asdcli.zips import DamagedZip

_FILE_NAMES = ("filename", "file_name", "file", "path", "name")  # say the clip where no column is called clip_id
_ATTRIBUTES = labels.COLUMNS["attributes"]
_LABELS = {"clip_id": ("clip_id",), **labels.COLUMNS, "window": ("window",)}


@dataclass(frozen=True)
class ForeignTable:
    """What a foreign file holds.

    Attributes:
        path: of the file.
        table: its columns as they are; text columns are strings.
        labels: what it says of each row, by what is said (`machine_type`, …, also `clip_id`, `window`, and
            `attribute_string` as text), in the field's words; None where empty.
        digest: of the file's bytes.
    """

    path: Path
    table: pa.Table
    labels: dict[str, list[Any]]
    digest: str

    def __len__(self) -> int:
        return len(self.table)


def read_foreign(path: Path, *, numeric: Callable[[str], bool]) -> ForeignTable:
    """Read a CSV (comma, semicolon or tab; UTF-8), Parquet or npz file.

    Args:
        path: ends in .csv, .parquet or .npz.
        numeric: whether a column of this name holds numbers; those of a CSV are read as such, all others as text.

    Raises:
        MissingArtifact: no such file.
        UsageError: another suffix.
        BadData: unreadable, columns of different lengths, a repeated or an odd column, or unknown words in a label.
    """
    readers: dict[str, Callable[[], pa.Table]] = {
        ".csv": lambda: _csv(path, numeric),
        ".tsv": lambda: _csv(path, numeric),
        ".parquet": lambda: _parquet(path),
        ".npz": lambda: _npz(path),
    }
    suffix = path.suffix.lower()
    if suffix not in readers:
        raise UsageError(f"cannot import {path}: unknown format {path.suffix!r}", f"known: {', '.join(readers)}")
    try:
        require_file(path)
    except FileNotFoundError:
        raise MissingArtifact(f"no file {path}", "name a CSV, Parquet or npz file") from None
    table = readers[suffix]()
    twice = [name for name, count in Counter(table.column_names).items() if count > 1]
    if twice:
        raise BadData(f"{path}: column {twice[0]!r} stands twice")
    digest = artifacts.digest_bytes(path.read_bytes())
    return ForeignTable(path, table, _labels(path, table), digest)


def _csv(path: Path, numeric: Callable[[str], bool]) -> pa.Table:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            line = file.readline()
        delimiter = max(",;\t", key=line.count)
        names = next(csv.reader([line], delimiter=delimiter), [])
        # labels are text: a section "00" must not become the number 0
        types = {name: pa.float64() if numeric(name.lower()) else pa.string() for name in names}
        convert = pacsv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=["", "nan", "NaN"])
        return pacsv.read_csv(
            path, parse_options=pacsv.ParseOptions(delimiter=delimiter), convert_options=convert
        ).rename_columns([name.strip() for name in names])
    except (pa.ArrowInvalid, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise BadData(f"{path} cannot be read as CSV: {error}", "the first line names the columns") from None


def _parquet(path: Path) -> pa.Table:
    try:
        return parquets.read(path)
    except parquets.DamagedParquet as error:
        raise BadData(f"{path} cannot be read as Parquet: {error}") from None


def _npz(path: Path) -> pa.Table:
    """One column an array: text and numbers (n,), and a matrix (n, d) as lists."""
    try:
        arrays = read_entries(path, lambda name: name != "asd")  # the header of our own files
    except DamagedZip as error:
        raise BadData(f"{path} cannot be read as npz: {error}", "save text as unicode arrays, not as objects") from None
    if not arrays:
        raise BadData(f"{path} holds no arrays")
    columns = {}
    for name, array in arrays.items():
        if array.ndim == 2 and array.dtype.kind in "fiu" and array.size:
            flat = pa.array(np.ascontiguousarray(array, np.float64).reshape(-1))
            columns[name] = pa.FixedSizeListArray.from_arrays(flat, array.shape[1])
        elif array.ndim == 1 and array.dtype.kind in "USiufb":
            values = _decoded(path, name, array) if array.dtype.kind == "S" else array
            columns[name] = pa.array(values.tolist() if values.dtype.kind == "U" else values)
        elif name in _LABELS or not array.size or array.ndim > 2:
            columns[name] = None
    odd = [name for name, column in columns.items() if column is None]
    if odd:
        shape = f"{arrays[odd[0]].dtype} of shape {arrays[odd[0]].shape}"
        raise BadData(f"{path}: {odd[0]!r} is {shape}, neither one value a row nor numbers of shape (n, d)")
    lengths = Counter(map(len, columns.values()))
    usual, _ = lengths.most_common(1)[0]
    for name, column in columns.items():
        if len(column) != usual:
            raise BadData(f"{path}: {name} has {len(column)} entries, the others have {usual}")
    return pa.table(columns)


def _decoded(path: Path, name: str, array: np.ndarray) -> np.ndarray:
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError as error:
        raise BadData(
            f"{path}: {name!r} holds bytes that are not UTF-8 text ({error.reason})", "save text as unicode arrays"
        ) from None


def _labels(path: Path, table: pa.Table) -> dict[str, list[Any]]:
    said = {}
    names = table.column_names
    by_lower = {name.lower().strip(): name for name in names}
    if "clip_id" not in by_lower and (files := [by_lower[name] for name in _FILE_NAMES if name in by_lower]):
        said["clip_id"] = [_without_suffix(labels.text(c)) for c in table[files[0]].to_pylist()]
    if set(_ATTRIBUTES) <= set(names):  # tables of asdcli have both, which say the same
        names.remove("attributes")
    for what, name in labels.columns_of(names, _LABELS, path).items():
        cells = table[name].to_pylist()
        odd = next((c for c in cells if not isinstance(labels.whole(c), (str, int, type(None))) and c == c), None)
        if odd is not None and what != "attributes":
            raise BadData(f"{path}: column {name!r} is {table[name].type}, not text")
        if what == "attributes":
            said["attribute_string"] = [c if isinstance(c, str) and c else None for c in cells]
        else:
            said[what] = labels.values_of(cells, what, name, path)
    return said


def _without_suffix(file: str | None) -> str | None:
    """A clip_id is the path of a file without its suffix, as POSIX has it."""
    return None if file is None else without_suffix(file.replace("\\", "/"))
