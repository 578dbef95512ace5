"""Normal clips to hold a clip against where no vectors tell which are near."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.errors import BadData
from asdcli.views.clips import is_training, rows_of
from asdcli.views.scores import Scored
from asdcli.vocabulary import ScoredAs


def alike(
    table: pa.Table, method: Scored, clip_id: str, machine_type: str, *, without: Collection[str] = (), most: int
) -> list[str]:
    """Normal clips of the same section, domain and attributes as far as there are enough, evenly spread.

    Of a recording that is no clip of the table nothing of that is known: then of its machine.

    Those that the model has not seen, where they are enough: half of `most`.

    Args:
        table: of clips.
        method: with its scores, which say what the model has seen.
        clip_id: of the clip.
        machine_type: of the clip.
        without: clips that are not to be among them.
        most: so many at the most.

    Raises:
        BadData: there is none.
    """
    rows = rows_of(table, machine_type)
    rows = rows.filter(is_training(rows)).sort_by("clip_id")
    rows = rows.filter(pc.invert(pc.is_in(rows["clip_id"], pa.array([clip_id, *without], pa.string()))))
    names = ["section", "domain", "attribute_string"]
    for own in table.filter(pc.equal(table["clip_id"], clip_id)).select(names).to_pylist():
        for name in (name for name in names if own[name] is not None):
            same = rows.filter(pc.fill_null(pc.equal(rows[name], own[name]), False))
            rows = same if len(same) >= most // 2 else rows
    scored = method.table
    unseen = scored.filter(pc.not_equal(pc.fill_null(scored["scored_as"], ""), ScoredAs.SEEN.value))["clip_id"]
    fresh = rows.filter(pc.is_in(rows["clip_id"], value_set=unseen.combine_chunks()))
    rows = fresh if len(fresh) >= most // 2 else rows
    if not len(rows):
        raise BadData(
            f"there is no normal recording to hold {clip_id} against",
            "add normal recordings of its machine to train on",
        )
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))
    found: list[str] = rows["clip_id"].take(pa.array(chosen)).to_pylist()
    return found
