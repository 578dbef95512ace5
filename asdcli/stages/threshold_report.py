"""A threshold as its row and in words: the rule that failed, the promise not kept, the clips too few for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from asdcli.metrics.conformal import new_group_interval
from asdcli.metrics.threshold_rules import RULES, Rule, Threshold
from asdcli.views.calibration import Calibration
from asdcli.vocabulary import ScoredAs
from asdcli.wording import counted, listed


@dataclass(frozen=True)
class ThresholdRow:
    """A threshold of a method and machine type.

    Attributes:
        asked: the rule asked for.
        clips_per_day: how many are known to come in a day.
        on: the clips that it was set on.
    """

    method: str
    machine_type: str
    threshold: Threshold
    asked: Rule
    clips_per_day: float | None
    on: Calibration

    @property
    def interval(self) -> tuple[float, float] | tuple[None, None]:
        """95 % interval of the share above it in a new group; none where a model has seen the clips."""
        if self.on.is_seen or self.threshold.share.promised is None:
            return None, None
        return new_group_interval(self.on.scores, self.on.group, self.threshold.share.promised)

    def row(self, asked: str) -> dict[str, Any]:
        """The row of thresholds.parquet; `asked` is the spelling of the rule as it was asked for."""
        share, (low, high) = self.threshold.share, self.interval
        return {
            "method": self.method,
            "machine_type": self.machine_type,
            "section": None,
            "threshold": self.threshold.value,
            "rule": RULES.spell(self.threshold.rule),
            "n_clips": share.n,
            "n_groups": self.on.n_groups,
            "scored_as": self.on.scored_as,
            "false_alarm_rate": share.measured,
            "low": low,
            "high": high,
            "asked": asked,
            "promised": share.promised,
            "clips_per_day": self.clips_per_day,
        }


def sentences(asked: str, found: Sequence[ThresholdRow]) -> Iterator[str]:
    """What to know about thresholds: rules that failed, promises not kept, and too few training clips for them."""
    failed: dict[str, list[str]] = {}
    for row in found:
        if row.threshold.failed:
            instead = RULES.spell(row.threshold.rule)
            failed.setdefault(instead, []).append(f"{row.method}, {row.machine_type} ({row.threshold.failed})")
    for instead, where in failed.items():
        yield f"{asked} misses its own training scores and {instead} is used instead: {'; '.join(where)}"
    far = [f"{row.method}, {row.machine_type} ({row.threshold.share})" for row in found if row.threshold.share.far]
    if far:
        yield f"the training scores themselves do not keep the promise: {'; '.join(far)}"
    few: dict[str, dict[str, int]] = {}
    for row in found:
        n = row.threshold.share.n
        for doubt in dict.fromkeys((row.asked.doubt(n), row.threshold.rule.doubt(n))):
            if doubt:
                few.setdefault(doubt, {})[row.machine_type] = n
    for doubt, clips in few.items():
        counts = ", ".join(f"{machine_type} {n}" for machine_type, n in clips.items())
        yield f"few training clips for this rule: {counts}; {doubt}"
    yield from _worth(found)


def _worth(found: Sequence[ThresholdRow]) -> Iterator[str]:
    """What shares above a threshold are worth, where they are less than they look."""

    def of(rows: Iterable[ThresholdRow]) -> str:
        return listed([f"{row.method}, {row.machine_type}" for row in rows], between="; ")

    if seen := [row for row in found if row.on.is_seen]:
        yield f"set on clips that the model was trained on, whose share above is no false-alarm rate: {of(seen)}"
    if alone := [row for row in found if row.on.scored_as == ScoredAs.LEFT_OUT_CLIP]:
        yield (
            "set on clips that were compared with others of their own session: new sessions raise more alarms "
            f"({of(alone)})"
        )
    if fitted := [row for row in found if row.on.scored_as == ScoredAs.CROSS_FITTED]:
        yield (
            "set on clips as models that had not seen them score them; new clips are scored by one that has seen all: "
            f"{of(fitted)}"
        )
    few: dict[int, list[ThresholdRow]] = {}
    for row in found:
        promised = row.threshold.share.promised
        if row.on.by_group and promised is not None and promised < 1 / (row.on.n_groups + 1):
            few.setdefault(row.on.n_groups, []).append(row)
    for n, rows in few.items():
        yield (
            f"of a new group, clips of {counted(n, 'group')} promise nothing rarer than 1 alarm in {n + 1} clips: "
            f"{of(rows)}"
        )
