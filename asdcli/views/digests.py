"""What of clips.parquet a later file is made from, as a digest: other rows do not make that file stale."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, get_args

import pyarrow as pa

from asdcli.artifacts import Header
from asdcli.views.clips import rows_to_read, training_clips
from asdcli.views.supplemental import supplemental_clips
from asdcli.vocabulary import SupplementalKind


def pack_input(clips: pa.Table, machine_type: str) -> str:
    """What the pack of `machine_type` has as its input `clips`, if it is made from the table `clips`."""
    return _digest([[row.clip_id, row.path] for row in rows_to_read(clips, machine_type)], ensure_ascii=False)


def model_input(
    clips: pa.Table, machine_types: Sequence[str], *, groups: bool = False, supplemental: bool = False
) -> str:
    """What a model of `machine_types` has as its input `clips`: their training clips and these clips' labels.

    Which clips belong together counts only for a model that `groups` were held out of, and `supplemental` clips only
    for one that was trained with them.

    Raises:
        BadData: there are no training clips of them.
    """
    without = ["attributes", *([] if groups else ["group"])]  # attribute_string says the same
    rows = training_clips(clips, machine_types).drop_columns(without).to_pylist()
    for kind in get_args(SupplementalKind) if supplemental else ():
        rows += supplemental_clips(clips, machine_types, kind).drop_columns(without).to_pylist()
    return _digest(rows, sort_keys=True)


def bank_digest(clip_ids: Sequence[str]) -> str:
    """Of which clips others are compared with, by clip_id."""
    return _digest(list(clip_ids))


def trained_machine_types(model: Header) -> list[str]:
    """The machine types whose training clips the model of this header has seen, by name."""
    return sorted(name.rpartition("/")[2] for name in model.inputs if name.startswith("features/"))


def _digest(rows: Sequence[Any], **how: Any) -> str:
    return hashlib.blake2b(json.dumps(rows, **how).encode(), digest_size=16).hexdigest()
