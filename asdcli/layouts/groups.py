"""Groups of training clips that belong together: one operating state, one session, or recorded one after the other.

Clips of one group resemble each other more than the next recording will resemble any of them. What is promised of
recordings to come is therefore measured on whole groups: see `asd train --hold-out`.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from asdcli.clips import without_suffix
from asdcli.errors import UsageError
from asdcli.filenames import natural
from asdcli.layouts.dates import day_of
from asdcli.layouts.links import later_folder
from asdcli.vocabulary import GROUPINGS, Split

BLOCKS = 10
"""Into how many blocks the clips of a section and domain are cut where nothing else tells them apart."""

_COLUMNS = ("clip_id", "path", "machine_type", "section", "subset", "split", "domain", "attributes", "attribute_string")
_HINT = f"group by something else: {', '.join(GROUPINGS)}"
_RUNNING = re.compile(r"(?:[\W_]*(?<![^\W\d_])\d+)+[\W_]*$")
"""The numbers at the end of a name; one that a letter leads belongs to a word (`s1_0007` is the seventh of `s1`)."""


@dataclass(frozen=True)
class _Clip:
    """What groups are told by; `key` is of a column that was asked for."""

    row: int
    path: str
    section: str | None
    domain: str | None
    attributes: str | None
    key: str | None

    @property
    def stratum(self) -> tuple[str, ...]:
        return stratum(self.section, self.domain, self.path)


Groups = list[str | None]
"""The group of each of some clips; None where nothing tells."""


def with_groups(clips: pa.Table, by: str | None = None) -> pa.Table:
    """The clips with the columns `group` and `group_from`, which hold something for clips of the training split.

    Clips belong together by machine type and group. Without `by` each machine type is cut by the first of these that
    cuts its largest section and domain in two, and not all into pieces: attributes, folders, days, beginnings of
    names. Where none does, by blocks of consecutive recordings, in the order of their names with numbers as numbers.
    Recordings that came later (`links.LATER`) leave the groups of the others as they are: those of each folder are cut
    by themselves, or in blocks of the size that the others were cut into.

    Args:
        clips: columns of clips.parquet; `group` may hold what a manifest said: that stays, for the whole machine type.
        by: one of `GROUPINGS`.

    Raises:
        UsageError: a grouping that cannot be, or that nothing is known of.
    """
    columns = {name: clips[name].to_pylist() for name in _COLUMNS}
    known = clips["group"].to_pylist() if "group" in clips.column_names else [None] * len(clips)
    keys = _keys(by, columns)
    machines: dict[tuple[str, str], list[_Clip]] = defaultdict(list)
    said = zip(*(columns[name] for name in ("path", "section", "domain", "attribute_string")), keys, strict=True)
    for row, (split, of_clip) in enumerate(zip(columns["split"], said, strict=True)):
        if split == Split.TRAIN:
            machines[columns["subset"][row], columns["machine_type"][row]].append(_Clip(row, *of_clip))
    group: Groups = [None] * len(clips)
    found_by: Groups = [None] * len(clips)
    for (_, machine_type), own in machines.items():
        of_clips, how = [known[clip.row] for clip in own], "manifest"
        if not any(of_clips):
            of_clips, how = _with_later(own, by, machine_type)
        for clip, name in zip(own, of_clips, strict=True):
            group[clip.row], found_by[clip.row] = name or "none", how
    for name, values in (("group", group), ("group_from", found_by)):
        column = pa.array(values, pa.string())
        at = clips.schema.get_field_index(name)
        clips = clips.append_column(name, column) if at < 0 else clips.set_column(at, name, column)
    return clips


def sizes(clips: pa.Table) -> dict[str, tuple[str, list[int]]]:
    """Of each machine type how its groups were found, and how many clips each has, smallest first."""
    columns = (clips[name].to_pylist() for name in ("machine_type", "group", "group_from"))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    how: dict[str, str] = {}
    for machine_type, group, found_by in zip(*columns, strict=True):
        if group is not None:
            counts[machine_type][group] += 1
            how.setdefault(machine_type, found_by)  # later ones stand behind
    return {name: (how[name], sorted(of_groups.values())) for name, of_groups in sorted(counts.items())}


def stratum(section: str | None, domain: str | None, path: str) -> tuple[str, ...]:
    """Section and domain of a clip, as far as they are known, and the folder of one that came later by its path or id.

    What is cut into blocks by itself.
    """
    return tuple(part for part in (section, domain, later_folder(path)) if part)


def in_blocks(names: Sequence[str], strata: Sequence[tuple[str, ...]], size: int) -> list[str]:
    """The blocks of `size` consecutive clips of a stratum; the last one may be shorter.

    Args:
        names: of the clips, with numbers that tell their order.
        strata: of the clips.
        size: at least 1.
    """
    blocks = [""] * len(names)
    counts: Counter[tuple[str, ...]] = Counter()
    for row in sorted(range(len(names)), key=lambda row: natural(names[row])):
        blocks[row] = " ".join((*strata[row], f"block {counts[strata[row]] // size + 1}"))
        counts[strata[row]] += 1
    return blocks


def _with_later(own: Sequence[_Clip], by: str | None, machine_type: str) -> tuple[Groups, str]:
    """The groups of a machine type's clips, and how those were told that were there first."""
    folders: dict[str | None, list[int]] = defaultdict(list)
    for place, clip in enumerate(own):
        folders[later_folder(clip.path)].append(place)
    found: Groups = [None] * len(own)
    how = ""
    for folder in sorted(folders, key=lambda name: name or ""):
        clips = [own[place] for place in folders[folder]]
        if folder is None:
            groups, how = _asked(clips, by, machine_type) if by else _told(clips)
        elif how.startswith("block:"):
            groups, _ = _asked(clips, how, machine_type)
        else:
            groups, told = _of_later(clips, by, machine_type)
            how = how or told
            if not told.startswith("block:"):  # whose names hold the folder's
                groups = [folder if name in (None, ".") else f"{folder} {name}" for name in groups]
        for place, name in zip(folders[folder], groups, strict=True):
            found[place] = name
    return found, how


