"""A package as it is handed in: the systems of a team in one zip, or the folder that it is made of."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from asdcli.errors import BadData
from asdcli.zips import DamagedZip, unzipping

TASK = "task2"
_SYSTEM = re.compile(rf".+_{TASK}_\d+")
_MOST_BYTES = 500_000_000  # a package of four systems has about 1 MB
_REPORT = ".technical_report.pdf"


@dataclass(frozen=True)
class Opened:
    """The folders of the systems in a package, and what is wrong with the package itself."""

    systems: tuple[Path, ...]
    problems: tuple[str, ...] = ()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of files by name, with no clock in it: the same files give the same bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, files[name])
    return held.getvalue()


def beside(folder: Path) -> dict[str, bytes]:
    """What the authors put into a system's folder to be handed in with it, by name: their technical report."""
    return {p.name: p.read_bytes() for p in sorted(folder.glob(f"*{_REPORT}")) if p.is_file()}


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """The systems of a package: of a zip, of a folder of systems (or above one, `task2/`), or of one system's folder.

    Raises:
        BadData: neither folder nor zip, or a zip that cannot be read.
    """
    if path.is_dir():
        above = path / TASK if (path / TASK).is_dir() else path
        systems = tuple(sorted(p for p in above.iterdir() if p.is_dir() and _SYSTEM.fullmatch(p.name)))
        yield Opened(systems or (path,))
        return
    if not path.is_file():
        hint = f"name a package, or the folder of one system: {TASK}/Lastname_Institute_{TASK}_1"
        raise BadData(f"no folder or zip {path}", hint)
    with tempfile.TemporaryDirectory(prefix="asd-package-") as place:
        try:
            with unzipping(), zipfile.ZipFile(path) as archive:
                found = _unpacked(archive, Path(place))
        except (DamagedZip, OSError) as error:
            raise BadData(
                f"{path} cannot be read as a zip: {error}", "pack it again: asd submit --label LASTNAME_INSTITUTE"
            ) from None
        yield found


def _unpacked(archive: zipfile.ZipFile, place: Path) -> Opened:
    """Write the entries at `task2/<system>/<file>` below `place`; every other one is a problem."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if sum(entry.file_size for entry in entries) > _MOST_BYTES:
        return Opened((), (f"it promises more than {_MOST_BYTES / 1e6:.0f} MB: no submission is so large",))
    problems = []
    for entry in entries:
        task, *rest = PurePosixPath(entry.filename).parts or ("",)
        if task != TASK or len(rest) != 2 or ".." in rest or "\\" in entry.filename:
            problems.append(f"{entry.filename} does not lie in {TASK}/<system>/")
            continue
        target = place.joinpath(*rest)
        if target.exists():
            problems.append(f"{entry.filename} is in it twice")
            continue
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(archive.read(entry))
    systems = tuple(sorted(p for p in place.iterdir() if p.is_dir()))
    if not systems:
        problems.append(f"there is no system in it: {TASK}/Lastname_Institute_{TASK}_1/")
    problems += [f"{p.name} is no name of a system" for p in systems if not _SYSTEM.fullmatch(p.name)]
    return Opened(systems, tuple(problems))
