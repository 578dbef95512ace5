"""Read recordings from where they lie: words in folder names, and DCASE file names where there are any.

`fan/test/abnormal/x.wav`, `abnormal/x.wav`, `-6_dB_fan/id_00/normal/x.wav` and `dev_data/raw/fan/test/section_00_….wav`
are all read by the same rule: a folder whose name consists of known words says split, condition or domain; `id_00` and
`section_00` say the section; folders above those are the machine type; folders below them only group.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from asdcli import clips
from asdcli.errors import BadData
from asdcli.layouts import words
from asdcli.layouts.recording import LeftOut, Recording
from asdcli.vocabulary import Split

_SECTION = re.compile(r"(?:id|section)_(\d\d)")
_ERAS = sorted(clips.GRAMMARS, key=lambda era: clips.GRAMMARS[era].domain_folders)
"""In the order in which a name is tried. Last the one with folders for domains: without these its names are 2022's."""
_NOISE_LEVEL = re.compile(r"(-?\d+_dB)_(.+)")  # MIMII: signal-to-noise ratio and machine type in one name
_TABLES: Mapping[str, Mapping[str, Any]] = {
    "split": words.SPLITS,
    "condition": words.CONDITIONS,
    "domain": words.DOMAINS,
}


class _Contradiction(Exception):
    """Two things that are said of one recording exclude each other."""


@dataclass(frozen=True)
class _Folder:
    """What one folder's path says. `above` are the names before the first word, `between` those before the last one."""

    said: Mapping[str, Any] = field(default_factory=dict)
    above: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def machine_type(self) -> str | None:
        return "-".join(self.above or self.between) or None


def read_folders(paths: Iterable[str]) -> tuple[list[Recording], list[LeftOut]]:
    """Read every path (POSIX, below the folder of recordings); contradictions and misfits are left out by name.

    A machine type any of whose names is a DCASE name is read by DCASE names alone: a name that fits none is a misfit.
    """
    paths = list(paths)
    folders: dict[str, _Folder | _Contradiction] = {}
    for name in {path.rpartition("/")[0] for path in paths}:
        try:
            folders[name] = _read_folder(name)
        except _Contradiction as error:
            folders[name] = error
    shared = _machine_types_below_splits([f for f in folders.values() if isinstance(f, _Folder)])
    apart = any({"source_test", "target_test"} & set(name.split("/")) for name in folders)
    era = next(era for era, grammar in clips.GRAMMARS.items() if grammar.domain_folders) if apart else None

    recordings: list[Recording] = []
    left: list[LeftOut] = []
    unnamed: list[Recording] = []  # their names are no DCASE names
    for path in paths:
        folder = folders[path.rpartition("/")[0]]
        try:
            if isinstance(folder, _Contradiction):
                raise folder
            plain = _from_folder(path, folder, shared)
            named = _from_name(plain, era)
        except _Contradiction as error:
            left.append(LeftOut(path, str(error), is_loss=True))
            continue
        (recordings if named else unnamed).append(named or plain)
    dcase = {r.machine_type for r in recordings}
    for recording in unnamed:
        if recording.machine_type in dcase:
            reason = "its name fits no DCASE name, as others of its machine type do"
            left.append(LeftOut(recording.path, reason, is_loss=True))
        else:
            recordings.append(recording)
    return sorted(recordings, key=lambda r: r.path), left


def _read_folder(folder: str) -> _Folder:
    said: dict[str, Any] = {}
    attributes: dict[str, str] = {}
    groups: list[tuple[str, ...]] = [()]  # names before the first word, between the words …, after the last
    repeated = None
    for name in folder.split("/") if folder else ():
        told = _words(name)
        if told is None:
            level = _NOISE_LEVEL.fullmatch(name)
            if level:  # the same recordings come with more and less noise: not one machine type, or a test would leak
                attributes["snr"], repeated = level.groups()
                name = f"{repeated}_{level[1]}"
            elif name == repeated:  # -6_dB_fan/fan/id_00: the folder of the zip in a folder named as the zip
                continue
            groups[-1] = (*groups[-1], name)
            continue
        for what, value in told.items():
            if said.setdefault(what, value) != value:
                raise _Contradiction(f"its folders say both {said[what]} and {value}")
        if told.keys() - {"subset"}:
            groups.append(())
    between = tuple(name for group in groups[1:-1] for name in group)
    return _Folder(said, groups[0], between, groups[-1] if len(groups) > 1 else (), attributes)


def _words(name: str) -> dict[str, Any] | None:
    """What a folder's name says if it consists of known words only (maybe nothing: `raw`), else None."""
    if name in clips.SUBSET_FOLDERS:
        return {"subset": clips.SUBSET_FOLDERS[name]}
    section = _SECTION.fullmatch(name)
    if section:
        return {"section": section[1]}
    told: dict[str, Any] = {}
    for token in re.split(r"[\s_.-]+", name.lower()):
        meaning: dict[str, Any] = {what: table[token] for what, table in _TABLES.items() if token in table}
        if not meaning and token not in words.FILLERS:
            return None
        told |= meaning
    return told


def _machine_types_below_splits(folders: Iterable[_Folder]) -> set[str]:
    """Names that are machine types although they stand below a split: `train/fan`, where there is `test/fan` too."""
    splits_of: dict[str, set[Any]] = {}
    for folder in folders:
        if folder.machine_type is None and folder.below and {"split", "condition"} & folder.said.keys() == {"split"}:
            splits_of.setdefault(folder.below[0], set()).add(folder.said["split"])
        elif folder.between and not folder.above:
            splits_of.setdefault(folder.between[0], set()).add(folder.said.get("split"))
    return {name for name, splits in splits_of.items() if len(splits) > 1}


def _from_folder(path: str, folder: _Folder, shared: set[str]) -> Recording:
    below = folder.below[0] if folder.below and folder.below[0] in shared else None
    return Recording(
        path,
        machine_type=folder.machine_type or below,
        attributes=folder.attributes,
        attribute_string="_".join(f"{k}_{v}" for k, v in folder.attributes.items()) or None,
        **folder.said,
    )


def _from_name(plain: Recording, era: str | None) -> Recording | None:
    """`plain` with what its DCASE name adds; None where the name fits no edition's grammar."""
    name = plain.path.rpartition("/")[2]
    for grammar in (era,) if era else _ERAS:
        try:
            said = clips.parse_path(f"dev_data/raw/any/{plain.split or Split.TEST}/{name}", grammar)
        except BadData:
            continue
        tokens = set(name.split("_")[:4])  # further on a name holds attributes
        in_name = next((s for s in Split if s.value in tokens), None)
        return dataclasses.replace(
            plain,
            section=_agreed("section", plain.section, said.section),
            split=_agreed("split", plain.split, in_name),
            domain=_agreed("domain", plain.domain, said.domain),
            condition=_agreed("condition", plain.condition, said.condition),
            attributes={**plain.attributes, **said.attributes},
            attribute_string=said.attribute_string or plain.attribute_string,
        )
    return None


def _agreed(what: str, by_folder: Any, by_name: Any) -> Any:
    if by_folder is not None and by_name is not None and by_folder != by_name:
        raise _Contradiction(f"its folder says {what} {by_folder}, its name says {by_name}")
    return by_name if by_folder is None else by_folder
