"""What a table of errors says: how many clips a stage had to leave out, and why the first."""

from __future__ import annotations

from pathlib import Path

from asdcli import artifacts


def left_out(errors: Path) -> str:
    """One line about a table of errors.

    Raises:
        MissingArtifact, BadArtifact: it is not there or cannot be read.
    """
    table, _ = artifacts.read_table(errors, artifacts.ERRORS)
    if not len(table):
        return "no clip left out"
    n = f"{len(table)} clips" if len(table) > 1 else "1 clip"
    return f"{n} left out, the first: {table['clip_id'][0].as_py()}: {table['error'][0].as_py()}"
