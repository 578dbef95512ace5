"""Where a dataset of one's own lies, and the link to recordings that lie elsewhere.

Paths in clips.parquet are relative to the dataset root, and no absolute path may stand in an artifact. So recordings
outside the dataset root are reached through a link beside the table, `<root>/audio -> DIR`: every later stage opens
`root / path` as ever, the recordings may be read-only, the table does not depend on where they lie, and moved
recordings need a new link only.
"""

from __future__ import annotations

from pathlib import Path

from asdcli import artifacts, catalogue
from asdcli.clips import SUBSET_FOLDERS
from asdcli.errors import AsdError, BadArtifact, UsageError
from asdcli.layouts.links import LINK


def is_edition(root: Path) -> bool:
    """Whether the root is called as an edition of the challenge."""
    return root.name in catalogue.names() and catalogue.load(root.name).made_by is None


def prefix_of(recordings: Path, root: Path) -> str:
    """What stands before a recording's path below `recordings` to make it a path below the dataset root."""
    inside, outside = recordings.resolve(), root.resolve()
    if not inside.is_relative_to(outside):
        return f"{LINK}/"
    below = inside.relative_to(outside).as_posix()
    return "" if below == "." else f"{below}/"


def refuse_if_taken(recordings: Path, clips: Path, prefix: str) -> None:
    """A dataset is never turned into another one. Raises UsageError."""
    root, link = clips.parent, clips.parent / LINK
    hint = "choose another --name"
    if is_edition(root) and not prefix:
        return
    if clips.exists() and not _is_own(clips):
        raise UsageError(f"{root} is a dataset made by asd download", hint)
    if prefix == f"{LINK}/" and (link.exists() or link.is_symlink()):
        if not link.is_symlink():
            raise UsageError(f"{link} is no link to recordings but a folder of its own", hint)
        if link.exists() and not link.samefile(recordings):
            raise UsageError(f"dataset {root.name!r} stands for {link.resolve()}, not for {recordings}", hint)
    if prefix == f"{LINK}/" and any((root / folder).is_dir() for folder in SUBSET_FOLDERS):
        raise UsageError(f"{root} holds an edition's recordings", hint)


def _is_own(clips: Path) -> bool:
    """Whether `clips` was made here; whether one that cannot be read may go, `artifacts.claim` has said."""
    try:
        return "layout" in artifacts.read_header(clips, artifacts.CLIPS).params
    except BadArtifact:
        return True


def make_link(recordings: Path, root: Path, prefix: str) -> None:
    """Let `root / LINK` lead to the recordings, if they lie outside. Raises AsdError where no link can be made."""
    link = root / LINK
    if prefix != f"{LINK}/" or link.exists():
        return
    root.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)  # the recordings were moved: it leads nowhere
    try:
        link.symlink_to(recordings.resolve(), target_is_directory=True)
    except OSError as error:
        raise AsdError(
            f"cannot make the link {link}: {error.strerror or error}",
            f"put the recordings into {root} and index that folder: asd index {root}",
        ) from None
