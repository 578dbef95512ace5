"""The reference set of a run as people look at it: a row a recording, with how far it lies from the others."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from asdcli.filenames import natural
from asdcli.layouts.links import shown
from asdcli.views.clips import is_training
from asdcli.views.scores import Scored
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import ConditionFrom

_HOW = {str(ConditionFrom.ADDED): "added", str(ConditionFrom.OPERATOR): "confirmed"}


@dataclass(frozen=True)
class BankRow:
    """A recording that others are compared with.

    Attributes:
        recording: its name.
        machine: it is of.
        group: those that it belongs together with.
        score: of it, held against the others; None where there is none.
        times: that as a multiple of the threshold; None without one.
        scored_as: what that tells of new recordings, as `vocabulary.ScoredAs` has it.
        how: how it came there: `learned`, `added` or `confirmed`.
        since: the day, YYYY-MM-DD; None of those that were learned at first.
    """

    recording: str
    machine: str
    group: str | None
    score: float | None
    times: float | None
    scored_as: str | None
    how: str
    since: str | None


def bank_rows(clips: pa.Table, scored: Scored, limits: Thresholds) -> list[BankRow]:
    """A row a recording of the reference set, by machine and name.

    Args:
        clips: of clips.parquet.
        scored: by the method whose scores are told.
        limits: the run's thresholds.
    """
    columns = ("clip_id", "anomaly_score", "scored_as", "group")
    scores = {row["clip_id"]: row for row in scored.table.select(columns).to_pylist()}
    found = []
    for row in clips.filter(is_training(clips)).to_pylist():
        own = scores.get(row["clip_id"], {})
        score, limit = own.get("anomaly_score"), limits.of(scored, row["machine_type"])
        times = score / limit if score is not None and limit is not None and limit > 0 else None
        found.append(
            BankRow(
                recording=shown(row["clip_id"]),
                machine=row["machine_type"],
                group=own.get("group", row["group"]),
                score=score,
                times=times,
                scored_as=own.get("scored_as"),
                how=_HOW.get(str(row["condition_from"]), "learned") if row["since"] else "learned",
                since=row["since"],
            )
        )
    return sorted(found, key=lambda row: (row.machine, natural(row.recording)))
