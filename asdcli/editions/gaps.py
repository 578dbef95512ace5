"""What of an edition is not on disk: a subset, machine types, the truth; and the command that brings it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.catalogue.edition import Edition
from asdcli.editions.request import Request
from asdcli.vocabulary import Split, Subset
from asdcli.wording import counted, listed

_COLUMNS = ("subset", "machine_type", "split", "condition")


@dataclass(frozen=True)
class Gap:
    """Something that is not there.

    Attributes:
        edition: of which.
        what: of it: `eval`, `fan, pump of dev`, `the truth of 200 test clips of eval`.
        mends: the command that brings it; empty where none does.
    """

    edition: str
    what: str
    mends: str = ""

    @property
    def name(self) -> str:
        return f"{self.edition} {self.what}"

    def __str__(self) -> str:
        return f"not there: {self.name}" + (f": {self.mends}" if self.mends else "")


def gaps(edition: Edition, clips: Path, words: Sequence[str] = ()) -> list[Gap]:
    """What of the edition is not in its table of clips.

    Args:
        edition: whose subsets and machine types there should be.
        clips: its clips.parquet; where it is not there, nothing of the edition is.
        words: options that lead a command to the data root.

    Raises:
        BadArtifact: the table cannot be read.
    """
    if not clips.exists():
        return [Gap(edition.name, " and ".join(edition.subsets), _mends(edition, clips, edition.subsets, words))]
    table, header = artifacts.read_table(clips, artifacts.CLIPS, columns=list(_COLUMNS))
    said = header.recall("edition")
    if said is not None and said != edition.name:
        told = f"({clips.parent} holds {said})"
        return [Gap(edition.name, told, _mends(edition, clips, edition.subsets, words))]
    return [gap for subset in edition.subsets for gap in _of_subset(table, edition, subset, clips, words)]


def _of_subset(table: pa.Table, edition: Edition, subset: Subset, clips: Path, words: Sequence[str]) -> Iterator[Gap]:
    part = edition.part(subset)
    assert part is not None
    rows = table.filter(pc.equal(table["subset"], str(subset)))
    there = set(zip(rows["machine_type"].to_pylist(), rows["split"].to_pylist(), strict=True))
    needed = (str(Split.TRAIN), str(Split.TEST))
    lacking = [m for m in part.machine_types if not all((m, split) in there for split in needed)]
    if len(lacking) == len(part.machine_types):
        yield Gap(edition.name, str(subset), _mends(edition, clips, [subset], words))
        return
    if lacking:
        told = f"{listed(lacking, most=len(lacking))} of {subset}"
        yield Gap(edition.name, told, _mends(edition, clips, [subset], words, lacking))
    hidden = rows.filter(pc.and_(pc.equal(rows["split"], needed[1]), pc.is_null(rows["condition"])))
    if len(hidden):
        published = any(truth.gives == "condition" and truth.subset == subset for truth in edition.truth)
        mends = _mends(edition, clips, [subset], words) if published else ""
        yield Gap(edition.name, f"the truth of {counted(len(hidden), 'test clip')} of {subset}", mends)


def _mends(
    edition: Edition,
    clips: Path,
    subsets: Sequence[Subset],
    words: Sequence[str],
    machine_types: Sequence[str] | None = None,
) -> str:
    if edition.made_by:
        return shlex.join([*shlex.split(edition.made_by), *words])
    if not edition.records:
        return shlex.join(["asd", "index", str(clips.parent), "--name", clips.parent.name, *words])
    return Request(edition.name, tuple(subsets)).again(*words, machine_types=machine_types or ())
