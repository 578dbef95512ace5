"""What a check found of all recordings of a machine together, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from asdcli.metrics.threshold_rules import FEW
from asdcli.progress import Progress
from asdcli.views.calibration import calibrations
from asdcli.views.checked import FALSE_DISCOVERIES, NORMAL, NOT_JUDGED, SUSPICIOUS, UNUSABLE, CheckRow
from asdcli.views.scores import Scored
from asdcli.wording import counted, listed

_STRANGE = 0.9  # where so many recordings lie beyond all that was learned, they are hardly of that machine
_FEWEST = 3  # recordings of which that is said


def with_whys(
    rows: Sequence[CheckRow], most: int | None, why: Callable[[CheckRow], str | None], progress: Progress
) -> tuple[list[CheckRow], list[str]]:
    """Tell why the most suspicious are, and of how many where these are not all.

    Args:
        rows: the most suspicious first.
        most: so many at most; None: all.
        why: tells of one how it sounds beside normal recordings.
        progress: is told how far it is.
    """
    suspicious = [i for i, row in enumerate(rows) if row.verdict == SUSPICIOUS]
    wanted = suspicious[:most]
    found = list(rows)
    for i in progress.track(wanted, total=len(wanted), label="why", unit="recordings") if wanted else ():
        heard = why(rows[i])
        found[i] = replace(rows[i], heard=heard, why="; ".join(filter(None, [rows[i].why, heard])) or None)
        progress.advance(1)
    if len(wanted) == len(suspicious) or not wanted:
        return found, []
    return found, [f"why is told of the {len(wanted)} most suspicious of {len(suspicious)}; of all: --why all"]


def sentences(
    machine: str,
    rows: Sequence[CheckRow],
    scored: Scored,
    promised: float | None,
    other: Callable[[], str | None],
    counts: Mapping[str, int],
) -> list[str]:
    """What is to be said of the recordings of a machine together.

    Args:
        machine: its name.
        rows: what was found of each.
        scored: the scores of normal recordings.
        promised: share of these that may lie above the threshold.
        other: asks which other machine they sound like.
        counts: name of a recording -> for how many normal ones it counts, being so much longer.
    """
    judged = [row for row in rows if row.verdict in (SUSPICIOUS, NORMAL)]
    if not judged:
        return [f"{machine}: not one recording could be judged"]
    n, k = len(judged), sum(row.verdict == SUSPICIOUS for row in judged)
    (normal,) = [own.scores for name, own in calibrations(scored) if name == machine] or [np.array([np.inf])]
    highest = normal.max()
    if n >= _FEWEST and len(normal) >= FEW and sum((row.score or 0.0) > highest for row in judged) >= _STRANGE * n:
        like = other()
        told = f"{machine}: nearly all of {counted(n, 'recording')} lie beyond everything that was learned: "
        told += "this does not sound like that machine"
        if like:
            return [f"{told}, but like {like}: --machine {like!r} says so"]
        return [f"{told}: another one, another place of the microphone, or all of it has changed"]
    if not k:
        sound = "sounds" if n == 1 else "sound"
        return [f"{machine}: nothing suspicious, {counted(n, 'recording')} {sound} like those that were learned"]
    told = f"{machine}: {k} of {counted(n, 'recording')} {'is' if k == 1 else 'are'} suspicious"
    if promised is not None:
        as_many = sum(counts.get(row.recording, 1) for row in judged)
        told += f"; of so many normal ones about {_about(promised * as_many)} would be "
        told += f"(1 in {1 / promised:,.0f} is promised"
        told += f", and by their length they count for {as_many:,})" if as_many > n else ")"
    return [told, *_together(machine, judged, k)]


def _together(machine: str, judged: Sequence[CheckRow], k: int) -> list[str]:
    if any(row.p_value is None for row in judged):
        return [f"{machine}: how rare that is nobody can tell: the model was trained on all normal recordings"]
    n, out = len(judged), sum(row.stands_out for row in judged)
    if n == 1:
        return []
    if out:
        return [
            f"{machine}: even among {n}, {out} of them {'stands' if out == 1 else 'stand'} out (Benjamini-Hochberg: of "
            f"recordings singled out so, 1 in {1 / FALSE_DISCOVERIES:.0f} at most is a normal one, on average)"
        ]
    none = f"{machine}: among {n}, none of them stands out (Benjamini-Hochberg)"
    if min(row.p_value or 1.0 for row in judged) > FALSE_DISCOVERIES * k / n:
        return [
            f"{none}, because so few normal recordings give no p-value small enough for that; look at how far they "
            "lie above the threshold, or learn more"
        ]
    return [f"{none}: so many as high may well be chance"]


def _about(number: float) -> str:
    return f"{number:.0f}" if number >= 1 else f"{number:.1g}"


def without_verdict(rows: Sequence[CheckRow]) -> Iterator[str]:
    """The recordings of which nothing is said, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.verdict in (NOT_JUDGED, UNUSABLE):
            reasons.setdefault(row.why or row.verdict, []).append(row.recording)
    for why, names in reasons.items():
        yield f"{listed(names)}: {why}"
