"""log: runs to a tracker, under `tracking/` or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.stages import log
from asdcli.tracking import TRACKERS

ROOT = Path("tracking")


def run(
    runs: Sequence[Path],
    to: str,
    *,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome[log.LogFacts]:
    """Export runs to a tracker.

    Args:
        runs: their folders.
        to: the tracker.
        output: where the tracker keeps runs instead of `tracking/<tracker>`.
        force: export again what is up to date.
        progress: is told how far it is.

    Raises:
        UsageError: no such tracker. Otherwise as `stages.log.run`.
    """
    tracker = TRACKERS.build(to)
    return log.run(to, tracker, runs, output or ROOT / tracker.place, force=force, progress=progress)
