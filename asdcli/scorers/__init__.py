"""Score back-ends: a unit's training and test embeddings become anomaly scores; larger is more anomalous.

A unit is what shares one reference set (a machine type, or one of its sections). A scorer is a frozen dataclass whose
fields are its parameters; `fit` looks at a unit and gives back something that scores windows of clips.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from asdcli.spec import Registry

if TYPE_CHECKING:
    import numpy as np

    from asdcli.scorers.reference import Vectors
    from asdcli.scorers.unit import UnitVectors

SCORERS = Registry(
    "method",
    {
        "nn": "asdcli.scorers.nearest:Nearest",
        "kmeans": "asdcli.scorers.kmeans:KMeans",
        "smote": "asdcli.scorers.smote:Smote",
        "rescale": "asdcli.scorers.rescale:Rescale",
        "varmin": "asdcli.scorers.varmin:VarMin",
        "gmm": "asdcli.scorers.gmm:Mixture",
        "mahalanobis": "asdcli.scorers.mahalanobis:Mahalanobis",
    },
    group="asdcli.scorers",
    needs=("fit",),
)

OF_SECTIONS = ("gmm", "mahalanobis")
"""Methods whose unit is a section where nothing else is asked for, as SerialOE has it; of the others a machine type."""

DEFAULT = "varmin:k=16,val=train-all"

PAPER = (
    "nn",
    "kmeans",
    "smote",
    *(
        method
        for k in (8, 16)
        for method in (
            f"rescale:k={k}",
            *(f"varmin:k={k},val={val}" for val in ("train-all", "train-random", "train-cluster", "test-all")),
        )
    ),
)
"""The thirteen rows of the variance-minimisation paper's Tables 1 and 2: what `--method all` runs."""


@dataclass(frozen=True)
class Fitted:
    """A scorer that has seen its unit.

    `score` takes windows and gives `(n_windows,)` float64, larger is more anomalous. A window of a training clip is
    scored without that clip (leave-one-out); it is infinite where nothing else is left to compare it with.
    `diagnostics` holds what was found: `rules` names the fallbacks taken (see `RULES`), beside the method's figures.
    """

    score: Callable[[Vectors], np.ndarray]
    diagnostics: dict[str, Any] = field(default_factory=dict)


class Scorer(Protocol):
    """A method of anomaly scoring."""

    def fit(self, unit: UnitVectors) -> Fitted:
        """Look at the unit's training windows (and at its unlabelled test windows only where the method says so)."""
        ...


RULES = {
    "k-reduced": "k is larger than the number of other reference clips: all of them are used",
    "single-reference": "one reference clip has no neighbours: scored as nn",
    "scale-floored": "some local scales are zero (duplicate clips): raised to a small floor",
    "few-validation": "fewer than 3 validation clips: alpha = 0, scored as nn",
    "flat-scale": "the local scale does not vary over the validation clips: alpha = 0, scored as nn",
    "alpha-clipped": "alpha was outside alpha_range",
    "no-target": "no target training clips",
    "no-source": "no source training clips",
    "val-train-all": "the validation set needs clips of both domains: train-all is used instead",
    "clusters-reduced": "more clusters than source clips: as many as there are",
    "centroid-dropped": "a centroid at the origin has no direction: dropped",
    "single-target": "one target clip: nothing to interpolate, SMOTE left out",
    "ratio-met": "there are enough target clips for the ratio: SMOTE left out",
    "smote-k-reduced": "SMOTE's k is larger than the number of other target clips: all of them are used",
    "unknown-domain": "some training clips have no domain: taken as source",
    "components-reduced": "more clusters than training windows: as many as there are",
    "covariance-singular": "a covariance is singular (fewer windows than dimensions, or duplicates): it is widened",
    "zero-norm": "a zero vector has no direction: its distance to everything is 0.5",
}
"""Every fallback that a scorer may take, in words."""
