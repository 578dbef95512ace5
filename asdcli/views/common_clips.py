"""The test clips that several tables of scores have in common, so that their numbers are of the same clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from asdcli.errors import BadData
from asdcli.views.scores import Scored, of_subset
from asdcli.vocabulary import Split


def in_common(own: Mapping[Any, Scored]) -> tuple[dict[Any, Scored], int]:
    """The tables on the test clips of known condition that all have, so far as they have the subset, and how many go.

    Raises:
        BadData: none is left, or two tables disagree on a label.
    """
    tests = {}
    for key, one in own.items():
        test = one.split(Split.TEST).table
        tests[key] = test.filter(pc.is_valid(test["condition"]))
    kept: dict[Any, list[pa.Table]] = {key: [] for key in own}
    lost = 0
    for subset in sorted({s for test in tests.values() for s in pc.unique(test["subset"]).to_pylist()}):
        parts = {key: part for key, test in tests.items() if len(part := of_subset(test, subset))}
        ids = [set(part["clip_id"].to_pylist()) for part in parts.values()]
        common, every = pa.array(sorted(set.intersection(*ids)), pa.string()), set.union(*ids)
        lost += len(every) - len(common)
        first = None
        for key, part in parts.items():
            part = part.filter(pc.is_in(part["clip_id"], value_set=common)).sort_by("clip_id")
            labels = part.select(["machine_type", "section", "domain", "condition"])
            first = labels if first is None else first
            if not labels.equals(first):
                raise BadData(
                    f"runs disagree on labels of test clips: {own[key].path} and others",
                    "take the truth from one table of clips: name the data root that has it with --data",
                )
            kept[key].append(part)
    found = {key: replace(own[key], table=pa.concat_tables(parts)) for key, parts in kept.items() if parts}
    if not any(len(one.table) for one in found.values()):
        raise BadData("no test clip of known condition was scored by all of these runs", "name runs of the same clips")
    return {key: one for key, one in found.items() if len(one.table)}, lost
