"""reference: clips.parquet in, and the same with other recordings in the reference set out; no recording is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import BadData
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.views.bank import BankEdit, regrouped
from asdcli.views.clips import is_training
from asdcli.wording import counted, listed
from asdcli.writing.locks import alone_with


@dataclass(frozen=True)
class BankFacts:
    """How many recordings came to the reference set, and how many left it."""

    joined: int
    left: int


@alone_with("clips")
def run(clips: Path, edit: BankEdit, *, models_stay: bool = False, progress: Progress = SILENT) -> Outcome[BankFacts]:
    """Change who is in the reference set.

    Args:
        clips: clips.parquet of recordings that were learned.
        edit: who comes and who goes.
        models_stay: a model was trained on these clips: their groups stay as they were.
        progress: is told how many there are now.

    Returns:
        current where nothing changes.

    Raises:
        MissingArtifact, BadArtifact: no clips.parquet, or not one.
        BadData: fewer than two recordings of a machine would be left.
    """
    artifacts.claim(clips, artifacts.CLIPS)
    before, header = artifacts.read_table(clips, artifacts.CLIPS)
    table = regrouped(edit.of(before), header.params.get("group_by"), models_stay=models_stay)
    if table.equals(before.select(table.column_names)):
        return Outcome(clips, "current")
    _require_some(before, table)
    artifacts.write_table(clips, artifacts.CLIPS, table, header)
    was, now = (set(t.filter(is_training(t))["clip_id"].to_pylist()) for t in (before, table))
    if now != was:
        progress.note(f"{counted(len(now), 'recording')} to compare others with, {len(was)} before")
    return Outcome(clips, facts=BankFacts(len(now - was), len(was - now)))


def _require_some(before: pa.Table, table: pa.Table) -> None:
    """Raises BadData where a machine that had recordings to compare others with would have fewer than two."""
    few = []
    for machine in sorted(set(before.filter(is_training(before))["machine_type"].to_pylist())):
        own = table.filter(pc.and_(is_training(table), pc.equal(table["machine_type"], machine)))
        had = before.filter(pc.and_(is_training(before), pc.equal(before["machine_type"], machine)))
        if len(own) < 2 <= len(had):
            few.append(f"{machine} ({len(own)} of {len(had)} would be left)")
    if few:
        raise BadData(
            f"one normal recording tells nothing of what is normal, and none even less: {listed(few)}",
            "add others first: asd reference add DIR; or learn anew",
        )
