"""Which clips are worth a look and a listen first: worst misses and false alarms, and what scores highest."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from asdcli.metrics.decisions import decide
from asdcli.page.content import LookHere
from asdcli.page.parts import ClipList, SeriesPart
from asdcli.views.checked import SUSPICIOUS
from asdcli.vocabulary import Condition

_NORMAL, _ANOMALY = str(Condition.NORMAL), str(Condition.ANOMALY)
Machines = Mapping[str, tuple[ClipList, SeriesPart]]
"""Machine -> its clips, and what the method says of them that the page begins with."""


def queue(machines: Machines) -> Iterator[tuple[str, str]]:
    """(machine, clip) in the order in which they are worth a listen, the machines by turns, each clip once."""
    lines = [[(name, clip) for clip in _of_machine(*own)] for name, own in machines.items()]
    yield from (one for turn in itertools.zip_longest(*lines) for one in turn if one is not None)


def first_look(machines: Machines, most: int = 6) -> list[LookHere]:
    """The clips that stand on the first screen, the machines by turns."""
    found = []
    for machine, clip in itertools.islice(queue(machines), most):
        clips, part = machines[machine]
        row = list(clips.name).index(clip)
        found.append(LookHere(clip, machine, _why(clips, part, row)))
    return found


def _of_machine(clips: ClipList, part: SeriesPart) -> Iterator[str]:
    """A miss, a false alarm, one that scores high, and again."""
    rows = [i for i, score in enumerate(part.score) if score is not None]
    if clips.verdict:  # in the order in which the check tells of them
        yield from (clips.name[i] for i in rows if clips.verdict[i] == SUSPICIOUS)
        return
    worst = sorted(rows, key=lambda i: (-(part.side[i] or 0.0), part.rank[i] or 0))
    wrong = [i for i in worst if _is_wrong(clips, part, i)]
    lines: list[Sequence[int]] = [
        [i for i in wrong if clips.condition[i] == _ANOMALY],
        [i for i in wrong if clips.condition[i] == _NORMAL],
        sorted(rows, key=lambda i: part.rank[i] or 0),
    ]
    taken = (i for turn in itertools.zip_longest(*lines) for i in turn if i is not None)
    yield from dict.fromkeys(clips.name[i] for i in taken)


def _is_wrong(clips: ClipList, part: SeriesPart, row: int) -> bool:
    """Whether the decision is; without a threshold, whether it lies on the wrong side of half of the others."""
    condition, score = clips.condition[row], part.score[row]
    if condition is None or score is None:
        return False
    if part.threshold is None:
        return (part.side[row] or 0.0) > 0.5
    return _alarm(score, part.threshold) != (condition == _ANOMALY)


def _alarm(score: float, threshold: float) -> bool:
    return bool(decide(np.array([score]), threshold)[0])


def _why(clips: ClipList, part: SeriesPart, row: int) -> str:
    if clips.verdict:
        return ": ".join(filter(None, [clips.verdict[row], clips.said[row]]))
    condition, side, score = clips.condition[row], part.side[row] or 0.0, part.score[row] or 0.0
    if _is_wrong(clips, part, row):
        others = "normal" if condition == _ANOMALY else "anomalous"
        what = {_ANOMALY: "missed anomaly", _NORMAL: "false alarm"} if part.threshold is not None else {}
        named = what.get(str(condition)) or ("anomaly" if condition == _ANOMALY else "normal clip")
        beyond = "higher" if condition == _ANOMALY else "lower"
        return f"{named}: {100 * side:.0f} % of the {others} clips score {beyond}"
    if _ANOMALY not in clips.condition and _NORMAL in clips.condition:  # those that were learned from
        place = "the one" if part.rank[row] == 1 else f"no. {part.rank[row]} of those"
        return f"{place} least like the others"
    place = "the highest score" if part.rank[row] == 1 else f"score no. {part.rank[row]} from the top"
    p = part.p[row]
    told = f"{place}, {score:.3g}" + (f" (p = {p:.2g})" if p is not None else "")
    return told + (f", {'an anomaly' if condition == _ANOMALY else 'a normal clip'}" if condition else "")
