"""The links below a dataset's root that lead to recordings which lie elsewhere, and what their paths then say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

LINK = "audio"
"""To the folder that holds what was indexed or learned."""
LATER = "audio_later"
"""Folder of one link for each folder from which recordings came later: their paths sort behind those of `LINK`."""


def links(root: Path) -> dict[str, Path]:
    """What stands before the paths of recordings -> the folder that it leads to; the first is of those learned first.

    Args:
        root: of a dataset. Where no link leads out of it, its recordings lie in it.
    """
    first = root / LINK
    found = {f"{LINK}/": first.resolve()} if first.is_symlink() else {"": root.resolve()}
    later = sorted((root / LATER).glob("*")) if (root / LATER).is_dir() else []
    return found | {f"{LATER}/{link.name}/": link.resolve() for link in later if link.is_symlink()}


def path_through(ways: Mapping[str, Path], file: Path) -> str | None:
    """The path below a dataset's root that leads to a file; None where no link does.

    Args:
        ways: of `links`; the first that leads there is taken.
        file: that is there, or was.
    """
    whole = file.resolve()
    for before, folder in ways.items():
        if whole.is_relative_to(folder):
            return before + whole.relative_to(folder).as_posix()
    return None


def later_folder(path: str) -> str | None:
    """The name of the link that a path or clip_id leads through, if its recording came later: `week 47`."""
    first, _, rest = path.partition("/")
    return rest.partition("/")[0] if first == LATER and "/" in rest else None


def shown(clip_id: str) -> str:
    """What a recording is called without the link that leads to it; of a later one its folder stays."""
    for link in (LINK, LATER):
        if clip_id.startswith(f"{link}/"):
            return clip_id.removeprefix(f"{link}/")
    return clip_id
