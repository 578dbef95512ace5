"""How the recordings lie: by a manifest or by their names, with what is to be said of either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asdcli.layouts import (
    LeftOut,
    Recording,
    Told,
    contradicted,
    existing,
    read_folders,
    read_manifest,
    with_doubts,
)
from asdcli.wording import some


@dataclass(frozen=True)
class Layout:
    """The recordings as they lie, what is left out of them, and what there is to say of that."""

    recordings: list[Recording]
    left: list[LeftOut]
    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()


def of_folders(paths: Sequence[str], told: Told, machine: str | None) -> Layout:
    """What names say."""
    return Layout(*read_folders(paths, told=told, machine=machine))


def of_manifest(paths: Sequence[str], recordings: Path, manifest: Path, group: str | None) -> Layout:
    """What a table says; `group` and errors as `layouts.read_manifest`."""
    read, unused = read_manifest(manifest, recordings, group)
    read, lacking = existing(read, paths, recordings, manifest)
    listed = {r.path for r in read}
    left = [*lacking, *(LeftOut(p, f"not listed in {manifest.name}") for p in paths if p not in listed)]
    read = with_doubts(read)
    notes = [f"columns of the manifest that are not used: {', '.join(unused)}"] if unused else []
    against = contradicted(read)
    what = f"{len(against)} recordings that {manifest.name} calls normal may be anomalies by their names"
    return Layout(read, left, notes, [f"{what}: {some(against)}"] if against else [])
