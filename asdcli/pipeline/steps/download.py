"""download: an edition of the challenge, or the synthetic dataset, into the data root."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdcli.editions.request import Request
from asdcli.outcome import Outcome
from asdcli.pipeline import workspace
from asdcli.progress import SILENT, Progress

SYNTHETIC = "synthetic"


def run(data: Path, request: Request, *, progress: Progress = SILENT) -> Outcome:
    """Fetch the parts of an edition that are not there into `data/<edition>/`, and make later steps work on it."""
    from asdcli.stages import download

    outcome = download.run(request, data / request.edition, progress=progress)
    workspace.select(data, request.edition)
    return outcome


def render(
    data: Path,
    *,
    size: str = "small",
    seed: int = 0,
    machine_types: Sequence[str] | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Render the synthetic dataset into `data/synthetic/`, and make later steps work on it."""
    from asdcli.stages import synthesize

    outcome = synthesize.run(
        data / SYNTHETIC, size=size, seed=seed, machine_types=machine_types, force=force, progress=progress
    )
    workspace.select(data, SYNTHETIC)
    return outcome