def _of_later(clips: Sequence[_Clip], by: str | None, machine_type: str) -> tuple[Groups, str]:
    """The groups of one folder that came later; where nothing tells what was asked for, the folder is one."""
    if by is None:
        return _told(clips)
    try:
        return _asked(clips, by, machine_type)
    except UsageError:
        return [None] * len(clips), "folder"


def _attributes(clips: Sequence[_Clip]) -> Groups:
    return [clip.attributes for clip in clips]


def _folders(clips: Sequence[_Clip]) -> Groups:
    """The folders below the one that holds all."""
    folders = [posixpath.dirname(clip.path) or "." for clip in clips]
    top = posixpath.commonpath(folders)
    return [posixpath.relpath(folder, top) for folder in folders]


def _days(clips: Sequence[_Clip]) -> Groups:
    days = [day_of(clip.path) for clip in clips]
    return [None] * len(clips) if None in days else [str(day) for day in days]


def _names(clips: Sequence[_Clip]) -> Groups:
    """What names say before their running numbers."""
    names = [_RUNNING.sub("", without_suffix(posixpath.basename(clip.path))) for clip in clips]
    return list(names) if all(names) else [None] * len(clips)


_SESSION: dict[str, Callable[[Sequence[_Clip]], Groups]] = {"folder": _folders, "day": _days, "name": _names}
_WAYS = {"attributes": _attributes, **_SESSION}
"""How groups are told, the surest first: the name of the way is what `group_from` says."""


def _told(clips: Sequence[_Clip]) -> tuple[Groups, str]:
    """The groups that the first way gives that cuts well, else blocks."""
    for how, way in _WAYS.items():
        groups = way(clips)
        if _cuts(clips, groups):
            return groups, how
    largest = max(Counter(clip.stratum for clip in clips).values())
    return _blocks(clips, max(2, math.ceil(largest / BLOCKS)))


def _asked(clips: Sequence[_Clip], by: str, machine_type: str) -> tuple[Groups, str]:
    kind, _, size = by.partition(":")
    if kind == "block":
        return _blocks(clips, _size(by, size))
    if by == "session":
        for how, way in _SESSION.items():
            groups = way(clips)
            if len(set(groups)) > 1:
                return groups, how
        raise UsageError(
            f"nothing tells sessions of {machine_type} apart: its training clips lie in one folder, and their names "
            "hold no dates and begin alike",
            _HINT,
        )
    groups, how = (_attributes(clips), by) if by == "attributes" else ([clip.key for clip in clips], f"column {by}")
    if not any(groups):
        raise UsageError(
            f"nothing is known of {by} of the training clips of {machine_type}",
            _HINT,
        )
    return groups, how


def _cuts(clips: Sequence[_Clip], groups: Groups) -> bool:
    """Whether groups tell clips of the largest section and domain apart, and are not most of them single clips."""
    strata: dict[tuple[str, ...], list[str | None]] = defaultdict(list)
    for clip, group in zip(clips, groups, strict=True):
        strata[clip.stratum].append(group)
    largest = max(strata.values(), key=lambda own: len(own))
    return len(set(largest)) > 1 and 2 * len(set(groups)) <= len(groups)


def _blocks(clips: Sequence[_Clip], size: int) -> tuple[Groups, str]:
    return list(in_blocks([clip.path for clip in clips], [clip.stratum for clip in clips], size)), f"block:{size}"


def _size(by: str, size: str) -> int:
    if not size.isdecimal() or int(size) < 1:
        raise UsageError(f"--group-by {by}: how many consecutive clips make a block?", "for example block:50")
    return int(size)


def _keys(by: str | None, columns: dict[str, list]) -> Groups:
    """The values of a column or the key of an attribute that was asked for."""
    n = len(columns["clip_id"])
    if by is None or by in GROUPINGS or by.startswith("block:"):
        return [None] * n
    if by in ("section", "domain"):
        return list(columns[by])
    pairs = [dict(of_clip or ()) for of_clip in columns["attributes"]]
    known = sorted({key for of_clip in pairs for key in of_clip})
    if by not in known:
        told = f"; attributes are: {', '.join(known)}" if known else ""
        raise UsageError(f"--group-by {by}: there is no such column or attribute", _HINT + told)
    return [of_clip.get(by) for of_clip in pairs]
