"""Find the audio files below a folder, in an order that does not depend on the file system."""

from __future__ import annotations

import os
from pathlib import Path

from asdcli.clips import SUFFIXES
from asdcli.layouts.recording import LeftOut

_NOT_READ = dict.fromkeys(
    (".m4a", ".mp4", ".aac", ".ac3", ".amr", ".wma", ".ape", ".wv", ".webm", ".mka", ".dsf", ".raw", ".pcm"),
    "audio that is not read: convert it to wav or flac",
) | {".mat": "a Matlab file, which may hold anything: save its sound as wav or flac"}
"""Suffix -> why what looks like a recording is left out."""


def find_audio(root: Path) -> tuple[list[str], list[LeftOut]]:
    """All audio files (by their suffix, in any case) below `root` as sorted POSIX paths, the rest with a reason.

    Only regular files count: a named pipe would be waited for, a device read. Links are followed. A folder is entered
    once, by its own name rather than by a link's, so that loops end and no recording comes twice. A folder that holds a
    `clips.parquet` is a dataset of its own and is not entered.

    Raises:
        OSError: `root` itself cannot be listed.
    """
    found: list[str] = []
    left: list[LeftOut] = []
    entered: set[tuple[int, int]] = set()
    folders, links = [""], list[str]()
    while folders or links:  # links wait until all that has a name of its own was entered
        folder = folders.pop() if folders else links.pop(0)
        entries = _entries(root, folder, entered)
        if isinstance(entries, LeftOut):
            left.append(entries)
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if skipped := _skipped(entry, path):
                left.append(skipped)
            elif _is_folder(entry):
                (links if entry.is_symlink() else folders).append(path)
            elif unfit := _unfit(entry, path):
                left.append(unfit)
            else:
                found.append(path)
        links.sort()
    return sorted(found), left


def _entries(root: Path, folder: str, entered: set[tuple[int, int]]) -> list[os.DirEntry[str]] | LeftOut:
    """What lies in a folder, by name, or why it is not entered; `entered` folders by device and inode."""
    try:
        status = (root / folder).stat()
        if (status.st_dev, status.st_ino) in entered:
            return LeftOut(folder, "a link to a folder that was read already")
        entered.add((status.st_dev, status.st_ino))
        with os.scandir(root / folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        if not folder:
            raise
        return LeftOut(folder, f"a folder that cannot be read ({error.strerror})", is_loss=True)
    if folder and any(entry.name == "clips.parquet" for entry in entries):
        return LeftOut(folder, "a dataset of its own: it holds a clips.parquet")
    return entries


def _skipped(entry: os.DirEntry[str], path: str) -> LeftOut | None:
    """Why neither a file nor a folder of this name is looked at."""
    if entry.name.startswith(".") or entry.name == "__MACOSX":
        return LeftOut(path, "hidden")
    if not _is_text(path):
        return LeftOut(path.encode("utf-8", "backslashreplace").decode(), "its name is not UTF-8", is_loss=True)
    return None


def _unfit(entry: os.DirEntry[str], path: str) -> LeftOut | None:
    """Why what is no folder is no recording."""
    if not path.lower().endswith(SUFFIXES):
        return LeftOut(path, _NOT_READ.get(Path(path).suffix.lower(), "no audio"))
    if _is_file(entry):
        return None
    if entry.is_symlink() and not Path(entry.path).exists():
        return LeftOut(path, "a link that leads nowhere", is_loss=True)
    return LeftOut(path, "no regular file: a named pipe, a socket or a device")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself
        return False


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
