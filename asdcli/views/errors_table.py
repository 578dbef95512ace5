"""The tables that name the clips a stage left out, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header, Kind
from asdcli.errors import BadArtifact
from asdcli.wording import counted, listed

ErrorRow = tuple[str, str, str]
"""clip_id, path and reason."""


def naming(rows: Sequence[ErrorRow], what: str, path: Path) -> str:
    """A sentence: `4 clips are not scored: a (why), b (why), c (why) and 1 more; all are named in errors.parquet`."""
    are = f"{counted(len(rows), 'clip')} {'is' if len(rows) == 1 else 'are'} {what}"
    return f"{are}: {listed([f'{clip_id} ({why})' for clip_id, _, why in rows])}; all are named in {path}"


def is_whole(path: Path, kind: Kind, header: Header) -> bool:
    """Whether a file is current and no clip was left out of it: those are to be named again."""
    if not artifacts.is_current(path, kind, header):
        return False
    return not artifacts.read_header(path, kind).diagnostics.get("skipped")


def read_errors(path: Path) -> list[ErrorRow]:
    """The rows of a table; none where there is none that can be read: whatever it was, it is replaced."""
    if not path.exists():
        return []
    try:
        table, _ = artifacts.read_table(path, artifacts.ERRORS)
    except BadArtifact:
        return []
    return [(row["clip_id"], row["path"], row["error"]) for row in table.to_pylist()]


def write_errors(path: Path, rows: Sequence[ErrorRow], header: Header) -> None:
    """Write the table of `rows`; one that says nothing any more goes away."""
    if not rows:
        path.unlink(missing_ok=True)
        return
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    artifacts.write_table(path, artifacts.ERRORS, pa.table(columns, names=["clip_id", "path", "error"]), header)
