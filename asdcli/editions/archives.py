"""The parts of an edition (one zip each) and the markers that say which of them are unpacked, file by file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asdcli import artifacts
from asdcli.catalogue.edition import Edition, Record
from asdcli.errors import BadArtifact, unknown_name
from asdcli.fetch.archive import Member
from asdcli.files import read_json, require_file
from asdcli.vocabulary import Subset

MARKERS = ".parts"
_LARGEST = 1 << 40  # bytes of a file


@dataclass(frozen=True)
class Archive:
    """One zip of an edition: the clips of one machine type in one record."""

    record: Record
    machine_type: str

    @property
    def zip_name(self) -> str:
        return self.record.zip_name(self.machine_type)

    @property
    def md5(self) -> str | None:
        return self.record.md5.get(self.machine_type)

    def raw(self, root: Path) -> Path:
        """The folder that holds the machine types of this part's subset."""
        return root / f"{self.record.subset}_data" / "raw"

    def marker(self, root: Path) -> Path:
        return root / MARKERS / f"{self.zip_name}.json"

    def is_unpacked(self, root: Path) -> bool:
        return self.marker(root).exists() and (self.raw(root) / self.machine_type).is_dir()


def choose(edition: Edition, subsets: Iterable[Subset], machine_types: Iterable[str] | None) -> list[Archive]:
    """The parts of some subsets and machine types (None: all), in the catalogue's order.

    Raises:
        UsageError: a machine type that none of the subsets has ("did you mean").
    """
    wanted = set(subsets)
    parts = [part for subset in Subset if subset in wanted and (part := edition.part(subset))]
    known = {m for part in parts for m in part.machine_types}
    for name in machine_types or ():
        if name not in known:
            raise unknown_name(f"machine type in {edition.name} {'+'.join(sorted(wanted))}", name, known)
    chosen = set(machine_types) if machine_types else known
    found = []
    for record in edition.records:
        part = edition.part(record.subset)
        if record.subset in wanted and part:
            found += [Archive(record, m) for m in part.machine_types if m in chosen]
    return found


def mark(part: Archive, root: Path, members: list[Member], md5: str | None) -> None:
    """Write down what was unpacked: from now on the part counts as there."""
    said = {
        "archive": part.zip_name,
        "record": part.record.record,
        "machine_type": part.machine_type,
        "subset": part.record.subset.value,
        "md5": md5,
        "files": [[m.path, m.size, m.crc] for m in members],
    }
    with artifacts.atomic(part.marker(root)) as temporary:
        temporary.write_text(json.dumps(said) + "\n")


def members(part: Archive, root: Path) -> list[Member]:
    """The files of an unpacked part, as its marker has them. Raises BadArtifact for a marker that cannot be read."""
    marker = part.marker(root)
    try:
        said = read_json(marker)
        found = [Member(str(path), int(size), int(crc)) for path, size, crc in said["files"]]
        if all(0 <= m.size < _LARGEST and "\0" not in m.path for m in found):
            return found
    except (ValueError, KeyError, TypeError, OverflowError):
        pass
    again = f"asd download {root.name} --force --subset {part.record.subset} --machine-type {part.machine_type}"
    raise BadArtifact(f"{marker} cannot be read", f"fetch the archive again: {again}")


def check(part: Archive, root: Path, files: Iterable[Member]) -> Iterator[tuple[Member, str | None]]:
    """Compare each file of a part with what was in the zip: (file, what is wrong or None)."""
    folder = part.raw(root) / part.machine_type
    for member in files:
        path = folder / member.path
        try:
            data = require_file(path).read_bytes()
        except FileNotFoundError:
            yield member, f"{path} is missing"
            continue
        if len(data) != member.size:
            yield member, f"{path} has {len(data)} bytes, not {member.size}"
        elif zlib.crc32(data) != member.crc:
            yield member, f"{path} was changed: its CRC-32 is not the archive's"
        else:
            yield member, None
