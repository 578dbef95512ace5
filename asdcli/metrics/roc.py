"""Areas under the ROC curve, whole and partial, for one set of scores or for many re-weightings of it at once.

A clip's score is larger when the clip is more anomalous. The curve joins the operating points of all thresholds by
straight lines, so a tie between a normal and an anomalous clip counts one half. Both areas agree with scikit-learn's
`roc_auc_score(y, s)` and `roc_auc_score(y, s, max_fpr=p)` to rounding; the latter is what every DCASE Task 2 evaluator
calls pAUC. (The task papers print another formula, without McClish's standardisation; no published number uses it.)

All counting is done in whole clips; the only divisions are the last ones.
"""

from __future__ import annotations

import functools

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
    return Curve(normal, anomalous).areas(normal_counts, anomalous_counts, max_fpr)


class Curve:
    """The scores of `areas` in their order, for resamples that come in parts. Raises as `areas`."""

    def __init__(self, normal: Scores, anomalous: Scores) -> None:
        self._normal, self._anomalous = _finite(normal, "normal"), _finite(anomalous, "anomalous")

    def areas(
        self,
        normal_counts: npt.NDArray[np.float64] | None,
        anomalous_counts: npt.NDArray[np.float64] | None,
        max_fpr: float | None = None,
    ) -> npt.NDArray[np.float64]:
        """(r,) as the function `areas`."""
        if max_fpr is not None and not 0 < max_fpr <= 1:
            raise ValueError(f"max_fpr must lie in (0, 1], got {max_fpr}")
        false = np.ones((1, len(self._normal))) if normal_counts is None else normal_counts
        true = np.ones((1, len(self._anomalous))) if anomalous_counts is None else anomalous_counts
        if max_fpr is None or max_fpr == 1:
            return self._whole(false, true)
        return self._partial(false, true, max_fpr)

    def _whole(self, false: npt.NDArray[np.float64], true: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        order, above, beside = self._standing
        drawn = np.zeros((len(true), len(order) + 1))
        np.cumsum(true[:, order], axis=1, out=drawn[:, 1:])
        # trapezoids: each draw of a normal clip sees the anomalous ones above it, and half of those beside it
        seen = drawn[:, above]
        if beside is not None:
            seen = (seen + drawn[:, beside]) / 2
        return (false * seen).sum(1) / (false.sum(1) * true.sum(1))

    def _partial(
        self, false: npt.NDArray[np.float64], true: npt.NDArray[np.float64], max_fpr: float
    ) -> npt.NDArray[np.float64]:
        place, n_places = self._places
        false = _drawn_at(place[: len(self._normal)], n_places, false)
        true = _drawn_at(place[len(self._normal) :], n_places, true)
        n_false, n_true = false.sum(1), true.sum(1)
        limit = max_fpr * n_false[:, None]
        false_before = np.cumsum(false, axis=1) - false
        n = int((false_before < limit).sum(1).max())  # places that some curve reaches before max_fpr
        false, true, false_before = false[:, :n], true[:, :n], false_before[:, :n]
        true_before = np.cumsum(true, axis=1) - true
        # the last trapezoid is cut where the curve crosses max_fpr
        width = np.clip(limit - false_before, 0, false)
        share = np.divide(width, false, out=np.zeros_like(width), where=false > 0)
        under = np.zeros((len(width), n_places))
        np.multiply(width, true_before + share * true / 2, out=under[:, :n])
        area = under.sum(1) / (n_false * n_true)
        # McClish (1989): chance becomes 0.5, the largest possible area 1
        chance, largest = max_fpr**2 / 2, max_fpr
        return 0.5 * (1 + (area - chance) / (largest - chance))

    @functools.cached_property
    def _standing(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp] | None]:
        """Anomalous clips, the highest first; how many are above each normal clip, and not below it if some tie."""
        order = np.argsort(-self._anomalous, kind="stable")
        ranked = -self._anomalous[order]
        above, beside = (np.searchsorted(ranked, -self._normal, side) for side in ("left", "right"))
        return order, above, None if (above == beside).all() else beside

    @functools.cached_property
    def _places(self) -> tuple[npt.NDArray[np.intp], int]:
        """The operating point of each clip, normal ones first: one for each distinct score, the highest first."""
        distinct, place = np.unique(-np.concatenate([self._normal, self._anomalous]), return_inverse=True)
        return place, len(distinct)


def _finite(scores: Scores, what: str) -> npt.NDArray[np.float64]:
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"a ROC curve needs at least one {what} score in one dimension, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{what} scores hold {np.count_nonzero(~np.isfinite(array))} values that are not finite")
    return array


def _drawn_at(place: npt.NDArray[np.intp], n_places: int, counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(r, n_places) how many clips each resample holds at each distinct score."""
    drawn = np.zeros((len(counts), n_places))
    order = np.argsort(place, kind="stable")
    occupied, start = np.unique(place[order], return_index=True)
    if len(occupied) == len(place):  # no two of them tie
        drawn[:, place] = counts
    else:
        drawn[:, occupied] = np.add.reduceat(counts[:, order], start, axis=1, dtype=np.float64)
    return drawn
