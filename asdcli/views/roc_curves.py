"""ROC curves of the areas that an edition's rule takes of the clips of one section."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from asdcli.artifacts import Header
from asdcli.metrics import roc
from asdcli.metrics.official import SectionScores
from asdcli.metrics.specs import Term
from asdcli.views.editions import rule_of

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RocCurve:
    """One curve.

    Attributes:
        domain: of its normal clips; None where they are of any.
        false, true: (n_points,) rates, from (0, 0) to (1, 1); straight lines join them.
        at: (n_points,) the smallest score that is called anomalous there, NaN where none is.
        auc: the area under it.
        pauc: the partial area; None where the rule takes none over these clips.
        n_normal, n_anomalous: clips.
    """

    domain: str | None
    false: Array
    true: Array
    at: Array
    auc: float
    pauc: float | None
    n_normal: int
    n_anomalous: int


def roc_curves(header: Header, section: SectionScores, max_fpr: float = roc.MAX_FPR) -> Iterator[RocCurve]:
    """The curves of a section; those without normal or without anomalous clips are left out.

    Args:
        header: of the scores, which says the edition.
        section: its labelled clips.
        max_fpr: up to here pAUC is taken, in (0, 1].
    """
    spec = rule_of(header, [section])
    partial = [term for term in spec.terms if term.partial]
    whole = [term for term in spec.terms if not term.partial]
    whole += [_same(term) for term in partial if not any(_alike(term, other) for other in whole)]
    for term in whole:
        normal, anomalous = section.pick(term)
        if not normal.any() or not anomalous.any():
            continue
        scores = section.scores[normal], section.scores[anomalous]
        takes = any(_alike(term, other) for other in partial)
        yield RocCurve(
            None if term.normals is None else str(term.normals),
            *operating_points(*scores),
            roc.auc(*scores),
            roc.pauc(*scores, max_fpr) if takes else None,
            int(normal.sum()),
            int(anomalous.sum()),
        )


def operating_points(normal: Array, anomalous: Array) -> tuple[Array, Array, Array]:
    """The corners of a ROC curve, from (0, 0) to (1, 1).

    Args:
        normal: (n,) scores.
        anomalous: (m,) scores.

    Returns:
        false-positive rates, true-positive rates and the smallest score that is called anomalous there, NaN where none
        is; (n_points,) each. Straight lines join them; points on a straight line are left out.
    """
    distinct, place = np.unique(-np.concatenate([normal, anomalous]), return_inverse=True)
    false = np.cumsum(np.bincount(place[: len(normal)], minlength=len(distinct)))
    true = np.cumsum(np.bincount(place[len(normal) :], minlength=len(distinct)))
    x, y = np.append(0, false), np.append(0, true)
    dx, dy = np.diff(x), np.diff(y)
    corner = np.append(np.append(True, dx[1:] * dy[:-1] != dx[:-1] * dy[1:]), True)
    return x[corner] / len(normal), y[corner] / len(anomalous), np.append(np.nan, -distinct)[corner]


def _same(term: Term) -> Term:
    return replace(term, partial=False)


def _alike(a: Term, b: Term) -> bool:
    """Whether two terms are of the same clips."""
    return (a.normals, a.anomalies) == (b.normals, b.anomalies)
