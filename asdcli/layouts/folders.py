"""Read recordings from where they lie: words in folder names, and DCASE file names where there are any.

`fan/test/abnormal/x.wav`, `abnormal/x.wav`, `-6_dB_fan/id_00/normal/x.wav` and `dev_data/raw/fan/test/section_00_….wav`
are all read by the same rule: a folder whose name consists of known words says split, condition or domain (so do some
that hold more: see `beside`); `id_00` and `section_00` say the section; folders above those are the machine type;
folders below them only group.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asdcli import clips
from asdcli.errors import BadData
from asdcli.layouts.beside import Beside
from asdcli.layouts.names import Name, Names, is_session
from asdcli.layouts.recording import Doubt, LeftOut, Recording, graver
from asdcli.layouts.tokens import Told
from asdcli.vocabulary import Condition, ConditionFrom, Split
from asdcli.wording import some

_SECTION = re.compile(r"(?:id|section)_(\d\d)")
_NUMBERED = re.compile(r"(?:id|section)_\d\d")
"""What every DCASE name holds."""
_ERAS = sorted(clips.GRAMMARS, key=lambda era: clips.GRAMMARS[era].domain_folders)
"""In the order in which a name is tried. Last the one with folders for domains: without these its names are 2022's."""
_NOISE_LEVEL = re.compile(r"(-?\d+_dB)_(.+)")  # MIMII: signal-to-noise ratio and machine type in one name


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
    told: bool = False
    doubt: Doubt | None = None

    @property
    def machine_type(self) -> str | None:
        return "-".join(self.above or self.between) or None


def read_folders(
    paths: Iterable[str], *, told: Told | None = None, machine: str | None = None
) -> tuple[list[Recording], list[LeftOut], list[str]]:
    """Read every path (POSIX, below the folder of recordings); contradictions and misfits are left out by name.

    A machine type any of whose names is a DCASE name is read by DCASE names alone: a name that fits none is a misfit.

    Args:
        paths: of all recordings.
        told: what words of names mean, by the user.
        machine: the machine type of all recordings.

    Returns:
        The recordings by path, those left out, and a sentence for each reading that might be meant otherwise.
    """
    paths = list(paths)
    beside = Beside(paths, Names(told), one_machine=machine is not None)
    folders: dict[str, _Folder | _Contradiction] = {}
    for name in {path.rpartition("/")[0] for path in paths}:
        try:
            folders[name] = _read_folder(name, beside)
        except _Contradiction as error:
            folders[name] = error
    shared, notes = _machine_types_below([f for f in folders.values() if isinstance(f, _Folder)])
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
            if named:
                recordings.append(named)
            else:
                unnamed.append(_from_words(plain, beside))
        except _Contradiction as error:
            left.append(LeftOut(path, str(error), is_loss=True))
    notes += _machines_in_files(unnamed, beside)
    dcase = {r.machine_type for r in recordings}
    for recording in unnamed:
        if recording.machine_type in dcase:
            reason = "its name fits no DCASE name, as others of its machine type do"
            left.append(LeftOut(recording.path, reason, is_loss=True))
        else:
            recordings.append(recording)
    if machine is not None:
        recordings = [dataclasses.replace(r, machine_type=machine) for r in recordings]
        notes = []
    return sorted(recordings, key=lambda r: r.path), left, notes


def _read_folder(folder: str, beside: Beside) -> _Folder:
    said: dict[str, Any] = {}
    attributes: dict[str, str] = {}
    groups: list[tuple[str, ...]] = [()]  # names before the first word, between the words …, after the last
    repeated, parent, told, doubt = None, "", False, None
    for name in folder.split("/") if folder else ():
        words, left, how = _words(name, parent, beside)
        parent, inside = f"{parent}/{name}".strip("/"), parent
        if words is None:
            doubt = graver(doubt, _doubt(how, name, beside.has_condition_folder(inside)))
            level = _NOISE_LEVEL.fullmatch(name)
            if level:  # the same recordings come with more and less noise: not one machine type, or a test would leak
                attributes["snr"], repeated = level.groups()
                name = f"{repeated}_{level[1]}"
            elif name == repeated:  # -6_dB_fan/fan/id_00: the folder of the zip in a folder named as the zip
                continue
            groups[-1] = (*groups[-1], name)
            continue
        told = told or how.told
        if left:
            groups[-1] = (*groups[-1], left)
        for what, value in words.items():
            if said.setdefault(what, value) != value:
                raise _Contradiction(f"its folders say both {said[what]} and {value}")
        if words.keys() - {"subset"}:
            groups.append(())
    between = tuple(name for group in groups[1:-1] for name in group)
    below = groups[-1] if len(groups) > 1 else ()
    return _Folder(said, groups[0], between, below, attributes, told, doubt)


def _words(name: str, parent: str, beside: Beside) -> tuple[dict[str, Any] | None, str, Name]:
    """What a folder's name says (maybe nothing: `raw`; None where it is a name), and what of it is a machine's name."""
    if name in clips.SUBSET_FOLDERS:
        return {"subset": clips.SUBSET_FOLDERS[name]}, "", Name()
    section = _SECTION.fullmatch(name)
    if section:
        return {"section": section[1]}, "", Name()
    read = beside.names.of_folder(name)
    if read.empty:
        return {}, "", read
    machine = beside.folder(read, parent)
    return (None if machine is None else dict(read.said)), machine or "", read


