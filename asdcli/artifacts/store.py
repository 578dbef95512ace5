"""The checks at an artifact's door: is it there, is it what it should be, and what to say if not."""

from __future__ import annotations

from pathlib import Path

from asdcli.artifacts.header import Header
from asdcli.artifacts.kinds import ANY, KINDS, Kind
from asdcli.errors import BadArtifact, MissingArtifact
from asdcli.files import in_place_of_file


def require(path: Path, kind: Kind) -> None:
    """Raises MissingArtifact, with the command that makes it, when `path` is not there; BadArtifact for no file."""
    try:
        sort = in_place_of_file(Path(path))
    except (FileNotFoundError, NotADirectoryError):
        raise MissingArtifact(f"no {kind.name} at {path}", f"make it first: {kind.to_type}", path) from None
    if sort:
        raise BadArtifact(f"{path} is {sort}, not a file", f"remove it and make it again: {kind.to_type}", path)


def damaged(path: Path, kind: Kind, why: str) -> BadArtifact:
    """The error for an artifact that is not as it was written. Gone it must be: by its header it would be current."""
    return BadArtifact(f"{path} is damaged: {why}", f"remove it and make it again: {kind.to_type}", path)


def check_kind(header: Header, kind: Kind, path: Path) -> None:
    """Raises BadArtifact when `header` promises another kind or a version newer than this asdcli reads."""
    if kind is ANY:
        kind = KINDS.get(header.kind, kind)
    if header.kind != kind.name:
        raise BadArtifact(f"{path} holds {header.kind}, not {kind.name}", f"{kind.name} are made by: {kind.to_type}")
    if header.version > kind.version:
        raise BadArtifact(
            f"{path} is {kind.name} version {header.version}; this asdcli reads up to {kind.version}",
            f"it was written by asdcli {header.asdcli}: upgrade asdcli, or remove it and make it again: {kind.to_type}",
        )
