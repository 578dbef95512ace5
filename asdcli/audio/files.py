"""Opening an audio file: regular files only, and what the operating system says becomes a named refusal."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from asdcli.audio.bad import BadAudio


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The open file. Raises BadAudio for what cannot be opened, or read while it is open.

    A named pipe would wait for a writer for ever and a device may do anything, so neither is opened at all.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a folder fails in the system's own words
            raise BadAudio(path, f"is {kind_of(mode)}, not a file")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise BadAudio(path, f"cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the path
        raise BadAudio(path, f"cannot be read: {error}") from None


def kind_of(mode: int) -> str:
    """What lies at a place that is neither file nor folder, in words."""
    for is_kind, words in (
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if is_kind(mode):
            return words
    return "something else"
