"""Areas under the ROC curve, whole and partial, for one set of scores or for many re-weightings of it at once.

A clip's score is larger when the clip is more anomalous. The curve joins the operating points of all thresholds by
straight lines, so a tie between a normal and an anomalous clip counts one half. Both areas agree with scikit-learn's
`roc_auc_score(y, s)` and `roc_auc_score(y, s, max_fpr=p)` to rounding; the latter is what every DCASE Task 2 evaluator
calls pAUC. (The task papers print another formula, without McClish's standardisation; no published number uses it.)

All counting is done in whole clips; the only divisions are the last ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.ArrayLike
MAX_FPR = 0.1
"""The false-positive rate up to which the challenge takes the partial area."""


def auc(normal: Scores, anomalous: Scores) -> float:
    """Area under the ROC curve, in [0, 1]: how often an anomalous clip scores above a normal one, ties half.

    Args:
        normal: (n,) scores of normal clips, finite.
        anomalous: (m,) scores of anomalous clips, finite.

    Raises:
        ValueError: one of the two is empty or holds a value that is not finite.
    """
    return float(areas(normal, anomalous)[0])


def pauc(normal: Scores, anomalous: Scores, max_fpr: float = MAX_FPR) -> float:
    """Partial area for false-positive rates up to `max_fpr` in (0, 1], McClish-standardised: 0.5 is chance, 1 perfect.

    Can fall below 0.5 (down to about 0.47 for `max_fpr=0.1`) when the curve starts below the diagonal.
    Arguments and errors as `auc`.
    """
    return float(areas(normal, anomalous, max_fpr=max_fpr)[0])


def areas(
    normal: Scores,
    anomalous: Scores,
    *,
    normal_counts: npt.NDArray[np.float64] | None = None,
    anomalous_counts: npt.NDArray[np.float64] | None = None,
    max_fpr: float | None = None,
) -> npt.NDArray[np.float64]:
    """Areas of `r` resamples of the same clips in one pass over the sorted scores.

    A resample says how often it draws each clip; without counts there is one resample holding every clip once.

    Args:
        normal: (n,) scores.
        anomalous: (m,) scores.
        normal_counts: (r, n) draws of each normal clip, every row summing above 0.
        anomalous_counts: (r, m) likewise.
        max_fpr: upper end of the partial area in (0, 1]; None for the whole area.

    Returns:
        (r,) AUC, or McClish-standardised pAUC when `max_fpr` is below 1.

    Raises:
        ValueError: empty or not finite scores, or `max_fpr` outside (0, 1].
    """
    normal, anomalous = _finite(normal, "normal"), _finite(anomalous, "anomalous")
    if max_fpr is not None and not 0 < max_fpr <= 1:
        raise ValueError(f"max_fpr must lie in (0, 1], got {max_fpr}")
    # operating points: one for each distinct score, the highest first
    distinct, place = np.unique(-np.concatenate([normal, anomalous]), return_inverse=True)
    false = _drawn_at(place[: len(normal)], len(distinct), normal_counts)
    true = _drawn_at(place[len(normal) :], len(distinct), anomalous_counts)
    n_false, n_true = false.sum(1), true.sum(1)
    true_before = np.cumsum(true, axis=1) - true
    if max_fpr is None or max_fpr == 1:
        # trapezoids: each draw of a normal clip sees the anomalous ones above it, and half of those beside it
        return (false * (true_before + true / 2)).sum(1) / (n_false * n_true)
    # the last trapezoid is cut where the curve crosses max_fpr
    false_before = np.cumsum(false, axis=1) - false
    width = np.clip(max_fpr * n_false[:, None] - false_before, 0, false)
    share = np.divide(width, false, out=np.zeros_like(width), where=false > 0)
    area = (width * (true_before + share * true / 2)).sum(1) / (n_false * n_true)
    # McClish (1989): chance becomes 0.5, the largest possible area 1
    chance, largest = max_fpr**2 / 2, max_fpr
    return 0.5 * (1 + (area - chance) / (largest - chance))


def _finite(scores: Scores, what: str) -> npt.NDArray[np.float64]:
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"a ROC curve needs at least one {what} score in one dimension, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{what} scores hold {np.count_nonzero(~np.isfinite(array))} values that are not finite")
    return array


def _drawn_at(
    place: npt.NDArray[np.intp], n_places: int, counts: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.float64]:
    """(r, n_places) how many clips each resample holds at each distinct score."""
    if counts is None:
        return np.bincount(place, minlength=n_places)[None].astype(np.float64)
    drawn = np.zeros((len(counts), n_places))
    order = np.argsort(place, kind="stable")
    occupied, start = np.unique(place[order], return_index=True)
    drawn[:, occupied] = np.add.reduceat(counts[:, order], start, axis=1, dtype=np.float64)
    return drawn
