"""Checked recordings as the clips of a page: what was found of each, beside the normal ones that were learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from asdcli.page.numbers import MeasuredClips, part_of
from asdcli.page.parts import ClipList, MachinePart, SeriesPart
from asdcli.views.checked import NORMAL, SUSPICIOUS, CheckRow
from asdcli.vocabulary import Condition

Array = npt.NDArray[np.float64]


def checked_machine(
    machine: str,
    rows: Sequence[CheckRow],
    learned: Array,
    promised: float | None,
    *,
    times: Mapping[str, str],
    answers: Mapping[str, Condition],
) -> MachinePart:
    """What was found of the recordings of a machine.

    Args:
        machine: its name.
        rows: one a recording.
        learned: the scores of the normal recordings that promises stand on.
        promised: the share of normal recordings that may lie above the threshold.
        times: name of a recording -> when it was made.
        answers: name of a recording -> what an operator said it is.
    """
    clips = ClipList(
        name=[row.recording for row in rows],
        condition=[str(answers[row.recording]) if row.recording in answers else None for row in rows],
        verdict=[row.verdict for row in rows],
        said=[row.why for row in rows],
        when=[times.get(row.recording) for row in rows],
        events=[[(one.start_s, one.end_s, str(one).partition(": ")[2]) for one in row.events] for row in rows],
    )
    return MachinePart(machine, (), clips, [_part(rows, learned, promised, clips)])


def _part(rows: Sequence[CheckRow], learned: Array, promised: float | None, clips: ClipList) -> SeriesPart | None:
    """The numbers; None where not one could be judged."""
    judged = [i for i, row in enumerate(rows) if row.verdict in (SUSPICIOUS, NORMAL)]
    if not judged:
        return None
    place = {i: n for n, i in enumerate(judged)}
    known = [(row.score, row.p_value, row.p_value_group) for row in (rows[i] for i in judged)]
    scores, p, p_group = (np.array(values, np.float64) for values in zip(*known, strict=True))
    measured = MeasuredClips(
        scores=scores,
        condition=np.array([clips.condition[i] for i in judged], object),
        domain=np.full(len(judged), None, object),
        p=p,
        p_group=p_group,
        learned=learned,
        threshold=next((rows[i].threshold for i in judged), None),
        promised=promised,
        unknown="checked",
    )
    return part_of(measured, [place.get(i) for i in range(len(rows))])
