"""What a step says of a file of the run that is gone or damaged: the command that makes just that file."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from asdcli.errors import ArtifactError, MissingArtifact
from asdcli.files import CARD, WEIGHTS
from asdcli.pipeline import mending
from asdcli.pipeline.freshness import Freshness
from asdcli.pipeline.indexing import of_clips
from asdcli.pipeline.workspace import Workspace

_OF_MODELS = (CARD, WEIGHTS)

S = TypeVar("S", bound="Workspace | None")
P = ParamSpec("P")
R = TypeVar("R")


def answered(step: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A step whose errors about artifacts name the command that makes the file, as it was made."""

    @functools.wraps(step)
    def taken(space: S, *args: P.args, **options: P.kwargs) -> R:
        try:
            return step(space, *args, **options)
        except ArtifactError as error:
            line = _again(space, error) if space is not None else None
            if line is None:
                raise
            how = "make it first" if isinstance(error, MissingArtifact) else "make it again"
            raise type(error)(error.message, f"{how}: {line}", error.path) from None

    return taken


def _again(space: Workspace, error: ArtifactError) -> str | None:
    """The command that makes the file that an error is about; None where nothing is known of it."""
    path = error.path
    missing = isinstance(error, MissingArtifact)
    if path is None or (missing and path in (space.clips, space.thresholds)):  # their hints say all that is known
        return None
    if path == space.clips:
        return " ".join([of_clips(space.dataset_root), *space.words_to_data()])
    folder = path.parent if path.name in _OF_MODELS else path
    look = Freshness(space).look(folder)
    if look is None or (look.space is None and look.header is None):
        return None
    seems_current = look.header is not None and not look.is_stale and folder.exists()
    return mending.command(look, space, even_if_current=seems_current)
