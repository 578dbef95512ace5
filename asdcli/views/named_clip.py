"""Which clip of a dataset a person means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from asdcli.clips import SUFFIXES
from asdcli.errors import UsageError, unknown_name
from asdcli.wording import listed


def is_outside(name: str, table: pa.Table, clips: Path) -> bool:
    """Whether `name` is that of a recording that is no clip of the dataset; arguments as of `clip_named`."""
    path = Path(name)
    return name.lower().endswith(SUFFIXES) and path.is_file() and _clip_at(path, table, clips) is None


def clip_named(name: str, table: pa.Table, clips: Path) -> str:
    """The clip_id of the clip that is meant: by its clip_id, the path of its recording, or an end that no other has.

    Args:
        name: as somebody typed it.
        table: of clips.
        clips: where it lies, which its paths are below.

    Raises:
        UsageError: none, with the nearest names, or several, or a folder.
    """
    ids: list[str] = table["clip_id"].to_pylist()
    if name in ids:
        return name
    paths: list[str] = table["path"].to_pylist()
    if Path(name).is_file() and (clip_id := _clip_at(Path(name), table, clips)):
        return clip_id
    found: list[str] = []
    for tail in (f"/{name.lstrip('/')}", name):
        named = [i for i, path in zip(ids, paths, strict=True) if f"/{i}".endswith(tail) or f"/{path}".endswith(tail)]
        found = found or named
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{len(found)} clips end with {name!r}: {listed(found)}", "type more of the one that is meant")
    if Path(name).is_dir():
        raise UsageError(f"{name} is a folder", "name recordings in it; which of them are suspicious asd check tells")
    raise _unknown(name, ids)


def _clip_at(recording: Path, table: pa.Table, clips: Path) -> str | None:
    """The clip whose recording that is."""
    for clip_id, path in zip(table["clip_id"].to_pylist(), table["path"].to_pylist(), strict=True):
        if Path(path).name == recording.name and (clips.parent / path).resolve() == recording.resolve():
            return str(clip_id)
    return None


def _unknown(name: str, ids: Sequence[str]) -> UsageError:
    """The error for a clip that is none, with the nearest names: without folders, which many share."""
    found = unknown_name("clip", name.rpartition("/")[2], {i.rpartition("/")[2] for i in ids}, "clips.parquet")
    return UsageError(f"unknown clip {name!r}", found.hint)
