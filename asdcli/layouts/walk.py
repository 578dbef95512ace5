"""Find the audio files below a folder, in an order that does not depend on the file system."""

from __future__ import annotations

import os
from pathlib import Path

from asdcli.clips import SUFFIXES
from asdcli.layouts.recording import LeftOut

_OTHER_AUDIO = (".mp3", ".m4a", ".aac", ".ogg", ".opus", ".wma", ".aif", ".aiff", ".au", ".raw", ".pcm")


def find_audio(root: Path) -> tuple[list[str], list[LeftOut]]:
    """All wav and flac files (in any case) below `root` as sorted POSIX paths, and everything else with a reason.

    Links are followed. A folder is entered once, by its own name rather than by a link's, so that loops end and no
    recording comes twice. A folder that holds a `clips.parquet` is a dataset of its own and is not entered.

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
            elif path.lower().endswith(SUFFIXES):
                found.append(path)
            elif path.lower().endswith(_OTHER_AUDIO):
                left.append(LeftOut(path, "audio, but neither wav nor flac: convert it first"))
            else:
                left.append(LeftOut(path, "neither wav nor flac"))
        links.sort()
    return sorted(found), left


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
