"""Rows of clips.parquet: of some machine types, of the training, one to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import BadData, unknown_name
from asdcli.vocabulary import Condition, Split


@dataclass(frozen=True)
class ClipRow:
    """One clip to read; `path` is relative to the dataset root."""

    clip_id: str
    path: str
    duration_s: float | None


def machine_types_of(table: pa.Table, asked: Sequence[str] | None, clips: Path) -> list[str]:
    known = sorted(set(table["machine_type"].to_pylist()))
    for name in asked or ():
        if name not in known:
            raise unknown_name("machine type", name, known)
    if not known:
        raise BadData(f"{clips} lists no clips", "index a folder that holds some")
    return [name for name in known if not asked or name in asked]


def rows_to_read(table: pa.Table, machine_type: str) -> list[ClipRow]:
    mine = table.filter(pc.equal(table["machine_type"], machine_type))
    return [ClipRow(**row) for row in mine.select(["clip_id", "path", "duration_s"]).to_pylist()]


def is_training(table: pa.Table) -> pa.ChunkedArray:
    """(n,) bool, the clips to train on: of the training split, without any that are known to be anomalous."""
    anomalous = pc.fill_null(pc.equal(table["condition"], str(Condition.ANOMALY)), False)
    return pc.and_(pc.equal(table["split"], str(Split.TRAIN)), pc.invert(anomalous))


def is_for_models(table: pa.Table) -> pa.ChunkedArray:
    """(n,) bool, the clips that models are trained on: as they were learned first.

    What joined the reference set later no model has seen, and what was taken out of it later they have.
    """
    if "since" not in table.column_names:
        return is_training(table)
    normal = pc.invert(pc.fill_null(pc.equal(table["condition"], str(Condition.ANOMALY)), False))
    return pc.and_(normal, pc.if_else(pc.is_valid(table["since"]), is_taken_out(table), is_training(table)))


def is_taken_out(table: pa.Table) -> pa.ChunkedArray:
    """(n,) bool, the clips that were learned, and taken out of the reference set later."""
    return pc.and_(pc.equal(table["split"], str(Split.SUPPLEMENTAL)), pc.is_valid(table["since"]))


def training_clips(table: pa.Table, machine_types: Sequence[str]) -> pa.Table:
    """Label columns of the clips of the machine types that models are trained on.

    Raises:
        BadData: there are none.
    """
    chosen = pc.and_(is_for_models(table), pc.is_in(table["machine_type"], pa.array(machine_types, pa.string())))
    training = table.filter(chosen).select(artifacts.CLIP_COLUMNS)
    as_learned = pa.array([str(Split.TRAIN)] * len(training), pa.string())
    training = training.set_column(training.column_names.index("split"), "split", as_learned)
    if not len(training):
        raise BadData(
            f"no training clips of {', '.join(machine_types)}", "their folder must hold train/, with normal recordings"
        )
    return training


def rows_of(clips: pa.Table, machine_type: str) -> pa.Table:
    """The rows of one machine type."""
    return clips.filter(pc.equal(clips["machine_type"], machine_type))
