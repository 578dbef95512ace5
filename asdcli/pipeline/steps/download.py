"""download: an edition of the challenge, or the synthetic dataset, into the data root."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asdcli.editions.request import Request
from asdcli.errors import UsageError
from asdcli.outcome import Outcome
from asdcli.pipeline import workspace
from asdcli.progress import SILENT, Progress
from asdcli.synthesis import sizes
from asdcli.vocabulary import SYNTHETIC, Subset


def bring(
    data: Path,
    edition: str,
    *,
    subsets: Sequence[Subset] = (Subset.DEV,),
    size: str | None = None,
    machine_types: Sequence[str] | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Bring an edition from its official place, or the synthetic dataset in this `size`.

    Raises:
        UsageError: a size of what is not rendered.
    """
    if edition == SYNTHETIC:
        return render(data, size=size or sizes.DEFAULT, machine_types=machine_types, force=force, progress=progress)
    if size is not None:
        raise UsageError("only the synthetic dataset has sizes", "leave it out")
    chosen = tuple(machine_types) if machine_types else None
    return run(data, Request(edition, tuple(subsets), chosen, force=force), progress=progress)


def run(data: Path, request: Request, *, progress: Progress = SILENT) -> Outcome:
    """Fetch the parts of an edition that are not there into `data/<edition>/`, and make later steps work on it."""
    from asdcli.stages import download

    outcome = download.run(request, data / request.edition, progress=progress)
    workspace.select(data, request.edition)
    return outcome


def render(data: Path, *, progress: Progress = SILENT, **options: Any) -> Outcome:
    """Render the synthetic dataset into `data/synthetic/`, and make later steps work on it.

    Args:
        data: the data root.
        progress: is told how far it is, and of what looks wrong.
        options: as `stages.synthesize.run` has them.
    """
    from asdcli.stages import synthesize

    outcome = synthesize.run(data / SYNTHETIC, progress=progress, **options)
    workspace.select(data, SYNTHETIC)
    return outcome
