"""What a score is the minimum of: the distance to each reference, its local scale, and what comes of the two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asdcli.scorers import Fitted
from asdcli.scorers.local_scale import LocalScale
from asdcli.scorers.vectors import Vectors

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Terms:
    """Of windows of one clip, (n_windows, n_ref) each.

    Attributes:
        clip: (n_ref,) the number of the clip that each reference is a window of.
        distance: D(x, y), or what the method takes of it; infinite where they are of one clip.
        b: the local scale of y, without the clip itself where it is a training clip.
        adjusted: what the score is the minimum of.
        alpha: the weight of b; None of a method that divides by it.
        measure: what of a distance the method takes: `D`, `sqrt D` or `ln D`.
    """

    clip: npt.NDArray[np.int64]
    distance: Array
    b: Array
    adjusted: Array
    alpha: float | None = None
    measure: str = "D"

    @property
    def taken_off(self) -> Array | None:
        """D(x, y) less what the score is the minimum of, alpha b(y); None where that is no difference."""
        return None if self.alpha is None else self.alpha * self.b

    @staticmethod
    def of(
        scale: LocalScale,
        windows: Vectors,
        adjust: Callable[[Array, Array], Array],
        *,
        strict: bool = True,
        alpha: float | None = None,
        measure: str = "D",
    ) -> Terms:
        """As `local_scale.adjusted`, but all of them and not the least alone."""
        distance = np.concatenate(scale.reference.map(windows, lambda _, d: d.copy()))
        b = np.tile(scale.full, (len(windows), 1))
        if strict and np.isin(windows.clip, scale.reference.owners).any():
            i, y = scale.changed().of(windows.clip)
            b[i, y] = scale.without(windows.clip[i], y)
        transformed = scale.transform(distance)
        return Terms(scale.reference.rows.clip, transformed, b, adjust(transformed, b), alpha, measure)

    @staticmethod
    def joined(parts: Sequence[Terms | None]) -> Terms | None:
        """Those of several sets of references, one measure and weight, as of one set; None where one of them is."""
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        whole = {name: np.concatenate([getattr(one, name) for one in known], axis=-1) for name in _ARRAYS}
        return Terms(**whole, alpha=known[0].alpha, measure=known[0].measure)


_ARRAYS = ("clip", "distance", "b", "adjusted")


def terms(fitted: Fitted, windows: Vectors) -> Terms | None:
    """What `terms` of the method gives for what `score` takes; None of methods without, and of a single clip."""
    own: Any = getattr(fitted.scorer, "terms", None)
    found: Terms | None = own(fitted.learnt, windows) if own else None
    return found
