"""What the numbers of a machine come to, in words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from asdcli.metrics.decisions import Confusion, decide
from asdcli.page.parts import ClipList, SeriesPart
from asdcli.vocabulary import Condition
from asdcli.wording import counted


def verdict(clips: ClipList, part: SeriesPart | None) -> Iterator[str]:
    """Sentences about the decisions on these clips; none about clips that were learned from."""
    if part is None:
        yield "the method that this page begins with has no scores of it"
        return
    rows = [i for i, score in enumerate(part.score) if score is not None]
    scores = np.array([part.score[i] for i in rows], np.float64)
    condition = np.array([clips.condition[i] for i in rows], object)
    labelled = np.isin(condition, [str(c) for c in Condition])
    anomalous = condition == str(Condition.ANOMALY)
    if not anomalous.any():
        return
    if part.threshold is None:
        yield "there is no threshold, so nothing is decided: asd threshold"
        return
    found = Confusion.of(decide(scores[labelled], part.threshold), anomalous[labelled])
    told = f"{found.true_positive:,} of {found.n_anomalous:,} anomalies lie above the threshold"
    if found.n_normal:
        told += f", and {found.false_positive:,} of {counted(found.n_normal, 'normal clip')}"
    if part.promised is not None:
        told += f" (promised: {100 * part.promised:.3g} % of them)"
    yield told