def _doubt(read: Name, name: str, beside_condition: bool) -> Doubt | None:
    """What a name that was not read leaves open."""
    if read.may_be_anomalous:
        return Doubt(read.suspects[0], name, Condition.ANOMALY)
    if read.condition:
        return Doubt(read.suspects[0], name, Condition.NORMAL)
    return Doubt(name, name, None) if beside_condition and not read.told else None


def _machine_types_below(folders: Sequence[_Folder]) -> tuple[set[str], list[str]]:
    """Names that are machine types although they stand below a split or a condition, with a sentence about the latter.

    They stand below several: `train/fan` and `test/fan`, `normal/fan` and `abnormal/fan`. Numbers and dates do not
    count below conditions, for one machine has many days.
    """
    splits_of: dict[str, set[Any]] = defaultdict(set)
    conditions_of: dict[str, set[Any]] = defaultdict(set)
    for folder in folders:
        says = {"split", "condition"} & folder.said.keys()
        if folder.machine_type is None and folder.below and says == {"split"}:
            splits_of[folder.below[0]].add(folder.said["split"])
        elif folder.machine_type is None and folder.below and says == {"condition"}:
            conditions_of[folder.below[0]].add(folder.said["condition"])
        elif folder.between and not folder.above:
            splits_of[folder.between[0]].add(folder.said.get("split"))
    found = {name for name, splits in splits_of.items() if len(splits) > 1}
    named = {name: conditions for name, conditions in conditions_of.items() if not is_session(name)}
    if not any(len(conditions) > 1 for conditions in named.values()):
        return found, _grouping(folders)
    return found | named.keys(), [
        f"machine types by the folders below those of conditions: {some(sorted(named))}; "
        "if all are one machine's recordings, say so: --machine NAME makes them one machine type"
    ]


def _grouping(folders: Iterable[_Folder]) -> list[str]:
    """A sentence about folders of normal recordings that are taken as groups, and may be machines; or none."""
    names: dict[str | None, set[str]] = defaultdict(set)
    for folder in folders:
        is_normal = folder.said.get("condition") == Condition.NORMAL and "split" not in folder.said
        if folder.below and is_normal and not (folder.machine_type and is_session(folder.below[0])):
            names[folder.machine_type].add(folder.below[0])
    listed = [some(sorted(own)) for own in names.values() if len(own) > 1]
    return [
        f"the folders {told} below those of conditions only group recordings of one machine type; "
        "if they are machines, put them above: fan/normal, pump/normal"
        for told in listed
    ]


def _machines_in_files(recordings: Iterable[Recording], beside: Beside) -> list[str]:
    """A sentence about files of one machine type whose names may be of several: fan_ok_1.wav, pump_ok_1.wav."""
    by_name = (r for r in recordings if r.machine_type is None and r.condition_from == ConditionFrom.NAME)
    names = sorted({beside.of_file(r.path.rpartition("/")[2]).key for r in by_name} - {"", "#"})
    if len(names) < 2:
        return []
    return [
        f"one machine type, though names of files say {some(names)}: if they are machines, give each a folder of its "
        "own; if not, --machine NAME says so"
    ]


def _from_folder(path: str, folder: _Folder, shared: set[str]) -> Recording:
    below = folder.below[0] if folder.below and folder.below[0] in shared else None
    by = ConditionFrom.OPTION if folder.told else ConditionFrom.FOLDER
    return Recording(
        path,
        machine_type=folder.machine_type or below,
        attributes=folder.attributes,
        attribute_string="_".join(f"{k}_{v}" for k, v in folder.attributes.items()) or None,
        condition_from=by if "condition" in folder.said else None,
        doubt=folder.doubt,
        **folder.said,
    )


def _from_words(plain: Recording, beside: Beside) -> Recording:
    """`plain` with what the words of its own name say."""
    folder, _, file = plain.path.rpartition("/")
    name = beside.of_file(file)
    if not name.said and not name.doubtful:
        return plain
    said = beside.file(name, folder)
    condition = said.get("condition")
    if plain.condition and condition and (name.is_plain or condition == Condition.ANOMALY):
        _agreed("condition", plain.condition, condition)
    by = ConditionFrom.OPTION if name.told else ConditionFrom.NAME
    return dataclasses.replace(
        plain,
        split=plain.split or said.get("split"),
        condition=plain.condition or condition,
        condition_from=plain.condition_from or (by if condition else None),
        doubt=plain.doubt if condition else graver(plain.doubt, _doubt(name, file, False)),
    )


def _from_name(plain: Recording, era: str | None) -> Recording | None:
    """`plain` with what its DCASE name adds; None where the name fits no edition's grammar."""
    name = plain.path.rpartition("/")[2]
    if not _NUMBERED.search(name):  # most names of one's own: no need to try every grammar
        return None
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
            condition_from=plain.condition_from or (ConditionFrom.NAME if said.condition else None),
            attributes={**plain.attributes, **said.attributes},
            attribute_string=said.attribute_string or plain.attribute_string,
        )
    return None


def _agreed(what: str, by_folder: Any, by_name: Any) -> Any:
    if by_folder is not None and by_name is not None and by_folder != by_name:
        raise _Contradiction(f"its folder says {what} {by_folder}, its name says {by_name}")
    return by_name if by_folder is None else by_folder
