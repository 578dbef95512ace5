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


def some(clip_ids: Sequence[str], what: str) -> str:
    """How many there are of `what`, with the first of them by name, and the verb: `2 clips (a, b) are`."""
    first = ", ".join(clip_ids[:3]) + (", …" if len(clip_ids) > 3 else "")
    return f"{len(clip_ids)} {what} ({first}) are"
