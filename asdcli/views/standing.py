"""What a method says of one recording: its score, how that compares with threshold and normal clips, its labels."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from asdcli.errors import BadData
from asdcli.metrics.decisions import decide
from asdcli.views.p_values import CLIP, GROUP, p_values_of
from asdcli.views.scores import Scored
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import ScoredAs, Split

WITHOUT_GROUP = (ScoredAs.HELD_OUT.value, ScoredAs.CROSS_FITTED.value, ScoredAs.LEFT_OUT_GROUP.value)
"""How training clips are scored that are compared with no clip of their group."""


@dataclass(frozen=True)
class Standing:
    """A recording and its score.

    Attributes:
        clip_id, machine_type, section, split, domain, condition, group: as the table of scores has them; of a recording
            that is no clip of the run its name, its machine, and None.
        method: its spelling.
        score: larger is more anomalous.
        scored_as: what a training clip's score tells; None of others.
        threshold: of its machine type; None where there is none for these scores.
        p_value, p_value_group: conformal, of others; None where no normal clips tell.
    """

    clip_id: str
    machine_type: str
    section: str | None
    split: str | None
    domain: str | None
    condition: str | None
    group: str | None
    method: str
    score: float
    scored_as: str | None
    threshold: float | None
    p_value: float | None
    p_value_group: float | None

    @property
    def anomalous(self) -> bool | None:
        """The decision; None without a threshold."""
        return None if self.threshold is None else bool(decide(np.array([self.score]), self.threshold)[0])


def compared_without(method: Scored, one: Standing) -> Collection[str]:
    """The training clips that a training clip was not compared with, as its score was made."""
    if one.scored_as not in WITHOUT_GROUP or one.group is None:
        return ()
    own = pc.and_(
        pc.equal(method.table["machine_type"], one.machine_type),
        pc.fill_null(pc.equal(method.table["group"], one.group), False),
    )
    found: list[str] = method.table.filter(own)["clip_id"].to_pylist()
    return found


def standing(method: Scored, clip_id: str, thresholds: Path | None) -> Standing:
    """What `method` says of a clip.

    Args:
        method: with its scores.
        clip_id: of the clip.
        thresholds: thresholds.parquet; None where there is none.

    Raises:
        BadData: the clip has no score of the method.
    """
    own = method.table.filter(pc.equal(method.table["clip_id"], clip_id))
    if not len(own):
        raise BadData(f"{method.method} has no score of {clip_id}", "score it: asd embed && asd score")
    (row,) = own.to_pylist()
    limits = Thresholds.read(thresholds) if thresholds else None
    threshold = limits.of(method, row["machine_type"]) if limits and limits.fitted_on(method) else None
    is_test = row["split"] == Split.TEST
    values = {name: float(p[0]) for name, p in p_values_of(method, own).items()} if is_test else {}
    p = {name: value for name, value in values.items() if np.isfinite(value)}
    names = ("clip_id", "machine_type", "section", "split", "domain", "condition", "group", "scored_as")
    return Standing(
        **{name: row[name] for name in names},
        method=method.spelling,
        score=row["anomaly_score"],
        threshold=threshold,
        p_value=p.get(CLIP),
        p_value_group=p.get(GROUP),
    )


def of_score(standing: Standing) -> Iterator[str]:
    """How the score compares with the threshold and with normal clips."""
    said = f"score {standing.score:.4g}"
    if standing.threshold is not None:
        verdict = "above" if standing.anomalous else "not above"
        times = (
            f", {standing.score / standing.threshold:.2f} times it" if standing.threshold > 0 < standing.score else ""
        )
        said += f", {verdict} the threshold of {standing.threshold:.4g}{times}"
    yield said
    if standing.p_value is not None:
        group = f"; {standing.p_value_group:.2g} as of a new group" if standing.p_value_group is not None else ""
        yield f"p-value {standing.p_value:.2g} among normal clips{group}"
    if standing.scored_as:
        yield f"a training clip, scored as: {standing.scored_as}"
