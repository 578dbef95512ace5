"""Which names may be read for what they say, seen beside the others.

A name of known words alone is read. One that holds more (`fan_broken`) might be the name of a machine, so it is read
only where something beside it says how it is meant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from asdcli.clips import without_suffix
from asdcli.layouts.names import Name, Names

GROUP, MACHINE = "group", "machine"
"""What is left of a name that is read tells recordings of one machine apart; or it is the machine's name."""


class Beside:
    """The names of a folder of recordings.

    Args:
        paths: of all recordings, POSIX, below the folder.
        names: reads one name.
        one_machine: the user said that all are of one machine, so no name is a machine's.
    """

    def __init__(self, paths: Iterable[str], names: Names, *, one_machine: bool = False) -> None:
        self.names, self._one_machine = names, one_machine
        self._inside: dict[str, dict[str, Name]] = defaultdict(dict)  # folder -> key -> folder in it, if not read so
        self._plain: set[str] = set()  # folders that hold a name of a condition alone, and where that is a folder
        self._plain_folders: set[str] = set()
        self._conditions: dict[tuple[bool, str], set[Any]] = defaultdict(set)
        self._splits: dict[tuple[bool, str], set[Any]] = defaultdict(set)
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
            self._add(names.of_folder(name), parent, is_file=False)
        for parent, file in files:
            self._add(self.of_file(file), parent, is_file=True)

    def _add(self, name: Name, parent: str, *, is_file: bool) -> None:
        if name.is_plain:
            self._plain.add(parent)
            if not is_file:
                self._plain_folders.add(parent)
        if not name.said and not is_file:
            self._inside[parent].setdefault(name.key, name)
        if name.key and not name.doubtful:
            for values, what in ((self._conditions, "condition"), (self._splits, "split")):
                if what in name.said:
                    values[is_file, name.key].add(name.said[what])

    def of_file(self, file: str) -> Name:
        return self.names.of_file(without_suffix(file))

    def folder(self, name: Name, parent: str) -> str | None:
        """How the name of a folder in `parent` is read: as `GROUP`, as `MACHINE`, or (None) not at all."""
        if not name.said or name.doubtful:
            return None
        if not name.key or name.is_plain:
            return GROUP
        if self._is_one_of_several(name, is_file=False):
            return MACHINE if name.rest else GROUP
        if name.condition is None:
            return None
        if name.key in self._inside[parent]:  # fan_broken beside fan
            return MACHINE
        return GROUP if self._is_explained(name, parent) else None

    def file(self, name: Name, parent: str) -> dict[str, Any]:
        """What the name of a file in `parent` says: a split only where others say another (`test.wav` is a trial)."""
        if not name.said or name.doubtful:
            return {}
        several = self._is_one_of_several(name, is_file=True)
        said = {"split": name.said["split"]} if several and "split" in name.said else {}
        if name.condition and (several or name.is_plain or self._is_explained(name, parent)):
            said["condition"] = name.condition
        return said

    def has_condition_folder(self, folder: str) -> bool:
        """Whether `folder` holds one whose name says a condition and nothing else, such as `normal`."""
        return folder in self._plain_folders

    def _is_one_of_several(self, name: Name, *, is_file: bool) -> bool:
        """Whether the name comes with another condition or split too: fan_ok, fan_broken; fan_train, fan_test."""
        key = (is_file, name.key)
        return len(self._conditions.get(key, ())) > 1 or len(self._splits.get(key, ())) > 1

    def _is_explained(self, name: Name, parent: str) -> bool:
        """Whether what is left of a name is no machine: it is named above, `normal` lies beside, or so told."""
        above = " ".join(self.names.of_folder(folder).key for folder in parent.split("/")).split()
        return name.told or self._one_machine or parent in self._plain or set(name.key.split()) <= set(above)
