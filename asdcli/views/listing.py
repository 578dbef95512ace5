"""Recordings of one's own as rows of clips.parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from asdcli import artifacts, audio
from asdcli.clips import without_suffix
from asdcli.layouts import Recording


def table_of(read: Sequence[Recording], infos: Mapping[str, audio.Info], prefix: str) -> pa.Table:
    """Columns of clips.parquet of recordings, by clip_id; without those that only time or a grouping tells.

    Args:
        read: the recordings.
        infos: path -> what the header of its file says.
        prefix: what stands before their paths to lead there from the dataset's root.
    """

    def text(value: object) -> str | None:
        return None if value is None else str(value)

    columns: dict[str, list[Any]] = {
        "clip_id": [prefix + without_suffix(r.path) for r in read],
        "path": [prefix + r.path for r in read],
        "attributes": [sorted(r.attributes.items()) for r in read],
        "duration_s": [infos[r.path].duration_s for r in read],
        "sample_rate": [infos[r.path].sample_rate for r in read],
        "channels": [infos[r.path].channels for r in read],
    }
    for name in (
        "machine_type",
        "section",
        "subset",
        "split",
        "domain",
        "condition",
        "attribute_string",
        "condition_from",
        "group",
    ):
        columns[name] = [text(getattr(r, name)) for r in read]
    kinds = (c for c in artifacts.CLIPS.columns if c.name in columns)
    return pa.table({c.name: pa.array(columns[c.name], c.type) for c in kinds}).sort_by("clip_id")
