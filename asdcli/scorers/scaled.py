"""Distances held against a local scale: what methods share that divide by b(y), or take it away, and whatever b is."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from asdcli.scorers.local_scale import ROUNDED, LocalScale, adjusted, weighing
from asdcli.scorers.nearest import nearest_distance
from asdcli.scorers.terms import Terms
from asdcli.scorers.vectors import Vectors

Form = Literal["ratio", "difference"]
"""D(x, y) / b(y), or D(x, y) - b(y)."""


def settled(scale: LocalScale, form: Form) -> tuple[LocalScale, dict[str, Any]]:
    """The scale as it can be divided by, and what was found on the way: figures, and the `rules` that fired."""
    found: dict[str, Any] = {"n_reference": len(scale.reference), "k": scale.k_used, "n_floored": 0}
    if scale.alone:
        return scale, found | {"rules": ["single-reference"]}
    rules = ["k-reduced"] if found["k"] < scale.k else []
    if form == "ratio":
        floor = scale_floor(scale.full)
        found["n_floored"] = int((scale.full < floor).sum())
        rules += ["scale-floored"] * bool(found["n_floored"])
        scale = scale.limited(floor, np.inf)
    return scale, found | scale.mean_k | {"rules": rules}


def score(scale: LocalScale, windows: Vectors, form: Form, *, rooted: bool = False) -> np.ndarray:
    """min over y of D(x, y) / b(y) or of D(x, y) - b(y), a window each (n_windows,); D alone of a single clip.

    `rooted` says that the scale's transform takes the root of distances, else it leaves them as they are.
    """
    if scale.alone:
        return scale.transform(nearest_distance(scale.reference, windows))
    if form == "ratio":
        return adjusted(scale, windows, np.divide, weighing(scale.full**-2 if rooted else 1 / scale.full))
    return adjusted(scale, windows, np.subtract, None if rooted else weighing(1.0, -scale.full, ROUNDED * scale.full))


def terms(scale: LocalScale, windows: Vectors, form: Form, *, measure: str = "D") -> Terms | None:
    """What `score` is the minimum of; None where there is a single clip and no b."""
    if scale.alone:
        return None
    if form == "ratio":
        return Terms.of(scale, windows, np.divide, measure=measure)
    return Terms.of(scale, windows, np.subtract, alpha=1.0, measure=measure)


def scale_floor(b: np.ndarray) -> float:
    """The least b(y) to divide by: 1e-3 of the median of those above zero, 1e-12 where all are zero."""
    positive = b[b > 0]
    return 1e-3 * float(np.median(positive)) if len(positive) else 1e-12
