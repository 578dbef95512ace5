"""Out of a zip, safely: every path checked before a byte is written, into a temporary folder, then in place."""

from __future__ import annotations

import shutil
import stat
import threading
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from asdcli.errors import DownloadError
from asdcli.fetch.disk import guard_disk, megabytes, require_space
from asdcli.fetch.transfer import Stopped, Watcher
from asdcli.writing.whole import sweep_inside, workshop
from asdcli.zips import DamagedZip, unzipping

_moving = threading.Lock()  # a machine type's training and test zips may finish at the same moment
_EXPANSION = 30  # recordings shrink to a half or a third in a zip, and to less only where they are silent
_MOST_FILES = 200_000  # the largest archive of an edition has some thousands
_CLUTTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Member:
    """One file of an archive: its path below the machine type's folder, size in bytes and CRC-32."""

    path: str
    size: int
    crc: int


def unzip(archive: Path, folder: Path, *, top: str, watcher: Watcher | None = None) -> list[Member]:
    """Unpack the part of `archive` below its folder `top` into `folder/<top>`; returns what was unpacked, by path.

    The files are written beside, counted and CRC-checked, then moved: `folder/<top>` never holds half a file.
    Files of the same name are replaced; others stay (training and test zips of an edition share one folder).

    Raises:
        DownloadError: not a zip, damaged, without the folder `top`, with a path that leads out of it (zip-slip), or
            files that promise far more than recordings in a zip of its size can be.
        DiskError: not enough room, or not writable.
    """
    try:
        with ExitStack() as stack, unzipping(), zipfile.ZipFile(archive) as opened:
            members = [(info, _inside(info, top, archive)) for info in opened.infolist() if not _clutter(info)]
            files = [(info, path) for info, path in members if not info.is_dir()]
            if not files:
                raise DownloadError(f"{archive} holds no files", "remove it, and fetch it anew")
            _refuse_bomb(archive, [info.file_size for info, _ in files])
            with guard_disk(folder):
                sweep_inside(folder)
                beside = stack.enter_context(workshop(folder / archive.name))
            require_space(folder, sum(info.file_size for info, _ in files), f"unpacking {archive.name}")
            for info, path in files:
                if watcher and watcher.stop.is_set():
                    raise Stopped
                _extract(opened, info, beside / path)
            found = sum(1 for p in beside.rglob("*") if p.is_file())
            if found != len(files):
                raise DownloadError(
                    f"{archive} lists {len(files)} files but {found} came out of it: names stand twice",
                    "fetch it again",
                )
            with guard_disk(folder), _moving:
                _move_in(beside / top, folder / top)
    except DamagedZip as error:
        raise DownloadError(f"{archive} is a damaged zip: {error}", "remove it, and fetch it anew") from None
    except FileNotFoundError:
        raise DownloadError(f"{archive} is not there") from None
    below = [Member(PurePosixPath(path).relative_to(top).as_posix(), info.file_size, info.CRC) for info, path in files]
    return sorted(below, key=lambda m: m.path)


def _refuse_bomb(archive: Path, sizes: list[int]) -> None:
    """Its size is that of the catalogue or of the server's list where one says it: what comes out must be in keeping.

    A file that holds more than it promises is cut there, and fails its CRC.
    """
    promised, size = sum(sizes), archive.stat().st_size
    if promised > _EXPANSION * size or len(sizes) > _MOST_FILES:
        raise DownloadError(
            f"{archive} has {megabytes(size)} and promises {len(sizes)} files of {megabytes(promised)}: no recordings "
            "shrink so; nothing of it was unpacked",
            "do not use this archive",
        )


def _clutter(info: zipfile.ZipInfo) -> bool:
    return any(part in _CLUTTER or part.startswith("._") for part in info.filename.split("/"))


def _inside(info: zipfile.ZipInfo, top: str, archive: Path) -> str:
    """The member's path from `top` on. Raises DownloadError when it leads elsewhere or is a link."""
    name = info.filename
    parts = PurePosixPath(name).parts
    if "\\" in name or name.startswith("/") or ".." in parts or any(":" in p for p in parts):
        raise DownloadError(
            f"{archive} holds the unsafe path {name!r}; nothing of it was unpacked", "do not use this archive"
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise DownloadError(f"{archive} holds the link {name!r}; nothing of it was unpacked", "do not use this archive")
    if top not in parts:
        if info.is_dir():
            return name
        raise DownloadError(
            f"{archive} holds {name!r}, which is not below {top}/", "it is not the archive of this machine type"
        )
    return "/".join(parts[parts.index(top) :])


def _extract(opened: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> None:
    with opened.open(info) as packed, guard_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)  # reading to the end checks the CRC


def _move_in(fresh: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        fresh.replace(place)
        return
    for file in sorted(p for p in fresh.rglob("*") if p.is_file()):
        target = place / file.relative_to(fresh)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
