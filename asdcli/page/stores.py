"""Where the sounds and pictures of a page lie: within the page, as far as a budget goes, or in a folder beside it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from asdcli.artifacts import own

_TYPES = {"flac": "audio/flac", "opus": "audio/ogg", "png": "image/png"}
_AT_ONCE = 64  # files that are noted in the ledger together


class Store(Protocol):
    """Takes files and gives addresses.

    Attributes:
        lossless: whether sounds are to lose nothing.
        longest_s: what is kept of a recording at the most.
    """

    lossless: bool
    longest_s: float

    def put(self, **files: bytes) -> list[str] | None:
        """The addresses of files that belong together, by suffix; None where there is no room for all of them."""
        ...


class WithinPage:
    """Files within the page.

    Args:
        budget: bytes of the page that they may take.
    """

    lossless, longest_s = False, 12.0

    def __init__(self, budget: int) -> None:
        self.left = budget

    def put(self, **files: bytes) -> list[str] | None:
        """As `Store`."""
        made = [f"data:{_TYPES[suffix]};base64,{base64.b64encode(data).decode()}" for suffix, data in files.items()]
        size = sum(map(len, made))
        if size > self.left:
            return None
        self.left -= size
        return made


class BesidePage:
    """Files in a folder beside the page, numbered, because names of recordings are not fit for every disk.

    Args:
        folder: it.
        force: overwrite files that asd did not write, or that were changed since.
    """

    lossless, longest_s = True, 60.0

    def __init__(self, folder: Path, *, force: bool) -> None:
        self.folder, self._force = folder, force
        self._number = 0
        self._waiting: dict[str, bytes] = {}
        self._written: set[str] = set()

    def put(self, **files: bytes) -> list[str] | None:
        """As `Store`; there is room for all. Raises BadData where a file is not asd's to overwrite."""
        self._number += 1
        named = {f"{self._number:05d}.{suffix}": data for suffix, data in files.items()}
        for name, data in named.items():
            own.check(self.folder / name, data, force=self._force, folder=self.folder)
        self._waiting |= named
        if len(self._waiting) >= _AT_ONCE:
            self._write()
        return [quote(f"{self.folder.name}/{name}") for name in named]

    def close(self) -> None:
        """Write what waits, and remove what an earlier page left there and asd wrote."""
        self._write()
        own.remove(self.folder, [name for name in own.names(self.folder) if name not in self._written])

    def _write(self) -> None:
        if self._waiting:
            own.write_files(self.folder, self._waiting)
        self._written |= set(self._waiting)
        self._waiting = {}
