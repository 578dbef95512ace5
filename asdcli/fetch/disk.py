"""What the disk may refuse, in words: full, read-only, not ours."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from asdcli.errors import DownloadError

_FULL = (errno.ENOSPC, errno.EDQUOT)


class DiskError(DownloadError):
    """The disk refuses: no further file has a chance, so a download stops here."""


@contextlib.contextmanager
def guard_disk(path: Path) -> Iterator[None]:
    """Turn an OSError from the file system into a DiskError that names `path`."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # it comes from no disk: bz2 says so that what it is to unpack is damaged
            raise
        if error.errno in _FULL:
            raise DiskError(
                f"the disk is full while writing {path}",
                "free some space and run the same command again: it goes on from the part that is there",
            ) from None
        raise DiskError(
            f"cannot write {error.filename or path}: {error.strerror or error}",
            "choose a folder that you may write to, with --data DIR",
        ) from None


def require_space(folder: Path, n_bytes: int, what: str) -> None:
    """Raise DiskError when the disk of `folder` (or of its nearest existing parent) has less than `n_bytes` free."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < n_bytes:
        raise DiskError(
            f"{what} needs {megabytes(n_bytes)}, but {place} has {megabytes(free)} free",
            "free some space, or choose another disk with --data DIR",
        )


def megabytes(n_bytes: int) -> str:
    """`n_bytes` for reading: "1.2 GB", "650 MB", "12 kB" (powers of ten)."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if n_bytes >= scale:
            value = n_bytes / scale
            return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"
    return f"{n_bytes} bytes"
