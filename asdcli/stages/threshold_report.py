"""A threshold as its row and in words: the rule that failed, the promise not kept, the clips too few for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from asdcli.metrics.threshold_rules import RULES, Rule, Threshold


@dataclass(frozen=True)
class ThresholdRow:
    """A threshold of a method and machine type, the rule asked for, and how many clips are known to come in a day."""

    method: str
    machine_type: str
    threshold: Threshold
    asked: Rule
    clips_per_day: float | None

    def row(self, asked: str) -> dict[str, Any]:
        """The row of thresholds.parquet; `asked` is the spelling of the rule as it was asked for."""
        share = self.threshold.share
        return {
            "method": self.method,
            "machine_type": self.machine_type,
            "section": None,
            "threshold": self.threshold.value,
            "rule": RULES.spell(self.threshold.rule),
            "n_clips": share.n,
            "false_alarm_rate": share.measured,
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
