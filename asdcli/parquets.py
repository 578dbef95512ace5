"""Reading Parquet that may be damaged: pyarrow raises errors of its own, of the system, and Python's for its texts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


class DamagedParquet(ValueError):
    """A file that is no Parquet, or not a whole one; the text says why, in one line."""


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """A block that only reads Parquet. Raises DamagedParquet for bytes that are not as they should be."""
    try:
        yield
    except PermissionError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DamagedParquet(next(iter(str(error).splitlines()), type(error).__name__)) from None


def read(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The table in a file, or these of its columns so far as it has them; its names and texts are text.

    Raises:
        DamagedParquet: as `reading`, which says it of a text only where it is looked at.
    """
    with reading():
        with pq.ParquetFile(path) as file:
            table = file.read(columns=columns)
        table.validate(full=True)
        _ = table.column_names  # which are looked at only here
    return table
