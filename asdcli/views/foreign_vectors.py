"""The vectors of a table that somebody brought: one matrix, from columns v0, v1, … or one column of lists."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.errors import BadData
from asdcli.views.foreign import ForeignTable

_NUMBERED = re.compile(r"v(0|[1-9]\d*)")
_LISTS = ("vector", "vectors", "embedding", "embeddings")
HINT = (
    "columns: clip_id, machine_type, split, section?, domain?, condition?, subset?, window?, then v0, v1, … or vector"
)


def numeric(name: str) -> bool:
    """Whether a column of this name is one coordinate of the vectors."""
    return _NUMBERED.fullmatch(name) is not None


def vectors_of(foreign: ForeignTable) -> np.ndarray:
    """(n_rows, n_dims) float64; an empty cell is NaN.

    Raises:
        BadData: no vectors, ragged ones, or not numbers.
    """
    by_lower = {name.lower(): foreign.table[name] for name in foreign.table.column_names}
    lists = [by_lower[name] for name in _LISTS if name in by_lower]
    vectors = _of_lists(foreign.path, lists[0]) if lists else _of_columns(foreign.path, by_lower)
    if not vectors.size:
        raise BadData(f"{foreign.path} holds no vectors", HINT)
    return vectors


def _of_columns(path: Path, columns: dict[str, pa.ChunkedArray]) -> np.ndarray:
    numbers = sorted(int(m[1]) for name in columns if (m := _NUMBERED.fullmatch(name)))
    if not numbers:
        raise BadData(f"{path} has no vectors, only: {', '.join(columns)}", HINT)
    if numbers != list(range(len(numbers))):
        gap = min(set(range(len(numbers))) - set(numbers))
        raise BadData(f"{path}: column v{gap} is missing; the last is v{numbers[-1]}")
    vectors = np.empty((len(columns["v0"]), len(numbers)))
    for i in numbers:
        try:
            vectors[:, i] = columns[f"v{i}"].cast(pa.float64()).to_numpy()  # an empty cell becomes NaN
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise BadData(f"{path}: column v{i} is {columns[f'v{i}'].type}, not numbers") from None
    return vectors


def _of_lists(path: Path, column: pa.ChunkedArray) -> np.ndarray:
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise BadData(f"{path}: column 'vector' is {kind}, not lists of numbers", "in a CSV write v0, v1, … instead")
    widths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    odd = np.flatnonzero(widths != widths[:1])
    if len(odd):
        raise BadData(f"{path}: ragged vectors: {widths[odd[0]]} numbers in row {odd[0] + 1}, {widths[0]} in row 1")
    try:
        flat = column.combine_chunks().flatten().cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise BadData(f"{path}: column 'vector' is {kind}, not lists of numbers") from None
    return flat.to_numpy(zero_copy_only=False).reshape(len(widths), -1)
