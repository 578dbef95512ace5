"""Clips that cannot be used: an extraction is refused for them, or they are listed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import BadData
from asdcli.progress import Progress
from asdcli.views.errors_table import naming, read_errors, write_errors
from asdcli.views.hearing import Fault


def refusal(faults: Sequence[Fault], n_rows: int, machine_type: str) -> BadData:
    """The error where clips of a machine type must not be left out."""
    first = faults[0].error
    others = f" ({len(faults)} of {n_rows} clips of {machine_type} cannot be used)" if len(faults) > 1 else ""
    if len(faults) == n_rows:  # nothing would be left
        return BadData(f"{first.message}{others}", first.hint)
    return BadData(f"{first.message}{others}", f"{first.hint or 'repair it'}; or leave it out: --on-error skip")


def report(
    path: Path,
    faults: Sequence[Fault],
    table: pa.Table,
    wanted: Sequence[str],
    upstream: artifacts.Header,
    progress: Progress,
) -> None:
    """Name the clips that were left out, and list them. Those of machine types that nobody looked at stay listed."""
    elsewhere = set(table.filter(pc.invert(pc.is_in(table["machine_type"], pa.array(wanted))))["clip_id"].to_pylist())
    lost = [(f.row.clip_id, f.row.path, f.error.reason) for f in faults]
    kept = [row for row in read_errors(path) if row[0] in elsewhere]
    header = artifacts.Header.make(artifacts.ERRORS, dataset=upstream.dataset, inputs={"clips": upstream})
    write_errors(path, sorted([*lost, *kept]), header)
    if lost:
        progress.left_out(naming(lost, "left out", path))
