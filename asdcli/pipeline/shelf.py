"""What lies where: headers and tables of clips, each read once, and the run that a file lies in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header, Kind
from asdcli.artifacts.header import WHOLE
from asdcli.errors import AsdError, BadData
from asdcli.files import is_model
from asdcli.pipeline import places, run_note
from asdcli.pipeline.chain import Stage
from asdcli.pipeline.workspace import Workspace

_DEPTH = 4  # folders from a run down to its deepest file


def files_in(path: Path) -> list[Path]:
    """What a path stands for: a folder that is no model for all tables and packs in it, anything else for itself."""
    if not path.is_dir() or is_model(path):
        return [path]
    return sorted(p for p in path.iterdir() if p.suffix in (".parquet", ".npz"))


@dataclass(frozen=True)
class Clips:
    """The clips.parquet of a dataset as it is now; the table itself is read only when it must be."""

    path: Path

    @cached_property
    def content(self) -> str | None:
        """Digest of the whole table; None where it cannot be read."""
        try:
            return artifacts.read_header(self.path, artifacts.CLIPS).content
        except AsdError:
            return None

    @cached_property
    def table(self) -> pa.Table | None:
        """None where it cannot be read, or is damaged."""
        try:
            return artifacts.read_table(self.path, artifacts.CLIPS)[0]
        except AsdError:
            return None

    def gives(self, digest: str, stage: Stage, header: Header) -> bool:
        """Whether a file that `stage` made of clips of this digest would be made of the same today."""
        if digest == self.content:
            return True
        if stage.clips_of is None:
            return False
        whole = [e.get("inputs", {}).get(WHOLE) for e in header.history if e.get("content") == digest]
        if self.content in whole:
            return True
        try:
            return self.table is not None and stage.clips_of(self.table, header) == digest
        except (BadData, KeyError):  # there are no such clips any more
            return False


class Shelf:
    """Reads what lies in runs of one data root, and remembers it."""

    def __init__(self, space: Workspace) -> None:
        self.space = space
        self._own = space.run.resolve()
        self._headers: dict[Path, Header | AsdError] = {}
        self._foreign: dict[Path, Header] = {}
        self._clips: dict[Path, Clips] = {}
        self._elsewhere: dict[Path, dict[str, dict[str, Path]]] = {}

    def place(self, path: Path) -> tuple[Workspace | None, str]:
        """The run that a file lies in and its path below that; None and "" where it lies in none."""
        path = Path(os.path.normpath(path))
        for run in path.parents[:_DEPTH]:
            relative = path.relative_to(run).as_posix()
            if places.files_at(relative) is None:
                continue
            if run.resolve() == self._own:
                return self.space, relative
            try:
                dataset = run_note.dataset_of(run)
            except AsdError:
                dataset = None
            if dataset is not None:
                return Workspace(self.space.data, run, dataset), relative
        return None, ""

    def header(self, path: Path) -> Header | AsdError:
        """The header of an artifact of any kind, or why it cannot be read."""
        key = path.absolute()
        if key not in self._headers:
            try:
                self._headers[key] = artifacts.read_header(path, self.kind_at(path) or artifacts.ANY)
            except AsdError as error:
                self._headers[key] = error
        return self._headers[key]

    def held(self, path: Path, *, lent: bool = False) -> Header | None:
        """The header of what lies there; None where it cannot be read.

        Args:
            path: of it.
            lent: it may be a foreign file, which goes by the digest of its bytes.
        """
        header = self.header(path)
        if isinstance(header, Header):
            return header
        if not lent or not path.is_file() or self.kind_at(path):
            return None
        if path not in self._foreign:
            self._foreign[path] = Header.foreign(artifacts.digest_file(path))
        return self._foreign[path]

    def kind_at(self, path: Path) -> Kind | None:
        """The kind of what should lie there, where it lies in a run."""
        files = places.files_at(self.place(path)[1])
        return files.kind if files else None

    def clips(self, dataset: str) -> Clips:
        path = self.space.data / dataset / "clips.parquet"
        return self._clips.setdefault(path, Clips(path))

    def elsewhere(self, space: Workspace | None, name: str) -> dict[str, Path]:
        """Which inputs of a file of a run lay elsewhere, and where."""
        if space is None:
            return {}
        if space.run not in self._elsewhere:
            try:
                self._elsewhere[space.run] = run_note.elsewhere(space.run)
            except AsdError:
                self._elsewhere[space.run] = {}
        return self._elsewhere[space.run].get(name, {})
