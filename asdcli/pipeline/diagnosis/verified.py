"""Whether the content of a file is what its header speaks of, to the last byte."""

from __future__ import annotations

from pathlib import Path

from asdcli import artifacts
from asdcli.errors import AsdError, BadArtifact
from asdcli.files import CHECKPOINT
from asdcli.pipeline.freshness import Look


def verified(found: Look) -> str | None:
    """What is wrong with the content of a file whose header can be read; None for nothing."""
    if found.header is None:
        return None
    try:
        artifacts.verify(found.path, found.kind)
    except AsdError as error:
        return error.message
    return None


def verified_checkpoint(folder: Path) -> str | None:
    """What is wrong with what an interrupted training left in a model's folder; None for nothing, or nothing left."""
    if not (folder / CHECKPOINT).exists():
        return None
    from asdcli.training.checkpoint import verify

    try:
        verify(folder / CHECKPOINT)
    except BadArtifact as error:
        return error.message
    return None
