"""The files in which shards wait to be put together: where they lie, which fit, and who is at work on one.

Whoever makes a shard writes its own files and nothing else; only the command without a shard puts them together, and
removes them. So there is one writer of every file, whatever runs where.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asdcli import artifacts
from asdcli.artifacts import Header, Kind
from asdcli.errors import AsdError, StaleArtifact
from asdcli.progress import Progress
from asdcli.views.shards import Shard
from asdcli.wording import listed
from asdcli.writing.locks import alone

FOLDER = "shards"
"""The folder of a run, or beside an output, below which they lie."""
SHARD = "shard"
"""The parameter of a header that says which shard a file is of."""

_CUT = (SHARD, "batch_size", "clips", "machine_types", "gain")

Expected = Callable[[Header], Header | None]
"""The header of a shard's file -> that which it has if it is made now; None where it holds other things."""


@dataclass(frozen=True)
class ShardFiles:
    """Those of one output.

    Attributes:
        folder: where they lie.
        kind: theirs.
        expected: what their headers would be today.
    """

    folder: Path
    kind: Kind
    expected: Expected

    def found(self) -> dict[Path, Header | AsdError]:
        """All that are there, by name, with their headers, or why those cannot be read."""
        found: dict[Path, Header | AsdError] = {}
        for path in sorted(p for p in self.folder.glob("*") if p.suffix in (".npz", ".parquet")):
            try:
                found[path] = artifacts.read_header(path, self.kind)
            except AsdError as error:
                if not path.name.startswith("errors."):
                    found[path] = error
        return found

    def fit(self, header: Header) -> bool:
        """Whether a file with this header is what would be made today."""
        expected = self.expected(header)
        return expected is not None and header.same_making(expected)

    def n_shards(self) -> int | None:
        """In how many shards those that fit were cut; None where there are none."""
        fitting = [header for header in self.found().values() if isinstance(header, Header) and self.fit(header)]
        numbers = Counter(Shard.of(str(header.params[SHARD])).n for header in fitting)
        return max(numbers, key=lambda n: (numbers[n], n)) if numbers else None

    def require_same(self, shard: Shard, *, force: bool) -> None:
        """Make sure that this shard can be put together with those that are there.

        Args:
            shard: which is to be made.
            force: remove those that do not belong to it.

        Raises:
            StaleArtifact: there are shards of another number, or made of something else, and no `force`.
        """
        others = {path: self._why(h, shard) for path, h in self.found().items() if isinstance(h, Header)}
        others = {path: why for path, why in others.items() if why}
        if force:
            self._remove(others)
        elif others:
            told = listed([f"{path.name} ({why})" for path, why in others.items()])
            raise StaleArtifact(
                f"shard {shard} cannot be put together with what is in {self.folder}: {told}",
                "go on as they were made; or remove them and begin anew: --force",
            )

    def _why(self, header: Header, shard: Shard) -> str | None:
        """Why a shard with this header does not belong to that one, in words; None where it does."""
        try:
            made = Shard.of(str(header.params.get(SHARD)))
        except AsdError:
            return "no shard"
        if made.n != shard.n:
            return f"one of {made.n} shards"
        return None if made == shard or self.fit(header) else self.changed(header)

    def changed(self, header: Header) -> str:
        """What is not any more as it was when a file with this header was made."""
        now = self.expected(header)
        if now is None:
            return "of other machine types"
        roles = [role for role in {**header.inputs, **now.inputs} if header.inputs.get(role) != now.inputs.get(role)]
        names = [name for name in {**header.params, **now.params} if header.params.get(name) != now.params.get(name)]
        told = [f"{role} changed since" for role in roles]
        return listed(told + [f"made with another {name.replace('_', ' ')}" for name in names] or ["made otherwise"])

    def tell_unused(self, used: Collection[Path], progress: Progress) -> None:
        """Name those that are not of use, and why: what they hold is made again."""
        for path, header in self.found().items():
            if path in used or not self._is_of_output(header):
                continue
            why = self.changed(header) if isinstance(header, Header) else header.message
            progress.warn(f"shard {path} is not used, what it holds is made again: {why}")

    def remove(self) -> None:
        """Remove those that are not needed any more: the output is there.

        What cannot be read may be anybody's and stays, as do shards of another output: of other machine types, or by
        another embedder.
        """
        found = {path: header for path, header in self.found().items() if isinstance(header, Header)}
        self._remove([path for path, header in found.items() if self._is_of_output(header)])

    def _is_of_output(self, header: Header | AsdError) -> bool:
        """Whether it is, or was, a part of what is made now, however that was cut and whatever has changed since."""
        if isinstance(header, AsdError):
            return True
        now = self.expected(header)
        return now is not None and now.inputs.keys() == header.inputs.keys() and _what(now) == _what(header)

    def _remove(self, files: Iterable[Path]) -> None:
        for path in files:
            path.unlink(missing_ok=True)
        if not self.found():
            for path in self.folder.glob("errors.*.parquet"):
                path.unlink()
        folder = self.folder
        with contextlib.suppress(OSError):  # something else lies in it
            while folder.name != FOLDER:
                folder.rmdir()
                folder = folder.parent
            folder.rmdir()


def _what(header: Header) -> dict[str, Any]:
    """The parameters that tell what is made, without those that tell how it is cut."""
    return {name: value for name, value in header.params.items() if name not in _CUT}


def beside(output: Path) -> Path:
    """The folder of an output's shards where nobody says another."""
    return output.parent / FOLDER / output.stem


def lock(folder: Path, shard: Shard) -> Path:
    """What whoever makes a shard is alone with."""
    return folder / shard.name


@contextlib.contextmanager
def nobody_at_work(folder: Path, progress: Progress) -> Iterator[None]:
    """Put shards together while no shard is being made. Raises Busy, with who is at it."""
    locks = sorted(folder.glob(".*-of-*.lock"))
    with alone([folder / path.name[1:].removesuffix(".lock") for path in locks], progress):
        yield
