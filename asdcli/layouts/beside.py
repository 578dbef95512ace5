"""Which names may be read for what they say, seen beside the others.

A name of known words alone is read. One that holds more (`fan_broken`) might be the name of a machine, so it is read
only where something beside it says how it is meant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from asdcli.clips import without_suffix
from asdcli.layouts.names import Name, Names


class Beside:
    """The names of a folder of recordings.

    Args:
        paths: of all recordings, POSIX, below the folder.
        names: reads one name.
        one_machine: the user said that all are of one machine, so no name is a machine's.
    """

    def __init__(self, paths: Iterable[str], names: Names, *, one_machine: bool = False) -> None:
        self.names, self._one_machine = names, one_machine
        self._folders: dict[str, list[Name]] = defaultdict(list)  # folder -> those in it
        self._plain: set[str] = set()  # folders that hold a name of a condition alone
        files, folders = set[tuple[str, str]](), set[str]()
        for path in paths:
            folder, _, file = path.rpartition("/")
            files.add((folder, file))
            folders.add(folder)
        for folder in list(folders):
            parts = folder.split("/")
            folders.update("/".join(parts[:n]) for n in range(1, len(parts)))
        for path in folders - {""}:
            parent, _, name = path.rpartition("/")
            self._folders[parent].append(names.of_folder(name))
        self._plain.update(parent for parent, own in self._folders.items() if any(name.is_plain for name in own))
        self._plain.update(parent for parent, file in files if self.of_file(file).is_plain)
        self._of_folders = _Pairs(name for own in self._folders.values() for name in own)
        self._of_files = _Pairs(self.of_file(file) for _, file in files)

    def of_file(self, file: str) -> Name:
        return self.names.of_file(without_suffix(file))

    def folder(self, name: Name, parent: str) -> str | None:
        """The machine that is left of the name of a folder in `parent`, or ""; None where the name is not read."""
        if not name.said or name.doubtful:
            return None
        if not name.key or name.is_plain:
            return ""
        machine = self._of_folders.machine(name)
        if machine is None and name.condition:
            named = any(other.key == name.key and not other.said for other in self._folders[parent])
            machine = name.rest if named else "" if self._is_explained(name, parent) else None  # fan_broken beside fan
        return machine

    def file(self, name: Name, parent: str) -> dict[str, Any]:
        """What the name of a file in `parent` says: a split only where others say another (`test.wav` is a trial)."""
        if not name.said or name.doubtful:
            return {}
        several = self._of_files.machine(name) is not None
        said = {"split": name.said["split"]} if several and "split" in name.said else {}
        if name.condition and (several or name.is_plain or self._is_explained(name, parent)):
            said["condition"] = name.condition
        return said

    def has_condition_folder(self, folder: str) -> bool:
        """Whether `folder` holds one that is read for a condition and is no machine, such as `normal`."""
        return any(name.condition and self.folder(name, folder) == "" for name in self._folders[folder])

    def _is_explained(self, name: Name, parent: str) -> bool:
        """Whether what is left of a name is no machine: it is named above, `normal` lies beside, or so told."""
        above = " ".join(self.names.of_folder(folder).key for folder in parent.split("/")).split()
        return name.told or self._one_machine or parent in self._plain or set(name.key.split()) <= set(above)


class _Pairs:
    """Names that come with more than one condition or split: fan_ok and fan_broken, fan_train and fan_test."""

    def __init__(self, names: Iterable[Name]) -> None:
        self._said: dict[str, dict[str, set[Any]]] = defaultdict(lambda: {"condition": set(), "split": set()})
        self._longer: dict[str, set[Any]] = defaultdict(set)  # key -> conditions of names that go on after it
        self._rest: dict[str, str] = {}
        for name in names:
            if not name.said or not name.key or name.doubtful:
                continue
            self._rest.setdefault(name.key, name.rest)
            for what in ("condition", "split"):
                if what in name.said:
                    self._said[name.key][what].add(name.said[what])
            for shorter in _beginnings(name.key):
                self._longer[shorter].add(name.condition)

    def machine(self, name: Name) -> str | None:
        """What the names of a pair have in common ("" if numbers alone); None where `name` is of no pair."""
        if any(len(values) > 1 for values in self._said[name.key].values()):
            return name.rest
        if name.condition is None:
            return None
        if self._longer[name.key] - {name.condition, None}:  # fan_ok beside fan_bearing_broken
            return name.rest
        shorter = (key for key in _beginnings(name.key) if self._said[key]["condition"] - {name.condition})
        return next((self._rest[key] for key in shorter), None)


def _beginnings(key: str) -> Iterator[str]:
    """`fan` of `fan bearing`, but not of `fan 2`, which may be another fan."""
    words = key.split()
    return (" ".join(words[:n]) for n in range(len(words) - 1, 0, -1) if not words[n].isdigit())
