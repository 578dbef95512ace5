"""How the recordings lie: by a manifest or by their names, with what is to be said of either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from asdcli.clips import SUFFIXES
from asdcli.layouts import (
    LeftOut,
    Recording,
    Told,
    contradicted,
    existing,
    find_audio,
    read_folders,
    read_manifest,
    read_normals,
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


def find(recordings: Path, below: Sequence[str] | None) -> tuple[list[str], list[LeftOut]]:
    """The audio files below `recordings`, or of it only what lies at or below these paths; and what is left out."""
    if below is None:
        return find_audio(recordings)
    paths: set[str] = set()
    left: dict[str, LeftOut] = {}
    for name in below:
        if (recordings / name).is_dir():
            found, lost = find_audio(recordings / name)
            before = "" if name in ("", ".") else f"{name}/"
            paths |= {before + path for path in found}
            left |= {before + one.path: replace(one, path=before + one.path) for one in lost}
        elif name.lower().endswith(SUFFIXES):
            paths.add(name)
        else:
            left[name] = LeftOut(name, "no audio", is_loss=True)
    return sorted(paths), list(left.values())


def of_normal(paths: Sequence[str], recordings: Path, told: Told, machine: str | None) -> Layout:
    """What is said to be normal, all of it."""
    return Layout(*read_normals(paths, recordings.absolute().parts[1:], told=told, machine=machine))


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
