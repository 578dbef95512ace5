"""What a step says of stale files that it reads: a warning, or a refusal where what it makes leaves the program."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from asdcli.errors import StaleArtifact
from asdcli.pipeline.freshness import Freshness, Look
from asdcli.pipeline.mending import command, commands
from asdcli.pipeline.recordings import told, written_since_packed
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import Progress
from asdcli.wording import listed


def warn_of_stale(space: Workspace | None, reads: Iterable[Path], progress: Progress) -> list[Look]:
    """Name every stale file among `reads`, why it is stale, and the commands that mend it. Nothing without a run.

    Returns:
        the stale files.
    """
    if space is None:
        return []
    looks = Freshness(space).looks(reads)
    if stale := _stale(looks):
        progress.warn(f"{_named(stale)}; bring up to date: {' && '.join(commands(stale, space))}")
    for look in looks:
        if written := written_since_packed(look):
            progress.warn(f"{look.name}: {told(written)}; pack them anew: {command(look, space)}")
    return stale


def refuse_stale(space: Workspace | None, reads: Iterable[Path], progress: Progress, *, allowed: bool) -> list[Look]:
    """The same, but where it is not `allowed` nothing goes on.

    Raises:
        StaleArtifact: a file among `reads` is stale.
    """
    if allowed:
        return warn_of_stale(space, reads, progress)
    if space and (stale := _stale(Freshness(space).looks(reads))):
        again = " && ".join(commands(stale, space))
        raise StaleArtifact(_named(stale), f"--allow-stale goes on all the same; or bring up to date: {again}")
    return []


def changes(stale: Iterable[Look]) -> dict[Path, tuple[str, ...]]:
    """Stale file -> what it was made of and has changed since, by name."""
    return {look.path: (*look.changed, *(made_of.name for made_of in look.because)) for look in stale}


def _stale(looks: Iterable[Look]) -> list[Look]:
    return [look for look in looks if look.is_stale]


def _named(stale: list[Look]) -> str:
    told = listed([f"{look.name} ({look.reasons})" for look in stale], between="; ")
    return f"made of files that have changed since: {told}"
