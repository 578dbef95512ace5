"""A run that is being learned at this moment: whoever reads it meanwhile is told to come back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Concatenate, ParamSpec, TypeVar

from asdcli.errors import ArtifactError, Busy
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import Progress
from asdcli.writing.locks import alone, holder

_LEARNED = "learn"  # its lock lies in the run, and no file of that name ever does

P = ParamSpec("P")
R = TypeVar("R")


def learning(space: Workspace, progress: Progress) -> AbstractContextManager[None]:
    """Be the only one to learn into the run while the block runs. Raises Busy where another command is at it."""
    return alone(space.run / _LEARNED, progress)


def settled(step: Callable[Concatenate[Workspace, P], R]) -> Callable[Concatenate[Workspace, P], R]:
    """A step whose errors about files of a run that is being learned say that: they are about to be made anew."""

    @functools.wraps(step)
    def taken(space: Workspace, *args: P.args, **options: P.kwargs) -> R:
        try:
            return step(space, *args, **options)
        except ArtifactError as error:
            if owner := holder(space.run / _LEARNED):
                raise Busy(f"{space.run} is being learned by {owner}", "type it again when that has ended") from error
            raise

    return taken
