"""CSV files that people open in spreadsheets, which take a cell that begins like a formula for one and execute it."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

from asdcli.progress import SILENT, Progress

if TYPE_CHECKING:
    import pyarrow as pa

_FORMULA = "^([=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])"  # the wide forms of = + - @ too
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def write_csv(table: pa.Table, file: Path | IO[bytes], *, plain: bool = False, progress: Progress = SILENT) -> None:
    """Write a table as CSV.

    Args:
        table: of numbers, truth values and texts.
        file: written as it is, so a temporary one that takes its place when it is whole; or something open.
        plain: write texts as they are. Otherwise those that begin with `=`, `+`, `-`, `@`, a tab or a line end, and are
            no number, get a `'` in front, by which spreadsheets know text. Numbers are never touched.
        progress: is told how many cells were changed.
    """
    from pyarrow import csv

    if not plain:
        table, n = _inert(table)
        if n:
            progress.note(f"{n} texts that a spreadsheet would execute begin with ' now (--plain-cells leaves them)")
    csv.write_csv(table, file, csv.WriteOptions(quoting_style="needed"))


def _inert(table: pa.Table) -> tuple[pa.Table, int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    n = 0
    for i, field in enumerate(table.schema):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view":
            texts = table.column(i).cast(pa.string())
            formula = pc.and_not(pc.match_substring_regex(texts, _FORMULA), pc.match_substring_regex(texts, _NUMBER))
            n += pc.sum(formula, min_count=0).as_py()
            safe = pc.if_else(formula, pc.binary_join_element_wise("'", texts, ""), texts)
            table = table.set_column(i, pa.field(field.name, pa.string()), safe)
    return table, n
