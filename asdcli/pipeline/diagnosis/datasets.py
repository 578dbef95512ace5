"""Which datasets lie under the data root, and whether their recordings, archives and truth tables are all there."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.compute as pc

from asdcli import artifacts, catalogue
from asdcli.audio import file_of
from asdcli.catalogue.edition import Edition
from asdcli.catalogue.truth import tables
from asdcli.clips import SUBSET_FOLDERS, SUFFIXES
from asdcli.editions import archives
from asdcli.errors import AsdError
from asdcli.layouts.links import LINK
from asdcli.pipeline.diagnosis.finding import Finding, State
from asdcli.pipeline.diagnosis.left_out import left_out
from asdcli.pipeline.indexing import of_clips
from asdcli.stages.index import ERRORS
from asdcli.vocabulary import Split, Subset

_AREA = "data"


def look(data: Path, given: Sequence[str] = ()) -> Iterator[Finding]:
    """The findings of every dataset below `data`, and one line for the editions that are not there.

    `given` are the options that lead to `data`; every command that is advised gets them.
    """
    for finding in _look(data):
        fix = finding.fix and " ".join([finding.fix, *map(shlex.quote, given)])
        yield dataclasses.replace(finding, fix=fix)


def _look(data: Path) -> Iterator[Finding]:
    editions = [name for name in catalogue.names() if catalogue.load(name).records]
    roots = sorted(root for root in data.glob("*/") if _is_dataset(root)) if data.is_dir() else []
    for root in roots:
        yield from _clips(root)
        if root.name in editions:
            yield from _edition(root, catalogue.load(root.name))
    absent = [name for name in editions if data / name not in roots]
    if absent:
        yield Finding(_AREA, "not here", State.NOTE, ", ".join(absent), "asd download EDITION")


def _is_dataset(root: Path) -> bool:
    return any((root / name).exists() for name in ("clips.parquet", archives.MARKERS, *SUBSET_FOLDERS))


def _clips(root: Path) -> Iterator[Finding]:
    """Whether clips.parquet can be read and the recordings it names are there."""
    again = of_clips(root)
    try:
        table, header = artifacts.read_table(root / "clips.parquet", artifacts.CLIPS)
    except AsdError as error:
        yield Finding(_AREA, root.name, State.PROBLEM, error.message, again)
        return
    link = root / LINK
    if link.is_symlink() and not link.exists():
        text = f"its recordings were at {link.readlink()} and are gone"
        yield Finding(_AREA, root.name, State.PROBLEM, text, of_clips(root, "NEW_PLACE"))
        return
    gone = [path for path in table["path"].to_pylist() if not file_of(root / path).exists()]
    if gone:
        text = f"{len(gone)} of {len(table)} recordings are missing, the first: {gone[0]}"
        yield Finding(_AREA, root.name, State.PROBLEM, text, again)
        return
    n_machines = len(set(table["machine_type"].to_pylist()))
    yield Finding(_AREA, root.name, State.OK, f"{len(table)} clips of {n_machines} machine types, all there")
    damaged = table.filter(pc.is_null(table["duration_s"]))["path"].to_pylist()
    if damaged:
        text = f"{len(damaged)} recordings are damaged, the first: {damaged[0]}"
        yield Finding(_AREA, root.name, State.PROBLEM, text, again)
    if (root / ERRORS).exists():
        try:
            text = left_out(root / ERRORS)
        except AsdError as error:
            text = error.message
        yield Finding(_AREA, f"{root.name}/{Path(ERRORS).stem}", State.NOTE, text)
    if "layout" not in header.params and root.name not in catalogue.names():
        yield Finding(_AREA, root.name, State.NOTE, "neither an edition nor made by asd index")


def _edition(root: Path, edition: Edition) -> Iterator[Finding]:
    """Subset by subset: which archives are unpacked, whole or not, and which tables of truth are missing."""
    for subset in edition.subsets:
        own = archives.choose(edition, [subset], None)
        unpacked = [p for p in own if p.is_unpacked(root)]
        by_hand = [p for p in own if p not in unpacked and _has_audio(p, root)]
        name, command = f"{edition.name} {subset}", f"asd download {edition.name} --subset {subset}"
        if not unpacked and not by_hand:
            yield Finding(_AREA, name, State.NOTE, "not downloaded", command)
            continue
        missing = [p for p in own if p not in unpacked and p not in by_hand]
        text = f"{len(own) - len(missing)} of {len(own)} archives are there"
        if by_hand:
            text += f", {len(by_hand)} of them unpacked by hand (whether whole cannot be told)"
        if missing:
            options = " ".join(f"--machine-type {m}" for m in dict.fromkeys(p.machine_type for p in missing))
            text += f"; missing: {', '.join(p.zip_name for p in missing)}"
            yield Finding(_AREA, name, State.NOTE, text, f"{command} {options}")
        else:
            yield Finding(_AREA, name, State.OK, text)
        for part in unpacked:
            yield from _broken(part, root, command)
        machine_types = {p.machine_type for p in (*unpacked, *by_hand) if Split.TEST in p.record.splits}
        yield from _truth(root, edition, subset, machine_types, command)


def _has_audio(part: archives.Archive, root: Path) -> bool:
    folder = part.raw(root) / part.machine_type
    splits = {split.value for split in part.record.splits}
    return any(
        file.suffix.lower() in SUFFIXES
        for place in (folder.glob("*/") if folder.is_dir() else ())
        if place.name in splits or place.name.removeprefix("source_").removeprefix("target_") in splits
        for file in place.iterdir()
    )


def _broken(part: archives.Archive, root: Path, command: str) -> Iterator[Finding]:
    """Files of an unpacked archive that are gone or have another size (`asd download --verify` reads them all)."""
    name, fix = f"{part.zip_name}", f"{command} --machine-type {part.machine_type} --force"
    folder = part.raw(root) / part.machine_type
    try:
        files = archives.members(part, root)
    except (ValueError, KeyError, TypeError, OSError):
        text = f"its marker {part.marker(root)} cannot be read"
        yield Finding(_AREA, name, State.PROBLEM, text, fix)
        return
    wrong = [str(folder / m.path) for m in files if _size(folder / m.path) != m.size]
    if wrong:
        text = f"{len(wrong)} of {len(files)} files are missing or cut, the first: {wrong[0]}"
        yield Finding(_AREA, name, State.PROBLEM, text, fix)


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None


def _truth(root: Path, edition: Edition, subset: Subset, machine_types: set[str], command: str) -> Iterator[Finding]:
    """Which tables of ground truth are missing: without them the test clips of their machine types count nowhere."""
    wanted = tables(edition, [subset], machine_types)
    missing = [t for t in wanted if not (root / t.path).exists()]
    if missing:
        text = f"{len(missing)} of {len(wanted)} tables of ground truth are missing, the first: {missing[0].path}"
        yield Finding(_AREA, f"{edition.name} {subset}", State.NOTE, text, command)
