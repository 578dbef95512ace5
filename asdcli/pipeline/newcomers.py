"""Recordings that are to join what was learned: which they are, whether they may, and how they are reached."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from asdcli import audio
from asdcli.clips import without_suffix
from asdcli.filenames import fault
from asdcli.layouts import Asked, LeftOut, Recording, meanings, read_normals, refuse_doubtful
from asdcli.layouts.links import LATER, later_folder, links, path_through, shown
from asdcli.pipeline.steps.check import files_at, machine_for
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import Progress
from asdcli.views.bank import BankRole
from asdcli.views.listing import table_of
from asdcli.views.stretches import cut, number_of, parts_of, size_of
from asdcli.vocabulary import Condition, Split

FAULT = "an operator called it a fault, and no fault is ever compared with"


@dataclass(frozen=True)
class Newcomer:
    """A recording that may join.

    Attributes:
        file: where it lies.
        path: below the dataset's root, through a link that may have to be made.
        machine: it is of.
        info: what its header says.
    """

    file: Path
    path: str
    machine: str
    info: audio.Info

    @property
    def clip_id(self) -> str:
        return without_suffix(self.path)


@dataclass
class Newcomers:
    """All of a call.

    Attributes:
        found: those that may join.
        back: clip_ids of those that were learned and taken out.
        turned: clip_ids of those that an operator called normal.
        here: names of those that are in the reference set already.
        links: name of a link in `links.LATER` -> the folder that it has to lead to.
        left: those that cannot join, each with the reason.
    """

    found: list[Newcomer] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    turned: list[str] = field(default_factory=list)
    here: list[str] = field(default_factory=list)
    links: dict[str, Path] = field(default_factory=dict)
    left: list[LeftOut] = field(default_factory=list)

    def without(self, left: Sequence[LeftOut]) -> None:
        """Leave out some, by the `file` of each."""
        names = {one.path for one in left}
        self.found = [one for one in self.found if str(one.file) not in names]
        self.left += left

    def rows(self, role: BankRole) -> pa.Table | None:
        """Those that may join as rows of clips.parquet."""
        if not self.found:
            return None
        read = [Recording(one.path, one.machine, **asdict(role)) for one in self.found]
        return table_of(read, {one.path: one.info for one in self.found}, "")

    def make_links(self, root: Path) -> None:
        """Make the links that lead to those that may join."""
        for name in sorted({later_folder(one.path) or "" for one in self.found} & self.links.keys()):
            (root / LATER).mkdir(parents=True, exist_ok=True)
            (root / LATER / name).symlink_to(self.links[name], target_is_directory=True)


def newcomers(
    space: Workspace,
    places: Sequence[Path],
    table: pa.Table,
    machines: Sequence[str],
    *,
    machine: str | None = None,
    condition_words: Sequence[str] = (),
    apart: bool = False,
    progress: Progress,
) -> Newcomers:
    """Look for recordings at places.

    Args:
        space: the run.
        places: files, and folders that hold some.
        table: of clips.parquet.
        machines: that the run knows.
        machine: of all of them.
        condition_words: what words of their names mean.
        apart: all are reached through links of their own, also those beside the ones learned first.
        progress: is told what is left out.

    Raises:
        UsageError: a machine that cannot be told.
        BadData: a place that is not there, or recordings whose names may say that they are no normal ones.
    """
    files: dict[Path, Path] = {}
    for place in places:
        files |= {file: place if place.is_dir() else place.parent for file in files_at(place, True, progress)}
    found = Newcomers()
    found.left += _abnormal(list(files), condition_words, machine)
    left = {one.path for one in found.left}
    files = {file: place for file, place in files.items() if str(file) not in left}
    rows = {row["clip_id"]: row for row in table.to_pylist()}
    ways = Ways(space.dataset_root, rows, apart)
    cut_before = parts_of(row["path"] for row in rows.values())
    for file, path in _in_parts(files, ways, cut_before, table, machine, machines):
        known = rows.get(without_suffix(path))
        if known and known["path"] != path:
            found.left.append(LeftOut(str(file), f"the same name as {known['path']}", is_loss=True))
        elif not _is_here(known, found, file):
            try:
                info = audio.info(file)
            except audio.BadAudio as error:
                found.left.append(LeftOut(str(file), error.reason, is_loss=True))
                continue
            found.found.append(Newcomer(file, path, machine or machine_for(file, machines), info))
    found.links = ways.made
    return found


def _in_parts(
    files: Mapping[Path, Path],
    ways: Ways,
    cut_before: Mapping[str, Sequence[str]],
    table: pa.Table,
    machine: str | None,
    machines: Sequence[str],
) -> Iterator[tuple[Path, str]]:
    """The files, and the paths to them; of those that were cut when they were learned, or are to be cut likewise, the
    stretches: where those of its machine were, a recording that joins is."""
    for file, place in files.items():
        path = ways.to(file, place)
        stretches = cut_before.get(path)
        if stretches is None:
            size = size_of(table, machine or machine_for(file, machines))
            stretches = [path]
            if size is not None and len(parts := _cut(file, path, size)) > 1:
                stretches = parts
        for one in stretches:
            yield file if one == path else file.with_name(one.rpartition("/")[2]), one


def _cut(file: Path, path: str, size: float) -> list[str]:
    try:
        info = audio.info(file)
        return [name for name, _ in cut(path, info, number_of(info.duration_s, size))]
    except audio.BadAudio:  # it is told of where it is looked at
        return [path]


def _is_here(known: Mapping[str, Any] | None, found: Newcomers, file: Path) -> bool:
    """Whether nothing is to be read of a file, and what becomes of it then."""
    if known is None:
        return False
    if known["condition"] == Condition.ANOMALY:
        found.left.append(LeftOut(str(file), FAULT, is_loss=True))
    elif known["split"] == Split.TRAIN:
        found.here.append(shown(known["clip_id"]))
    elif known["split"] == Split.SUPPLEMENTAL:
        found.back.append(known["clip_id"])
    else:
        found.turned.append(known["clip_id"])
    return True


def _abnormal(files: Sequence[Path], condition_words: Sequence[str], machine: str | None) -> Iterator[LeftOut]:
    """Those whose names say an anomaly. Raises BadData where they only may say one."""
    if not files:
        return
    whole = {Path(os.path.normpath(file.absolute())): file for file in files}
    top = Path(os.path.commonpath([file.parent for file in whole]))
    told = meanings(condition_words)
    below = {file.relative_to(top).as_posix(): named for file, named in whole.items()}
    read, left = read_normals(below, top.parts[1:], told=told, machine=machine)
    refuse_doubtful(read, Asked(top.name, told, machine))
    for one in left:
        yield LeftOut(str(below[one.path]), one.reason, one.is_loss)


class Ways:
    """The ways to files, through links that are there or have to be made."""

    def __init__(self, root: Path, rows: Mapping[str, Any], apart: bool) -> None:
        self._ways = links(root)
        self._first = next(iter(self._ways))
        self._root, self._apart = root, apart
        self._known = {(root / row["path"]).resolve(): row["path"] for row in rows.values()}
        self.made: dict[str, Path] = {}

    def to(self, file: Path, place: Path) -> str:
        """The path below the dataset's root that leads to a file which was found at a place."""
        if file.resolve() in self._known:
            return str(self._known[file.resolve()])
        ways = {before: folder for before, folder in self._ways.items() if not self._apart or before != self._first}
        if (path := path_through(ways, file)) is not None:
            return path
        folder = place.resolve()
        name = self._name(folder)
        self.made[name] = folder
        self._ways[f"{LATER}/{name}/"] = folder
        return str(path_through({f"{LATER}/{name}/": folder}, file))

    def _name(self, folder: Path) -> str:
        """What a link to a folder is called: as that, with a number where another one is."""
        name = folder.name if folder.name and not fault(folder.name) else "recordings"
        taken = {later_folder(f"{before}x") for before in self._ways}
        names = itertools.chain([name], (f"{name} {number}" for number in itertools.count(2)))
        return next(one for one in names if one not in taken and not os.path.lexists(self._root / LATER / one))
