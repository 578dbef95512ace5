"""What a step says of a file of the run that is gone or damaged: the command that makes just that file."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from asdcli.artifacts import CLIPS
from asdcli.errors import ArtifactError, MissingArtifact
from asdcli.files import CARD, WEIGHTS
from asdcli.pipeline.workspace import Workspace

_OF_MODELS = (CARD, WEIGHTS)
_MADE = re.compile("make it (first|again): asd [a-z-]+$")

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
            if space is not None:
                error.answer(_answer(space, error))
            raise

    return taken


def _answer(space: Workspace, error: ArtifactError) -> str | None:
    """The hint with the command that makes the file that an error is about; its own where no more is known."""
    from asdcli.pipeline import mending  # a tenth of a second of imports, of which a step that succeeds needs none
    from asdcli.pipeline.freshness import Freshness
    from asdcli.pipeline.indexing import of_clips

    path = error.path
    if path is None or (isinstance(error, MissingArtifact) and path == space.thresholds):  # its hint says all
        return error.hint
    how = "make it first" if isinstance(error, MissingArtifact) else "make it again"
    if path == space.clips:
        return f"{how}: {of_clips(space.dataset_root)} {shlex.join(space.words_to_data())}".rstrip()
    folder = path.parent if path.name in _OF_MODELS else path
    look = Freshness(space).look(folder)
    if look is None or (look.space is None and look.header is None):
        return error.hint if path.is_relative_to(space.run) else _elsewhere(error.hint or "", path)
    seems_current = look.header is not None and not look.is_stale and folder.exists()
    return f"{how}: {mending.command(look, space, even_if_current=seems_current)}"


def _elsewhere(hint: str, path: Path) -> str:
    """The hint about a file that was named and is in no run: the command writes it there."""
    if hint.endswith(f": {CLIPS.to_type}"):  # which goes nowhere but into the data root
        return "name another table of clips, or leave --clips out"
    return f"{hint} -o {shlex.quote(str(path))}" if _MADE.search(hint) else hint
