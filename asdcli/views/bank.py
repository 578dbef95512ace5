"""Who is in the reference set of a dataset of one's own, as clips.parquet has it: learned, come later, taken out.

What was learned at first has no day in the column `since`. Recordings that came later have the day of that; so have
those that an operator said something of (split `answered`), and those that were taken out: they keep their rows, as
supplemental ones, because models have seen them and their features are there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.layouts import with_groups
from asdcli.layouts.dates import day_of
from asdcli.layouts.links import later_folder
from asdcli.views.clips import is_taken_out
from asdcli.vocabulary import Condition, ConditionFrom, Split

_GROUPED = ("group", "group_from")


@dataclass(frozen=True)
class BankRole:
    """What recordings are among the others: the columns `split`, `condition` and `condition_from` of theirs."""

    split: Split
    condition: Condition
    condition_from: ConditionFrom


AS_NORMAL = BankRole(Split.TRAIN, Condition.NORMAL, ConditionFrom.ADDED)
"""Others are compared with them, because somebody added them."""
CONFIRMED = BankRole(Split.ANSWERED, Condition.NORMAL, ConditionFrom.OPERATOR)
"""An operator called them normal: thresholds and p-values stand on them too."""
CONFIRMED_AND_COMPARED = BankRole(Split.TRAIN, Condition.NORMAL, ConditionFrom.OPERATOR)
"""The same, and others are compared with them."""
KNOWN_FAULT = BankRole(Split.ANSWERED, Condition.ANOMALY, ConditionFrom.OPERATOR)
"""An operator called them faults."""


@dataclass(frozen=True)
class BankEdit:
    """What is to become of the rows of clips.parquet.

    Attributes:
        since: the day, YYYY-MM-DD.
        rows: recordings that come, as `views.listing.table_of` has them.
        turned: clip_ids of those that came before, and get a role now.
        role: of `turned`.
        back: clip_ids of those that were learned and taken out, and come back.
        out: clip_ids of those that leave the reference set; what an operator said of them stays.
        dropped: clip_ids of those that came later, and are forgotten.
    """

    since: str
    rows: pa.Table | None = None
    turned: Collection[str] = ()
    role: BankRole = AS_NORMAL
    back: Collection[str] = ()
    out: Collection[str] = ()
    dropped: Collection[str] = ()

    def of(self, table: pa.Table) -> pa.Table:
        """The table after it, by clip_id and without new groups."""
        dropped = pc.and_(_named(table, self.dropped), came_later(table))
        table = taken_out(put_back(table.filter(pc.invert(dropped)), self.back), self.out, self.since)
        table = with_role(table, self.turned, self.role)
        return table if self.rows is None else joined(table, self.rows, self.since)


def came_later(table: pa.Table) -> pa.ChunkedArray:
    """(n,) bool, the rows that were not there when the others were learned."""
    return pc.and_(pc.is_valid(table["since"]), pc.invert(is_taken_out(table)))


def joined(table: pa.Table, rows: pa.Table, since: str) -> pa.Table:
    """`table` with `rows` (as of `listing.table_of`), which come, or change, on the day `since`; by clip_id."""
    ids = rows["clip_id"].combine_chunks()
    rest = table.filter(pc.invert(pc.is_in(table["clip_id"], value_set=ids)))
    rows = rows.drop_columns([name for name in _GROUPED if name in rows.column_names])
    rows = rows.append_column("since", pa.array([since] * len(rows), pa.string()))
    return pa.concat_tables([rest, _filled(rows, rest.schema)]).sort_by("clip_id")


def taken_out(table: pa.Table, ids: Collection[str], since: str) -> pa.Table:
    """`table` with these clips out of the reference set.

    Those that were added go, those that an operator called normal keep that, of the others the day is kept.
    """
    answered = pc.equal(pc.fill_null(table["condition_from"], ""), str(ConditionFrom.OPERATOR))
    later = pc.and_(_named(table, ids), came_later(table))
    kept = table.filter(pc.invert(pc.and_(later, pc.invert(answered))))
    later = pc.and_(_named(kept, ids), came_later(kept))
    kept = _with(kept, "split", str(Split.ANSWERED), later)
    out = pc.and_(_named(kept, ids), pc.invert(later))
    return _with(_with(kept, "split", str(Split.SUPPLEMENTAL), out), "since", since, out)


def put_back(table: pa.Table, ids: Collection[str]) -> pa.Table:
    """`table` with these clips, which were learned and taken out, as if they never had been."""
    back = pc.and_(_named(table, ids), is_taken_out(table))
    return _with(_with(table, "split", str(Split.TRAIN), back), "since", None, back)


def with_role(table: pa.Table, ids: Collection[str], role: BankRole) -> pa.Table:
    """`table` with these clips, which came later, in a role."""
    own = pc.and_(_named(table, ids), came_later(table))
    for name, value in asdict(role).items():
        table = _with(table, name, str(value), own)
    return table


def regrouped(table: pa.Table, by: str | None, *, models_stay: bool = False) -> pa.Table:
    """`table` with groups as indexing gives them to those that are in the reference set.

    Args:
        table: of clips.parquet.
        by: the grouping that was asked for when they were learned.
        models_stay: a model was trained on these groups: what was taken out counts as if it were there.
    """
    out = is_taken_out(table)
    split = table["split"]
    told = table.drop_columns([name for name in _GROUPED if name in table.column_names])
    told = _with(told, "split", str(Split.TRAIN), out) if models_stay else told
    told = _with_answered(with_groups(told, by))
    at = told.column_names.index("split")
    return told.set_column(at, "split", split).select([c.name for c in artifacts.CLIPS.columns])


def with_later(table: pa.Table, before: pa.Table, root: Path) -> pa.Table:
    """What was learned again, with what came later, was answered or taken out since it was learned before.

    A recording that came later and is now among those that are learned is one of them. What an operator said of one
    stays said, and what was taken out stays out, as long as it is there.

    Args:
        table: of the recordings as they are found now, without groups.
        before: of clips.parquet as it was.
        root: of the dataset, which paths are below.
    """
    known = before.filter(pc.is_valid(before["since"]))
    if not len(known):
        return table
    files = {(root / path).resolve() for path in table["path"].to_pylist()}
    ids = set(table["clip_id"].to_pylist())

    def stays(row: Mapping[str, Any]) -> bool:
        is_listed = row["clip_id"] in ids
        if row["split"] == Split.SUPPLEMENTAL:
            return is_listed
        return row["split"] != Split.TRAIN or not (is_listed or (root / row["path"]).resolve() in files)

    known = known.filter(pa.array(map(stays, known.to_pylist()), pa.bool_()))
    named = {(root / path).resolve() for path in known["path"].to_pylist()}
    fresh = [(root / path).resolve() not in named for path in table["path"].to_pylist()]
    table = table.filter(pa.array(fresh, pa.bool_()))
    table = _filled(table, known.schema)
    return pa.concat_tables([table, known.cast(table.schema)]).sort_by("clip_id")


def _filled(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """`table` with the columns of `schema` in its order, null where it has none of that name."""
    for column in schema:
        if column.name not in table.column_names:
            table = table.append_column(column.name, pa.nulls(len(table), column.type))
    return table.select(schema.names)


def _with_answered(table: pa.Table) -> pa.Table:
    """Those of which an operator said something belong together by day, or by the folder that they lie in."""
    group = table["group"].to_pylist()
    for row, (split, path) in enumerate(zip(table["split"].to_pylist(), table["path"].to_pylist(), strict=True)):
        if split == Split.ANSWERED:
            group[row] = f"answered {day_of(path) or later_folder(path) or str(Path(path).parent)}"
    return table.set_column(table.column_names.index("group"), "group", pa.array(group, pa.string()))


def _named(table: pa.Table, ids: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(table["clip_id"], value_set=pa.array(sorted(ids), pa.string()))


def _with(table: pa.Table, name: str, value: str | None, where: pa.ChunkedArray) -> pa.Table:
    column = pc.if_else(where, pa.scalar(value, pa.string()), table[name])
    return table.set_column(table.column_names.index(name), name, column)
