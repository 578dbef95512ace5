"""Tables on disk: Parquet with the `asd` header in the schema metadata, checked on the way in and out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from asdcli import parquets
from asdcli.artifacts.digest import SEAL, digest_bytes, digest_table
from asdcli.artifacts.header import Header
from asdcli.artifacts.kinds import Kind
from asdcli.artifacts.store import check_kind, damaged, require
from asdcli.errors import BadArtifact
from asdcli.writing.whole import atomic

_KEY = b"asd"


def write_table(path: Path, kind: Kind, table: pa.Table, header: Header) -> Header:
    """Write `table` to `path` whole or not at all and return the header with its content digest.

    Raises:
        BadArtifact: a column of `kind` is missing, has another type, holds nulls or values it may not, or the key
            repeats.
    """
    table = _conform(table, kind, str(path), hint=None)
    header = header.with_content(digest_table(table))
    table = table.replace_schema_metadata({_KEY: header.to_json().encode()})
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return header


def read_table(
    path: Path, kind: Kind, *, columns: list[str] | None = None, headerless: bool = False
) -> tuple[pa.Table, Header]:
    """Read a table of `kind` and its header.

    With `headerless`, a foreign Parquet file without an asd header is accepted if its columns fit; its digest is that
    of its bytes. A whole table (`columns` None) is compared with the digest in its header.

    Raises:
        MissingArtifact: no such file; the hint names the command that makes it.
        BadArtifact: not Parquet, another kind, a newer version, columns that do not fit, or other rows than were
            written.
    """
    header = read_table_header(path, kind, headerless=headerless)
    try:
        table = parquets.read(path, columns).replace_schema_metadata(None)
    except parquets.DamagedParquet as error:
        raise damaged(path, kind, str(error)) from None
    if columns is not None:
        for name in columns:
            if name not in table.column_names:
                raise damaged(path, kind, f"column {name!r} is missing")
        return table, header
    if header.seal and digest_table(table) != header.content:
        raise damaged(path, kind, "its rows are not those that its header speaks of")
    return _conform(table, kind, str(path), hint=f"{kind.name} come from: {kind.to_type}"), header


def read_table_header(path: Path, kind: Kind, *, headerless: bool = False) -> Header:
    """Read only the header of a table (cheap). Errors as `read_table`."""
    require(path, kind)
    try:
        with parquets.reading():
            metadata = pq.read_schema(path).metadata or {}
    except parquets.DamagedParquet as error:
        raise BadArtifact(
            f"{path} is not a Parquet file: {error}", f"remove it and make it again: {kind.to_type}", path
        ) from None
    if _KEY not in metadata:
        if any(f'"{SEAL}"'.encode() in value for value in metadata.values()):
            raise damaged(path, kind, "its asd header is not where it was written")
        if headerless:
            return Header.foreign(digest_bytes(Path(path).read_bytes()), kind)
        raise BadArtifact(
            f"{path} has no asd header: it was not written by asdcli", f"{kind.name} come from: {kind.to_type}", path
        )
    header = Header.from_json(metadata[_KEY], where=str(path))
    check_kind(header, kind, path)
    return header


def _conform(table: pa.Table, kind: Kind, where: str, *, hint: str | None) -> pa.Table:
    """`table` with the kind's columns first, in order and of the right type; further columns follow."""
    twice = [name for name, n in Counter(table.column_names).items() if n > 1]
    if twice:
        raise BadArtifact(f"{where}: column {twice[0]!r} stands twice")
    arrays: dict[str, Any] = {}
    for column in kind.columns:
        if column.name not in table.column_names:
            if not column.nullable:
                raise BadArtifact(
                    f"{where}: column {column.name!r} is missing", f"it has: {', '.join(table.column_names)}"
                )
            arrays[column.name] = pa.nulls(len(table), column.type)
            continue
        array = table[column.name]
        if column.type is not None and array.type != column.type:
            try:
                array = array.cast(column.type)
            except pa.ArrowException:
                raise BadArtifact(f"{where}: column {column.name!r} is {array.type}, not {column.type}") from None
        if array.null_count and not column.nullable:
            row = pc.index(pc.is_null(array), True).as_py()
            raise BadArtifact(f"{where}: column {column.name!r} has {array.null_count} nulls, the first in row {row}")
        arrays[column.name] = array
    extras = {n: table[n] for n in table.column_names if n not in arrays}
    table = pa.table(arrays | extras).combine_chunks()
    _check_key(table, kind, where)
    for column in kind.columns:
        if column.rule and (found := column.rule(table[column.name])):
            raise BadArtifact(f"{where}: {_cell(table, column.name, *found)}", hint)
    return table


def _cell(table: pa.Table, name: str, row: int, why: str) -> str:
    """`split of dev/fan/1 is 'tset': it is none of train, test`."""
    whose = table["clip_id"][row].as_py() if "clip_id" in table.column_names and name != "clip_id" else f"row {row}"
    value = table[name][row].as_py()
    said = "" if isinstance(value, list) else f" is {value!r}"
    return f"{name} of {whose}{said}: {why}"


def _check_key(table: pa.Table, kind: Kind, where: str) -> None:
    if not kind.key:
        return
    counts = table.select(kind.key).group_by(list(kind.key)).aggregate([([], "count_all")])
    if len(counts) < len(table):
        twice = counts.filter(pc.greater(counts["count_all"], 1))
        first = ", ".join(str(twice[k][0].as_py()) for k in kind.key)
        raise BadArtifact(f"{where}: {len(twice)} duplicate rows by {', '.join(kind.key)}; the first is {first}")
