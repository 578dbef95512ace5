"""Reads a user's own table of vectors (CSV, Parquet or npz) into text columns and one matrix.

Form is checked here, meaning by whoever asked.
"""

from __future__ import annotations

import csv
import hashlib
import re
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from asdcli.errors import BadData, MissingArtifact, UsageError

LABELS = ("clip_id", "machine_type", "split", "section", "subset", "domain", "condition", "attribute_string", "window")

_NUMBERED = re.compile(r"v(0|[1-9]\d*)")
_PLAIN = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_dictionary, pa.types.is_null)
_Content = tuple[dict[str, "list[str | None]"], np.ndarray]
HINT = (
    "columns: clip_id, machine_type, split, section?, domain?, condition?, subset?, window?, then v0, v1, … or vector"
)


@dataclass(frozen=True)
class ForeignTable:
    """What a foreign file holds.

    Attributes:
        columns: the label columns as text, None where empty.
        vectors: (n_rows, n_dims) float64; an empty cell is NaN.
        digest: of the file's bytes.
    """

    columns: dict[str, list[str | None]]
    vectors: np.ndarray
    digest: str


def read_foreign(path: Path) -> ForeignTable:
    """Read a CSV, Parquet or npz file of vectors.

    Raises:
        MissingArtifact: no such file.
        UsageError: another suffix.
        BadData: unreadable, no vectors, ragged or non-numeric vectors, columns of different lengths.
    """
    readers = {".csv": _csv, ".parquet": _parquet, ".npz": _npz}
    if path.suffix.lower() not in readers:
        raise UsageError(f"cannot import {path}: unknown format {path.suffix!r}", f"known: {', '.join(readers)}")
    if not path.is_file():
        raise MissingArtifact(f"no file {path}", "give --from a CSV, Parquet or npz file of vectors")
    columns, vectors = readers[path.suffix.lower()](path)
    for name, values in columns.items():
        if len(values) != len(vectors):
            raise BadData(f"{path}: {name} has {len(values)} entries for {len(vectors)} vectors")
    if not vectors.size:
        raise BadData(f"{path} holds no vectors", HINT)
    return ForeignTable(columns, vectors, hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest())


def _csv(path: Path) -> _Content:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            names = next(csv.reader(file), [])
        # labels are text: a section "00" must not become the number 0
        types = {name: pa.float64() if _NUMBERED.fullmatch(name) else pa.string() for name in names}
        options = pacsv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=["", "nan", "NaN"])
        return _split(path, pacsv.read_csv(path, convert_options=options))
    except (pa.ArrowInvalid, UnicodeDecodeError, csv.Error) as error:
        raise BadData(f"{path} cannot be read as CSV: {error}", HINT) from None


def _parquet(path: Path) -> _Content:
    try:
        return _split(path, pq.ParquetFile(path).read())
    except pa.ArrowInvalid as error:
        raise BadData(f"{path} cannot be read as Parquet: {error}", HINT) from None


def _npz(path: Path) -> _Content:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, zipfile.BadZipFile, EOFError, TypeError) as error:
        raise BadData(f"{path} cannot be read as npz: {error}", "save text as unicode arrays, not as objects") from None
    if "vectors" not in arrays:
        raise BadData(f"{path} has no array 'vectors', only: {', '.join(arrays) or 'nothing'}", HINT)
    vectors = arrays["vectors"]
    if vectors.ndim != 2 or vectors.dtype.kind not in "fiu":
        raise BadData(
            f"{path}: 'vectors' is {vectors.dtype} of shape {vectors.shape}, not numbers of shape (n, d)", HINT
        )
    columns = {}
    for name in LABELS:
        if name in arrays:
            array = arrays[name]
            if array.ndim != 1 or array.dtype.kind not in "USiu":
                raise BadData(f"{path}: {name!r} is {array.dtype} of shape {array.shape}, not text of shape (n,)")
            columns[name] = [_text(v.decode() if isinstance(v, bytes) else v) for v in array.tolist()]
    return columns, vectors.astype(np.float64)


def _split(path: Path, table: pa.Table) -> _Content:
    """Labels, and the matrix of either a `vector` list column or the columns v0, v1, …"""
    twice = [name for name, count in Counter(table.column_names).items() if count > 1]
    if twice:
        raise BadData(f"{path}: column {twice[0]!r} stands twice")
    columns = {}
    for name in LABELS:
        if name in table.column_names:
            kind = table[name].type
            if not any(fits(kind) for fits in _PLAIN):
                raise BadData(f"{path}: column {name!r} is {kind}, not text")
            columns[name] = [_text(v) for v in table[name].to_pylist()]
    if "vector" in table.column_names:
        return columns, _matrix_of_lists(path, table["vector"])
    return columns, _matrix_of_columns(path, table)


def _matrix_of_columns(path: Path, table: pa.Table) -> np.ndarray:
    numbers = sorted(int(m[1]) for name in table.column_names if (m := _NUMBERED.fullmatch(name)))
    if not numbers:
        raise BadData(f"{path} has no vectors: neither a list column 'vector' nor v0, v1, …", HINT)
    if numbers != list(range(len(numbers))):
        gap = min(set(range(len(numbers))) - set(numbers))
        raise BadData(f"{path}: column v{gap} is missing; the last is v{numbers[-1]}")
    vectors = np.empty((len(table), len(numbers)))
    for i in numbers:
        try:
            vectors[:, i] = table[f"v{i}"].cast(pa.float64()).to_numpy()  # an empty cell becomes NaN
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise BadData(f"{path}: column v{i} is {table[f'v{i}'].type}, not numbers") from None
    return vectors


def _matrix_of_lists(path: Path, column: pa.ChunkedArray) -> np.ndarray:
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise BadData(f"{path}: column 'vector' is {kind}, not lists of numbers", "in a CSV write v0, v1, … instead")
    widths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    odd = np.flatnonzero(widths != widths[:1])
    if len(odd):
        raise BadData(f"{path}: ragged vectors: {widths[odd[0]]} numbers in row {odd[0]}, {widths[0]} in row 0")
    try:
        flat = column.combine_chunks().flatten().cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise BadData(f"{path}: column 'vector' is {kind}, not lists of numbers") from None
    return flat.to_numpy(zero_copy_only=False).reshape(len(widths), -1)


def _text(value: object) -> str | None:
    """Text of a label; empty means unknown."""
    return None if value is None or value == "" else str(value)
