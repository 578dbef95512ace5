"""Digests of content: of bytes, of a table, of named arrays, of a header.

They depend on what is there, not on how Arrow, numpy or JSON happen to lay it out: a table that went to disk and came
back has the digest it had, with any version of pyarrow.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.artifacts.blocks import BLOCK, BlockDigests

SEAL = "seal"
"""The field of a header that holds the digest of all its other fields."""
_READ_AT_ONCE = 1 << 20  # bytes of a file


def digest_bytes(*parts: bytes) -> str:
    """Digest of bytes, one part after the other: of files that are taken as they are."""
    digest = _hash()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def digest_file(path: Path) -> str:
    """Digest of the bytes of a file of any size, as `digest_bytes`. Raises OSError where it cannot be read."""
    digest = _hash()
    with path.open("rb") as file:
        while block := file.read(_READ_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


def digest_arrays(arrays: Mapping[str, np.ndarray], known: Mapping[str, bytes] | None = None) -> str:
    """Digest of names, dtypes, shapes and bytes, independent of the mapping's order.

    Of arrays longer than a block the bytes are digested block by block, in threads, and then those digests.

    Args:
        arrays: by name.
        known: name -> the digests of an array's blocks, of arrays that were digested while they were made.
    """
    return _digest(arrays, known or {}, BLOCK)


def are_arrays_of(said: str, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether `said` is the digest of `arrays`: as it is made now, or all in one stream, as the first versions did."""
    if digest_arrays(arrays) == said:
        return True
    longest = max((array.nbytes for array in arrays.values()), default=0)
    return longest > BLOCK and _digest(arrays, {}, longest) == said


def digest_table(table: pa.Table) -> str:
    """Digest of names, types, nulls and values in their order; chunks, slices and encodings make no difference.

    The tables of a run's methods begin with the same columns of labels: to see that they are the same takes less than
    to digest them again, so it goes on from where the last table's next column differed.
    """
    global _last
    last, states = _last
    same = _in_common(last, table)
    states = states[:same]
    digest = states[-1].copy() if states else _hash()
    for name, column in zip(table.column_names[same:], table.columns[same:], strict=True):
        digest.update(f"{name}|{len(column)}|".encode())
        _feed(digest, column.type, column.chunks)
        states.append(digest.copy())
    if table.nbytes <= _KEPT:
        _last = table, states
    return digest.hexdigest()


def seal_of(fields: Mapping[str, Any]) -> str:
    """Digest of a header's fields as JSON, its seal left out."""
    rest = {name: value for name, value in fields.items() if name != SEAL}
    digest = _hash()
    digest.update(json.dumps(rest, sort_keys=True).encode())
    return digest.hexdigest()


_KEPT = 16 << 20  # bytes of the last table: more is not held for a table that may come
_last: tuple[pa.Table, list[hashlib.blake2b]] = (pa.table({}), [])
"""The last table that was not too large, and the state of its digest after each column; replaced as one."""


def _in_common(one: pa.Table, other: pa.Table) -> int:
    """With how many columns both begin: names, types, values. Of numbers with a point nobody asks: -0.0 equals 0.0."""
    pairs = zip(one.column_names, other.column_names, one.columns, other.columns, strict=False)
    for n, (name, another, column, its) in enumerate(pairs):
        if name != another or column.type != its.type or not _is_exact(column.type) or not column.equals(its):
            return n
    return min(one.num_columns, other.num_columns)


def _is_exact(kind: pa.DataType) -> bool:
    """Whether values of a type are equal only where their bytes are."""
    if pa.types.is_map(kind):
        return _is_exact(kind.key_type) and _is_exact(kind.item_type)
    return pa.types.is_string(kind) or pa.types.is_integer(kind)


def _digest(arrays: Mapping[str, np.ndarray], known: Mapping[str, bytes], longest: int) -> str:
    """As `digest_arrays`, of which arrays of more than `longest` bytes are digested block by block."""
    digest = _hash()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        if array.nbytes <= longest:
            digest.update(_content(array))
        else:
            digest.update(f"blocks of {BLOCK}|".encode())
            digest.update(known.get(name) or _of_blocks(array))
    return digest.hexdigest()


def _content(array: np.ndarray) -> memoryview:
    return array.view(np.uint8).data if array.size and array.dtype.kind != "U" else memoryview(array.tobytes())


def _of_blocks(array: np.ndarray) -> bytes:
    with contextlib.closing(BlockDigests()) as blocks:
        blocks.add(_content(array).cast("B"))
        return blocks.finish()


def _hash() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16)


def _feed(digest: hashlib.blake2b, kind: pa.DataType, chunks: Sequence[pa.Array]) -> None:
    """One column (or what its lists hold), of which `chunks` are the pieces: what is null, then what is not."""
    if any(chunk.null_count for chunk in chunks):
        valid = np.concatenate([chunk.is_valid().to_numpy(zero_copy_only=False) for chunk in chunks])
        digest.update(b"nulls|")
        digest.update(np.packbits(valid).data)
        chunks = [chunk.drop_null() for chunk in chunks]  # whatever lies under a null is nobody's content
    if pa.types.is_dictionary(kind):
        _feed(digest, kind.value_type, [chunk.dictionary_decode() for chunk in chunks])
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        digest.update(b"text|")
        chunks = [chunk.cast(pa.large_string()) for chunk in chunks]
        _lengths(digest, [pc.binary_length(chunk) for chunk in chunks])
        for chunk in chunks:
            ends = np.frombuffer(chunk.buffers()[1], np.int64)[chunk.offset :][: len(chunk) + 1] if len(chunk) else [0]
            digest.update(memoryview(chunk.buffers()[2] or b"")[ends[0] : ends[-1]])
    elif pa.types.is_map(kind):
        digest.update(b"map|")
        _lengths(digest, [pc.subtract(chunk.offsets[1:], chunk.offsets[:-1]) for chunk in chunks])
        for child, name in ((kind.key_type, "keys"), (kind.item_type, "items")):
            _feed(digest, child, [_within(chunk, getattr(chunk, name)) for chunk in chunks])
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        digest.update(f"list of {kind.list_size if pa.types.is_fixed_size_list(kind) else 'any'}|".encode())
        _lengths(digest, [pc.list_value_length(chunk) for chunk in chunks])
        _feed(digest, kind.value_type, [chunk.flatten() for chunk in chunks])
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        digest.update(f"{kind}|".encode())
        for chunk in chunks:
            digest.update(np.ascontiguousarray(chunk.to_numpy(zero_copy_only=False)).view(np.uint8).data)
    else:  # rare columns that others added
        digest.update(f"{kind}|".encode())
        digest.update(repr([value for chunk in chunks for value in chunk.to_pylist()]).encode())


def _lengths(digest: hashlib.blake2b, chunks: Sequence[pa.Array]) -> None:
    for chunk in chunks:
        digest.update(chunk.cast(pa.int64()).to_numpy().data)


def _within(chunk: pa.MapArray, child: pa.Array) -> pa.Array:
    """The part of a map's `child` that belongs to the rows of a (maybe sliced) `chunk`."""
    if not len(chunk):
        return child.slice(0, 0)
    first, last = chunk.offsets[0].as_py(), chunk.offsets[-1].as_py()
    return child.slice(first, last - first)
