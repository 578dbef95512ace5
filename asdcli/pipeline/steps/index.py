"""index: recordings of one's own into a dataset of the data root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asdcli.outcome import Outcome
from asdcli.pipeline import workspace
from asdcli.progress import SILENT, Progress
from asdcli.stages import index
from asdcli.stages.index_report import IndexFacts

__all__ = ["IndexFacts", "run"]


def run(
    data: Path, recordings: Path, *, name: str | None = None, progress: Progress = SILENT, **options: Any
) -> Outcome:
    """Write `data/<name>/clips.parquet` for the audio below `recordings`, and make later steps work on it.

    Args:
        data: the data root.
        recordings: a folder, read only.
        name: of the dataset; by default the folder's.
        progress: is told how far it is, and of what looks wrong.
        options: as `stages.index.run` has them.
    """
    dataset = index.dataset_name(recordings, name)
    outcome = index.run(recordings, data / dataset / "clips.parquet", progress=progress, **options)
    workspace.select(data, dataset)
    if isinstance(outcome.facts, IndexFacts):
        outcome.facts.next.extend(workspace.resolve(data=data, dataset=dataset).words())
    return outcome
