"""What each threshold would be worth: how many clips lie above it, for all thresholds that make a difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asdcli.metrics.means import EPSILON

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cuts:
    """Decisions at every threshold: what is strictly above one is called anomalous.

    Attributes:
        at: (n,) the distinct scores, ascending. Entry i + 1 of the others holds from at[i] up to below at[i + 1],
            entry 0 below all scores.
        false_alarms: (n + 1,) share of the normal clips above; NaN where there are none.
        recall: (n + 1,) share of the anomalous clips above; NaN where there are none.
        precision: (n + 1,) share of the alarms that are right, 0 without alarms; NaN without clips of both conditions.
        learned: (n + 1,) share of the learned normal clips above; NaN where there are none.
        alarms: (n + 1,) number of clips above, the learned ones not counted.
    """

    at: Array
    false_alarms: Array
    recall: Array
    precision: Array
    learned: Array
    alarms: npt.NDArray[np.int64]


def cuts(normal: Array, anomalous: Array, unknown: Array, learned: Array) -> Cuts:
    """What thresholds are worth on clips of these scores, (n_i,) each and finite.

    Args:
        normal: of normal clips.
        anomalous: of anomalous clips.
        unknown: of clips of which nobody knows.
        learned: of normal clips that were learned from.
    """
    at = np.unique(np.concatenate([normal, anomalous, unknown, learned]))
    false, true, other, of_learned = (_above(scores, at) for scores in (normal, anomalous, unknown, learned))
    both = len(normal) and len(anomalous)
    right = true / np.maximum(true + false, EPSILON)
    return Cuts(
        at,
        _share(false, len(normal)),
        _share(true, len(anomalous)),
        right if both else np.full(len(at) + 1, np.nan),
        _share(of_learned, len(learned)),
        false + true + other,
    )


def wrong_side(scores: Array, anomalous: npt.NDArray[np.bool_]) -> Array:
    """(n,) how far each clip lies on the wrong side: of a normal one the share of the anomalous ones that score lower,
    of an anomalous one the share of the normal ones that score higher, ties half; 0 where there is none of the other.

    The mean over the clips of a condition is 1 - AUC.

    Args:
        scores: (n,) finite.
        anomalous: (n,) the truth.
    """
    found = np.zeros(len(scores))
    for side in (False, True):
        own, others = anomalous == side, np.sort(scores[anomalous != side])
        if len(others) and own.any():
            ends = [np.searchsorted(others, scores[own], side=end) for end in ("left", "right")]
            below = (ends[0] + ends[1]) / 2 / len(others)
            found[own] = 1 - below if side else below
    return found


def _above(scores: Array, at: Array) -> npt.NDArray[np.int64]:
    ordered = np.sort(scores)
    return np.append(len(ordered), len(ordered) - np.searchsorted(ordered, at, side="right"))


def _share(counts: npt.NDArray[np.int64], n: int) -> Array:
    return counts / n if n else np.full(len(counts), np.nan)
