"""An unfinished download on disk: `<target>.part`, and beside it `<target>.part.json`, which says of what it is a part.

A part is continued only if its note names the same address and checksum as what is wanted now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asdcli.errors import DownloadError
from asdcli.fetch.disk import guard_disk
from asdcli.files import read_json, require_file
from asdcli.writing.locks import flock

LARGEST = 50 * 10**9
"""Bytes of an archive of which nobody says how large it is; those of the editions have at most a few 10**9."""


@dataclass(frozen=True)
class Source:
    """A file to fetch: its name, the places to ask in turn (the next one only after a 404), and what it must be."""

    name: str
    urls: tuple[str, ...]
    md5: str | None = None
    size: int | None = None


class PartFile:
    """The unfinished file on disk and the note that says of what it is a part."""

    def __init__(self, target: Path, source: Source) -> None:
        self.path = target.with_name(target.name + ".part")
        self.note = target.with_name(target.name + ".part.json")
        self.source = source
        self.etag: str | None = None
        with guard_disk(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self.size = require_file(self.path).stat().st_size if self.path.exists() else 0
            said = self._read_note()
            if self.size and (said is None or said["url"] not in source.urls or said["md5"] != source.md5):
                self.drop()  # nobody knows of what this is a part
            elif said:
                self.etag = said["etag"]

    def _read_note(self) -> dict[str, Any] | None:
        try:
            said = read_json(self.note)
            return {key: said[key] for key in ("url", "md5", "etag")}
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def open(self, url: str, etag: str | None) -> None:
        """Write the note. Weak ETags (W/…) do not promise the same bytes, so they are not kept."""
        self.etag = etag if etag and not etag.startswith("W/") else None
        with guard_disk(self.note):
            self.note.write_text(json.dumps({"url": url, "md5": self.source.md5, "etag": self.etag}))

    def append(self) -> Appender:
        return Appender(self)

    def drop(self) -> int:
        """Throw the part away; returns how many bytes it had."""
        dropped, self.size, self.etag = self.size, 0, None
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
        return dropped

    def most(self, told: int | None) -> int:
        """Bytes that the complete file may have; `told` is what the server says of it."""
        return next((n for n in (self.source.size, told) if n is not None), LARGEST)

    def fault(self) -> str | None:
        """What is wrong with the complete file, None if nothing is."""
        if self.source.size is not None and self.size != self.source.size:
            return f"expected {self.source.size} bytes, got {self.size}"
        if self.source.md5:
            got = md5_of(self.path)
            if got != self.source.md5:
                return f"expected md5 {self.source.md5}, got {got}"
        return None


class Appender:
    """Appends to the part without a buffer, so that a killed process has lost nothing that was counted."""

    def __init__(self, part: PartFile) -> None:
        self.part = part

    def __enter__(self) -> Callable[[bytes], None]:
        with guard_disk(self.part.path):
            self.file = self.part.path.open("ab", buffering=0)
        if flock(self.file.fileno()) is False:  # without locks the checksum still tells if two have mixed their bytes
            self.file.close()
            raise DownloadError(f"another download is writing {self.part.path}", "wait for it, or end it first")
        return self._write

    def _write(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        with guard_disk(self.part.path):
            while view:
                n = self.file.write(view) or 0
                self.part.size += n
                view = view[n:]

    def __exit__(self, *error: object) -> None:
        self.file.close()


def md5_of(path: Path) -> str:
    """The md5 of a file, as hexadecimal digits."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
