"""Whole or not at all: files and folders are made under a temporary name beside their own, which no other process has.

What a killed process left goes with the next writing in its place, as soon as its owner is known to be gone: at once on
the same host, after a day without a change on another.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asdcli.writing import owners

_SUFFIX = ".tmp"
_TAIL = re.compile(r"\.(?P<host>[0-9a-f]{6})-(?P<pid>\d+)-\d+\.tmp")
_LONGEST = 200  # bytes of a name; file systems take 255
_A_DAY = 24 * 3600.0
_number = itertools.count()  # of temporaries of this process: threads may write the same


@contextlib.contextmanager
def atomic(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes the name `path` when the block succeeds and vanishes otherwise.

    Args:
        path: where the file is to lie.
        durable: wait until the content has reached the disk. Without, files that can be made again are faster, and
            nothing is swept: see `sweep_inside`.
    """
    with draft(path, durable=durable) as temporary:
        yield temporary.path
        temporary.keep()


@dataclass(frozen=True)
class Draft:
    """A file under a temporary name.

    Attributes:
        path: where it is made.
        place: where it is to lie.
        durable: as of `atomic`.
    """

    path: Path
    place: Path
    durable: bool

    def keep(self) -> None:
        """Give it its own name; only what is finished, and closed."""
        if self.durable:
            with self.path.open("rb") as file:
                os.fsync(file.fileno())
        self.path.replace(self.place)


@contextlib.contextmanager
def draft(path: Path, *, durable: bool = True) -> Iterator[Draft]:
    """As `atomic`, for what shows only in the making whether it is worth keeping: it vanishes without `keep`."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if durable:
        sweep(path)
    temporary = _temporary(path)
    try:
        yield Draft(temporary, path, durable)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def workshop(path: Path) -> Iterator[Path]:
    """Yield a new, empty folder beside `path`, in which what is to lie there is made; it vanishes at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path)
    temporary = _temporary(path)
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sweep(path: Path) -> None:
    """Remove temporaries of `path` whose owner is gone."""
    _sweep(path.parent, short(path.name))


def sweep_inside(folder: Path) -> None:
    """Remove temporaries of everything that lies directly in `folder`, where their owners are gone."""
    _sweep(folder, None)


def short(name: str) -> str:
    """A name that has room for what comes before and after it; a long one is cut and told apart by a digest."""
    encoded = os.fsencode(name)
    if len(encoded) <= _LONGEST:
        return name
    digest = hashlib.blake2b(encoded, digest_size=8).hexdigest()
    return f"{encoded[: _LONGEST - 20].decode(errors='ignore')}~{digest}"


def _temporary(path: Path) -> Path:
    tail = f"{owners.host_mark()}-{os.getpid()}-{next(_number)}"
    return path.with_name(f".{short(path.name)}.{tail}{_SUFFIX}")


def _sweep(folder: Path, name: str | None) -> None:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") or not entry.name.endswith(_SUFFIX):
                continue
            found = _TAIL.search(entry.name)
            if found and (name is None or entry.name[: found.start()] == f".{name}") and _is_left(entry, found):
                _remove(entry)


def _is_left(entry: os.DirEntry[str], found: re.Match[str]) -> bool:
    if found["host"] == owners.host_mark():
        return not owners.runs(int(found["pid"]))
    return time.time() - entry.stat(follow_symlinks=False).st_mtime > _A_DAY


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path, ignore_errors=True)
    else:
        Path(entry.path).unlink(missing_ok=True)
