"""Find the audio files below a folder, in an order that does not depend on the file system."""

from __future__ import annotations

import os
from pathlib import Path

from asdcli.clips import SUFFIXES
from asdcli.layouts.recording import LeftOut

_OTHER_AUDIO = (".m4a", ".mp4", ".aac", ".ac3", ".amr", ".wma", ".ape", ".wv", ".webm", ".mka", ".dsf", ".raw", ".pcm")


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
        try:
            status = (root / folder).stat()
            if (status.st_dev, status.st_ino) in entered:
                left.append(LeftOut(folder, "a link to a folder that was read already"))
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(root / folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if not folder:
                raise
            left.append(LeftOut(folder, f"a folder that cannot be read ({error.strerror})", is_loss=True))
            continue
        if folder and any(entry.name == "clips.parquet" for entry in entries):
            left.append(LeftOut(folder, "a dataset of its own: it holds a clips.parquet"))
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                left.append(LeftOut(path, "hidden"))
            elif not _is_text(path):
                shown = path.encode("utf-8", "backslashreplace").decode()
                left.append(LeftOut(shown, "its name is not UTF-8", is_loss=True))
            elif _is_folder(entry):
                (links if entry.is_symlink() else folders).append(path)
            elif not path.lower().endswith(SUFFIXES):
                other = path.lower().endswith(_OTHER_AUDIO)
                left.append(LeftOut(path, "audio that is not read: convert it to wav or flac" if other else "no audio"))
            elif _is_file(entry):
                found.append(path)
            elif entry.is_symlink() and not (root / path).exists():
                left.append(LeftOut(path, "a link that leads nowhere", is_loss=True))
            else:
                left.append(LeftOut(path, "no regular file: a named pipe, a socket or a device"))
        links.sort()
    return sorted(found), left


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
