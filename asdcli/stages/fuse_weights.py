"""Weights of a fusion, chosen by the official score of the development set alone.

Ensemble selection (Caruana et al., ICML 2004): twenty rounds, in each of which the part that helps the mean most is
taken once more, a part as often as it helps; the weights are how often each stands in the best of the twenty means.
The first round is the best single part, so the choice is never worse than that on the clips that chose.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from asdcli.errors import BadData
from asdcli.progress import Progress
from asdcli.views.editions import rule_of
from asdcli.views.labelled import judged, objective
from asdcli.views.parts import Parts
from asdcli.vocabulary import Split, Subset

ROUNDS = 20


def chosen(
    parts: Parts, normalised: npt.NDArray[np.float64], truth: Path | None, progress: Progress
) -> tuple[list[float], float]:
    """The share of each part, and the official score of the development set with them.

    Args:
        parts: whose headers say by which edition's rule is judged.
        normalised: (n_parts, n_clips) scores as they are joined.
        truth: clips.parquet, whose conditions win over those in the scores.
        progress: is told how far it is.

    Raises:
        BadData: no test clip of the development set has a known condition.
    """
    of_dev = pc.equal(parts.table["subset"], str(Subset.DEV)).to_numpy()
    rows = np.flatnonzero(parts.rows_of(Split.TEST) & of_dev)
    if not len(rows):
        raise BadData("the parts have no test clips of the development set to choose weights by", "say --weights")
    sections = judged(parts.table.take(rows), truth)
    spec = rule_of(parts.methods[0].header, sections)
    scores = normalised[:, rows]
    taken, best, worth = np.zeros(len(scores), np.int64), np.zeros(len(scores), np.int64), -np.inf
    for n in progress.track(range(1, ROUNDS + 1), label="weights", unit="rounds"):
        before = taken @ scores
        values = [objective(spec, sections, (before + one) / n) for one in scores]
        if None in values:
            raise BadData("the development set has no normal and anomalous clips of one section", "say --weights")
        part = int(np.argmax(np.array(values, np.float64)))
        taken[part] += 1
        if float(values[part] or 0) > worth:
            best, worth = taken.copy(), float(values[part] or 0)
    return [int(times) / int(best.sum()) for times in best], worth
