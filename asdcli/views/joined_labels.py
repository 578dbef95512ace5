"""Rows that somebody brought without labels of their own, joined with a table that has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli.errors import BadData
from asdcli.progress import Progress
from asdcli.views.foreign import ForeignTable
from asdcli.wording import they_are


def joined(rows: ForeignTable, said: ForeignTable, progress: Progress) -> tuple[ForeignTable, list[str]]:
    """The rows whose clip `said` knows, with its labels beside their own; and the clips that it does not know.

    Clips are the same where their clip_ids are, or, where not one is, where the last parts of them are.

    Args:
        rows: what was brought; one row a clip or window.
        said: one row a clip.
        progress: is told what does not fit.

    Raises:
        BadData: a table that names no clips, a clip twice in `said`, or no clip in common.
    """
    for table in (rows, said):
        if "clip_id" not in table.labels:
            has = ", ".join(table.table.column_names)
            raise BadData(f"{table.path} names no clips; it has: {has}", "add clip_id, or a column filename")
        if None in table.labels["clip_id"]:
            raise BadData(f"{table.path}: the clip is not named in row {table.labels['clip_id'].index(None) + 1}")
    ours, theirs = rows.labels["clip_id"], said.labels["clip_id"]
    place = _places(said, theirs)
    if not place.keys() & set(ours):
        ours = [_last(clip_id) for clip_id in ours]
        place = _places(said, [_last(clip_id) for clip_id in theirs])
        if not place.keys() & set(ours):
            raise BadData(
                f"{said.path} knows not one clip of {rows.path}, such as {rows.labels['clip_id'][0]}",
                f"its own are such as {theirs[0]}" if theirs else "it has no rows",
            )
        progress.note(f"{rows.path} and {said.path} name their clips differently: joined by the last part of the names")
    known = np.array([clip_id in place for clip_id in ours], bool)
    at = [place[clip_id] for clip_id in ours if clip_id in place]
    labels: dict[str, list[Any]] = {
        name: [value for value, k in zip(values, known, strict=True) if k] for name, values in rows.labels.items()
    }
    for name, values in said.labels.items():
        own = labels.get(name, [None] * len(at))
        labels[name] = [own[i] if values[row] is None else values[row] for i, row in enumerate(at)]
    strangers = list(dict.fromkeys(c for c, k in zip(rows.labels["clip_id"], known, strict=True) if not k))
    if missing := [theirs[i] for i in sorted(set(range(len(theirs))) - set(at))]:
        progress.left_out(f"{they_are(missing, 'clip')} in {said.path} but without a vector")
    return replace(rows, table=rows.table.filter(pa.array(known)), labels=labels), strangers


def _places(said: ForeignTable, clip_ids: Sequence[str]) -> dict[str, int]:
    often, n = Counter(clip_ids).most_common(1)[0] if clip_ids else ("", 0)
    if n > 1:
        raise BadData(f"{said.path}: clip {often!r} stands {n} times", "give one row a clip")
    return {clip_id: row for row, clip_id in enumerate(clip_ids)}


def _last(clip_id: str) -> str:
    return clip_id.rpartition("/")[2]
