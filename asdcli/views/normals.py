"""How good the normal recordings of a machine are: how many, how alike, which stand out, and what they can promise.

All of it stands on the scores that thresholds stand on: each recording as if it were new, held against the others
without those of its own session.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.metrics.threshold_rules import FEW, RULES
from asdcli.views.calibration import Calibration
from asdcli.vocabulary import ScoredAs
from asdcli.wording import counted, listed

_GROUPS = {"folder": "folder", "day": "day", "name": "series"}
_FENCE = 3.0  # interquartile ranges above the third quartile: what Tukey (1977) calls far out


@dataclass(frozen=True)
class StandsOut:
    """A normal recording that is far from all others.

    Attributes:
        clip_id: of the recording.
        times: its distance, as a multiple of that of the typical recording.
        p_value: the share of all recordings that lie as far, itself included.
    """

    clip_id: str
    times: float
    p_value: float


@dataclass(frozen=True)
class Normals:
    """The normal recordings of one machine by one method.

    Attributes:
        machine: its name.
        recordings: how many the promises stand on.
        learned: how many were learned in all.
        groups: how many sessions or blocks they are of.
        grouped_by: what these are, in words.
        scored_as: how they were scored.
        farthest: the largest score, as a multiple of the median; None where that is not above 0.
        stand_out: those beyond Tukey's outer fence, the farthest first.
        threshold: above it a recording is suspicious.
        rule: that set it, in its spelling.
        promised: share of normal recordings that may lie above it; None where nothing is promised.
        above: how many of these do.
        asked: the share of false alarms that was asked for.
        needed: recordings that it takes to promise that.
    """

    machine: str
    recordings: int
    learned: int
    groups: int
    grouped_by: str
    scored_as: str | None
    farthest: float | None
    stand_out: tuple[StandsOut, ...]
    threshold: float
    rule: str
    promised: float | None
    above: int
    asked: float
    needed: int

    @property
    def rarest(self) -> float:
        """The smallest share of false alarms that so many recordings can promise."""
        return 1 / (self.recordings + 1)

    @property
    def lacking(self) -> int:
        """Recordings that the promise asked for takes besides."""
        return max(self.needed - self.recordings, 0)


def normals_of(
    machine: str, own: Calibration, learned: int, grouped_by: str, row: dict[str, Any], asked: str
) -> Normals:
    """What is to be told of the normal recordings of a machine.

    Args:
        machine: its name.
        own: their scores.
        learned: how many recordings were learned in all.
        grouped_by: how groups were told, as clips.parquet has it.
        row: of thresholds.parquet.
        asked: spelling of the rule asked for.
    """
    rule: Any = RULES.build(asked)
    rate = rule.rate if hasattr(rule, "rate") else 1 - rule.quantile
    return Normals(
        machine=machine,
        recordings=len(own.scores),
        learned=learned,
        groups=own.n_groups,
        grouped_by=_GROUPS.get(grouped_by, "block of time" if grouped_by.startswith("block") else "group"),
        scored_as=own.scored_as,
        farthest=_times(own.scores.max(), own.scores),
        stand_out=_far_out(own),
        threshold=row["threshold"],
        rule=row["rule"],
        promised=row["promised"],
        above=round(row["false_alarm_rate"] * row["n_clips"]),
        asked=rate,
        needed=getattr(rule, "needs", FEW),
    )


def _far_out(own: Calibration) -> tuple[StandsOut, ...]:
    if len(own.scores) < 4:
        return ()
    first, third = np.quantile(own.scores, [0.25, 0.75])
    far = np.flatnonzero(own.scores > third + _FENCE * (third - first))
    far = far[np.argsort(-own.scores[far], kind="stable")]
    found = []
    for i in far:
        as_far = int((own.scores >= own.scores[i]).sum())
        found.append(
            StandsOut(str(own.clip_id[i]), _times(own.scores[i], own.scores) or np.inf, as_far / len(own.scores))
        )
    return tuple(found)


def _times(score: float, scores: np.ndarray) -> float | None:
    typical = float(np.median(scores))
    return float(score) / typical if typical > 0 else None


def sentences(of: Normals) -> Iterator[str]:
    """What an engineer should know of them, the most important first; the first names the machine."""
    alike = "" if of.farthest is None else f"; the one least like the others is {of.farthest:.1f} times as far from"
    alike += " them as a typical one" if alike else ""
    part = "" if of.learned == of.recordings else f", of which {of.recordings} tell what is normal of new ones"
    yield f"{of.machine}: {counted(of.learned, 'recording')} in {_counted(of)}{part}{alike}"
    if of.stand_out:
        names = [f"{one.clip_id} ({one.times:.1f} times as far as a typical one)" for one in of.stand_out]
        yield f"stand out among them, listen whether all is well there: {listed(names, between='; ')}"
    yield _promise(of)
    if of.lacking:
        yield (
            f"1 in {1 / of.asked:,.0f} takes {of.needed:,} normal recordings: {of.lacking:,} more; until then the "
            "threshold "
            + (
                "lies where a gamma distribution fitted to them has that tail, which nothing checks"
                if of.rule.startswith("gamma")
                else "is the highest of them"
            )
        )
    if of.recordings < FEW:
        yield f"a threshold from fewer than {FEW} recordings is a guess"
    if of.scored_as == ScoredAs.LEFT_OUT_CLIP:
        yield (
            "they are all of one session, and each was held against the others of it: a new day will raise more alarms "
            "than promised; learn recordings of several days, or say what belongs together: --group-by block:N"
        )
    elif of.groups and of.promised is not None and of.promised < 1 / (of.groups + 1):
        yield (
            f"should they differ from one another: {_counted(of)} {_promises(of)} nothing rarer than 1 false alarm in "
            f"{of.groups + 1} recordings of a new one"
        )


def _counted(of: Normals) -> str:
    """`1 day`, `20 blocks of time`, `3 series`."""
    first, space, rest = of.grouped_by.partition(" ")
    return f"{of.groups} series" if first == "series" else counted(of.groups, first) + space + rest


def _promise(of: Normals) -> str:
    rarest = f"as rare as 1 in {of.recordings + 1:,} can be promised with that many"
    if of.promised is None or (of.lacking and of.rule.startswith("gamma")):
        return f"false alarms: 1 in {1 / of.asked:,.0f} normal recordings was asked for; {rarest}"
    return (
        f"false alarms: 1 in {1 / of.promised:,.0f} normal recordings is promised, and {of.above} of these "
        f"{of.recordings:,} lie above the threshold; {rarest}"
    )


def _promises(of: Normals) -> str:
    return "promises" if of.groups == 1 else "promise"
