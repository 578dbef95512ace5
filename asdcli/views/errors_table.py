"""The tables that name the clips a stage left out, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header

ErrorRow = tuple[str, str, str]
"""clip_id, path and reason."""


def write_errors(path: Path, rows: Sequence[ErrorRow], header: Header) -> None:
    """Write the table of `rows`; one that says nothing any more goes away."""
    if not rows:
        path.unlink(missing_ok=True)
        return
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    artifacts.write_table(path, artifacts.ERRORS, pa.table(columns, names=["clip_id", "path", "error"]), header)
