"""A detector on disk: what one method has learnt of every unit, and the training windows that it compares with.

The training windows of all units lie once in the file, as they came from the embedder, with the clips that they are
windows of. What a unit has learnt stands in arrays `<number of the unit>.<name>`, training windows in it by their row.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadArtifact, UsageError, unknown_name
from asdcli.scorers import SCORERS, Fitted, Scorer
from asdcli.scorers.vectors import Vectors
from asdcli.views.embeddings import Embedded

_OF_WINDOWS = ".windows"  # the arrays of a state that are numbers of training windows


@dataclass(frozen=True)
class UnitState:
    """What a method has learnt of one unit.

    Attributes:
        section: None for a whole machine type.
        arrays: from `Fitted.state`, training windows numbered as the rows of the embeddings.
    """

    machine_type: str
    section: str | None
    arrays: Mapping[str, np.ndarray]

    @staticmethod
    def of(fitted: Fitted, machine_type: str, section: str | None, windows: np.ndarray | None = None) -> UnitState:
        """The state of `fitted`, whose training windows are the rows `windows` of the embeddings."""
        arrays = fitted.state()
        if windows is not None:
            arrays |= {name: windows[rows] for name, rows in arrays.items() if name.endswith(_OF_WINDOWS)}
        return UnitState(machine_type, section, arrays)


def write_detector(path: Path, units: Sequence[UnitState], embedded: Embedded | None, header: Header) -> Header:
    """Write what a method has learnt to `path` (npz), with the rows of `embedded` that its units name."""
    named = [rows for unit in units for name, rows in unit.arrays.items() if name.endswith(_OF_WINDOWS)]
    used = np.unique(np.concatenate([np.empty(0, np.int64), *named]))
    arrays: dict[str, np.ndarray] = {
        "machine_type": np.array([unit.machine_type for unit in units], np.str_),
        "section": np.array([unit.section or "" for unit in units], np.str_),
        "of_section": np.array([unit.section is not None for unit in units]),
    }
    if embedded is not None and len(used):
        clips, clip = np.unique(embedded.clip[used], return_inverse=True)
        ids = embedded.clips["clip_id"].take(clips).to_pylist()
        arrays["vectors"] = embedded.vectors[used]
        arrays["clip"] = clip.astype(np.int32)
        arrays["clip_id"] = np.array([clip_id.encode() for clip_id in ids], np.bytes_)
    for number, unit in enumerate(units):
        for name, array in unit.arrays.items():
            if name.endswith(_OF_WINDOWS):
                array = np.searchsorted(used, array).astype(np.int32)
            arrays[f"{number}.{name}"] = array
    return artifacts.write_arrays(path, arrays, header)


@dataclass(frozen=True, eq=False)
class DetectorFile:
    """What one method has learnt, as it lies in a file.

    Attributes:
        path: of the file.
        header: of the file.
        units: (machine type, section) -> number; section None stands for a whole machine type.
        clip_ids: (n_clips,) the training clips that new ones are compared with.
    """

    path: Path
    header: Header
    units: Mapping[tuple[str, str | None], int]
    clip_ids: np.ndarray
    _arrays: Mapping[str, np.ndarray]
    _fitted: dict[int, Fitted] = field(default_factory=dict, repr=False)

    @staticmethod
    def read(path: Path) -> DetectorFile:
        """Raises MissingArtifact or BadArtifact when `path` holds no detector. No method is built yet."""
        arrays, header = artifacts.read_arrays(path, artifacts.DETECTOR)
        try:
            sections = zip(arrays["section"].tolist(), arrays["of_section"].tolist(), strict=True)
            keys = zip(arrays["machine_type"].tolist(), (s if of else None for s, of in sections), strict=True)
            units = {key: number for number, key in enumerate(keys)}
            ids = np.array([clip_id.decode() for clip_id in arrays.get("clip_id", np.empty(0)).tolist()], np.str_)
            if not isinstance(header.params["method"], str):
                raise ValueError("its method is no spelling")
        except (KeyError, ValueError, AttributeError) as error:
            raise _broken(path, repr(error)) from None
        return DetectorFile(path, header, units, ids, arrays)

    @property
    def method(self) -> str:
        """The method's spelling."""
        return str(self.header.params["method"])

    @functools.cached_property
    def scorer(self) -> Scorer:
        """The method. Raises UsageError or PluginError for one that cannot be built here."""
        scorer: Scorer = SCORERS.build(self.method)
        return scorer

    @property
    def machine_types(self) -> list[str]:
        return list(dict.fromkeys(machine_type for machine_type, _ in self.units))

    def sections(self, machine_type: str) -> list[str]:
        """The sections that have a unit of their own."""
        return [section for name, section in self.units if name == machine_type and section is not None]

    def clip_numbers(self, clip_ids: Sequence[str]) -> np.ndarray:
        """(n,) the number of each clip: of a training clip its place in `clip_ids`, of others one of its own."""
        known = {clip_id: number for number, clip_id in enumerate(self.clip_ids.tolist())}
        strangers = {clip_id: len(known) + i for i, clip_id in enumerate(dict.fromkeys(clip_ids))}
        return np.array([known.get(clip_id, strangers[clip_id]) for clip_id in clip_ids], np.int64)

    def fitted(self, machine_type: str, section: str | None = None) -> Fitted:
        """What was learnt of the unit that clips of `section` belong to: the section's, else the machine type's.

        Clip numbers in it are places in `clip_ids`.

        Raises:
            UsageError: a machine type that was not learnt, a section of it where only sections were, or a method that
                cannot be built here.
            BadArtifact: arrays that do not fit together.
        """
        number = self._unit(machine_type, section)
        if number not in self._fitted:
            self._fitted[number] = self._read(f"{number}.")
        return self._fitted[number]

    def compared_with(self, machine_type: str, section: str | None = None) -> Vectors | None:
        """The training windows that new ones of the unit are compared with; None of a method that keeps none.

        Clip numbers in it are places in `clip_ids`. Errors as `fitted`.
        """
        prefix = f"{self._unit(machine_type, section)}."
        named = [a for n, a in self._arrays.items() if n.startswith(prefix) and n.endswith(_OF_WINDOWS)]
        rows = np.unique(np.concatenate([np.empty(0, np.int64), *named]))
        if not len(rows):
            return None
        try:
            return Vectors.of(self._arrays["vectors"][rows], self._arrays["clip"][rows])
        except (KeyError, IndexError, ValueError) as error:
            raise _broken(self.path, repr(error)) from None

    def _read(self, prefix: str) -> Fitted:
        state = {name.removeprefix(prefix): a for name, a in self._arrays.items() if name.startswith(prefix)}
        try:
            return Fitted.from_state(
                self.scorer, state, lambda rows: Vectors.of(self._arrays["vectors"][rows], self._arrays["clip"][rows])
            )
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise _broken(self.path, repr(error)) from None

    def _unit(self, machine_type: str, section: str | None) -> int:
        if machine_type not in self.machine_types:
            raise unknown_name(f"machine type of {self.method}", machine_type, self.machine_types)
        for key in ((machine_type, section), (machine_type, None)):
            if key in self.units:
                return self.units[key]
        known = self.sections(machine_type)
        if section is None:
            raise UsageError(
                f"{self.method} has learnt each section of {machine_type} by itself",
                f"say which: {', '.join(known)}; or score with --unit machine-type",
            )
        raise unknown_name(f"section of {machine_type}", section, known)


def is_current_detector(path: Path, header: Header) -> bool:
    """Whether `path` holds a whole detector made as `header` says; it is read to the end to know."""
    if not artifacts.is_current(path, artifacts.DETECTOR, header):
        return False
    try:
        DetectorFile.read(path)
    except BadArtifact:
        return False
    return True


def _broken(path: Path, why: str) -> BadArtifact:
    return BadArtifact(f"{path} holds no whole detector: {why}", "make it again: asd score --force", path)
