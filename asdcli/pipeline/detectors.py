"""The detectors of a run: what its methods have learnt, with the run's own model and thresholds around it."""

from __future__ import annotations

from asdcli import __version__
from asdcli.detector import Detector
from asdcli.errors import UsageError
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.scorers import DEFAULT, SCORERS, takes
from asdcli.scorers.fuse import FUSED
from asdcli.views.thresholds import Thresholds


def refuse_fused(method: str) -> None:
    """Raises UsageError for a fused method: it is made of scores of others, and learns nothing of its own."""
    parts, mark, _ = method.rpartition(FUSED)
    if mark:
        raise UsageError(
            f"a fused score has no detector: {method} is made of scores, not of recordings",
            f"name one of its parts: {parts.replace('+', ' or ')}",
        )


def detector_of(
    space: Workspace,
    method: str = DEFAULT,
    *,
    device: str = "auto",
    batch_size: int = 64,
    progress: Progress = SILENT,
) -> Detector:
    """The detector of one of the run's methods; it decides where the run has thresholds of that method.

    Raises:
        UsageError: an unknown method or parameter, or no such device.
        MissingArtifact, BadArtifact: the method has not been scored, or a file is gone, damaged, or not of this run.
    """
    refuse_fused(method)
    scorer = SCORERS.build(method)
    spelling = SCORERS.spell(scorer)
    decided = space.thresholds.exists() and any(m == spelling for m, _ in Thresholds.read(space.thresholds).values)
    detector = Detector.load(
        space.detector(spelling),
        model=space.autoencoder if takes(scorer) == "residuals" else space.model,
        features=space.features,
        clips=space.clips,
        thresholds=space.thresholds if decided else None,
        device=device,
        batch_size=batch_size,
        progress=progress,
    )
    if (by := detector.learnt.header.asdcli) != __version__:
        progress.warn(
            f"{space.detector(spelling)} was made by asdcli {by}, and this is {__version__}: scores may differ a "
            "little from those that it stands on, until it is made again (--force)"
        )
    return detector
