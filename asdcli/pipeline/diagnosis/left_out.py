"""What a table of errors says: how many clips a stage had to leave out, and why the first."""

from __future__ import annotations

from pathlib import Path

from asdcli import artifacts
from asdcli.wording import counted


def left_out(errors: Path) -> str:
    """One line about a table of errors.

    Raises:
        MissingArtifact, BadArtifact: it is not there or cannot be read.
    """
    table, _ = artifacts.read_table(errors, artifacts.ERRORS)
    if not len(table):
        return "no clip left out"
    first = f"{table['clip_id'][0].as_py()}: {table['error'][0].as_py()}"
    return f"{counted(len(table), 'clip')} left out, the first: {first}"
