"""Which clip of a dataset a person means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from asdcli.errors import UsageError, unknown_name
from asdcli.wording import listed


def clip_named(name: str, table: pa.Table, clips: Path) -> str:
    """The clip_id of the clip that is meant: by its clip_id, the path of its recording, or an end that no other has.

    Args:
        name: as somebody typed it.
        table: of clips.
        clips: where it lies, which its paths are below.

    Raises:
        UsageError: none, with the nearest names, or several.
    """
    ids: list[str] = table["clip_id"].to_pylist()
    if name in ids:
        return name
    paths: list[str] = table["path"].to_pylist()
    wanted = Path(name)
    if wanted.is_file():
        own = [i for i, path in zip(ids, paths, strict=True) if Path(path).name == wanted.name]
        where = dict(zip(ids, paths, strict=True))
        for clip_id in own:
            if (clips.parent / where[clip_id]).resolve() == wanted.resolve():
                return clip_id
    found: list[str] = []
    for tail in (f"/{name.lstrip('/')}", name):
        named = [i for i, path in zip(ids, paths, strict=True) if f"/{i}".endswith(tail) or f"/{path}".endswith(tail)]
        found = found or named
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{len(found)} clips end with {name!r}: {listed(found)}", "type more of the one that is meant")
    raise _unknown(name, ids)


def _unknown(name: str, ids: Sequence[str]) -> UsageError:
    """The error for a clip that is none, with the nearest names: without folders, which many share."""
    found = unknown_name("clip", name.rpartition("/")[2], {i.rpartition("/")[2] for i in ids}, "clips.parquet")
    return UsageError(f"unknown clip {name!r}", found.hint)
