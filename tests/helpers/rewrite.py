"""An artifact with other rows, as the stage that made it would have written them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.artifacts.digest import digest_table
from asdcli.artifacts.kinds import ANY, KINDS


def rewrite(path: Path, table: pa.Table) -> None:
    """Put `table` in the place of the rows of `path`, under the same header and a fitting digest."""
    header = artifacts.read_header(path, ANY)
    artifacts.write_table(path, KINDS[header.kind], table, header)


def forge(path: Path, table: pa.Table, header: Header) -> None:
    """Write what asd never would, under a header whose digest and seal fit."""
    sealed = header.with_content(digest_table(table)).to_json()
    pq.write_table(table.replace_schema_metadata({b"asd": sealed.encode()}), path)


def spoil(path: Path, row: int, /, **values: object) -> None:
    """Write `path` anew as another program would, without a header, one row of it with other values."""
    table = pq.read_table(path).replace_schema_metadata(None)
    rows = table.to_pylist()
    rows[row] |= values
    for name in values:
        kind = table.schema.field(name).type
        kind = pa.list_(kind.value_type) if pa.types.is_fixed_size_list(kind) else kind
        column = pa.array([r[name] for r in rows], kind)
        table = table.set_column(table.column_names.index(name), name, column)
    pq.write_table(table, path)
