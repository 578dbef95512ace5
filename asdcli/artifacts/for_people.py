"""Tables that leave the program: for spreadsheets and for other people's code, without a header."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from asdcli.artifacts import own
from asdcli.progress import SILENT, Progress
from asdcli.writing.spreadsheet import write_csv


def write_rows(
    table: pa.Table, path: Path, *, plain_cells: bool = False, force: bool = False, progress: Progress = SILENT
) -> None:
    """Write a table to `path` whole or not at all: as Parquet where it is called so, otherwise as CSV.

    Args:
        table: of numbers, truth values and texts.
        path: the file.
        plain_cells: write texts that begin like formulas into a CSV as they are.
        force: overwrite a file that asd did not write, or that was changed since.
        progress: is told how many cells were changed.

    Raises:
        BadData: a file lies there that is not asd's to overwrite.
    """
    with own.written(path, force=force) as temporary:
        if path.suffix == ".parquet":
            pq.write_table(table, temporary, compression="zstd")
        else:
            write_csv(table, temporary, plain=plain_cells, progress=progress)
