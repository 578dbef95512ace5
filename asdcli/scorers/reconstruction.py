"""Scores from an autoencoder's residuals: mean squared error, and the baselines' selective Mahalanobis distance.

A residual is what the autoencoder missed: (n_vectors, n_frames_a_vector, n_mels). Each frame of a vector counts as one
row of n_mels values. These methods look at residuals, not at embeddings: an autoencoder is a model and a method in one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from asdcli.scorers import Fitted, Takes
from asdcli.scorers.gaussian import inverse_half
from asdcli.scorers.residuals import Residuals
from asdcli.spec import always_spelled
from asdcli.vocabulary import Domain


@dataclass(frozen=True)
class MeanSquaredError:
    """The squared error averaged over a window's vectors and dimensions.

    Source: Fujimura et al. 2024, Eq. 2.
    """

    takes: ClassVar[Takes] = "residuals"
    needs_training: ClassVar[bool] = False

    def fit(self, training: Residuals) -> Fitted:
        return Fitted(self)

    def score(self, learnt: Mapping[str, Any], windows: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([np.mean(np.square(residual, dtype=np.float64)) for residual in windows])


@dataclass(frozen=True)
class SelectiveMahalanobis:
    """The smaller of the Mahalanobis distances under the source and the target covariance of the training residuals.

    Source: the baseline of DCASE Task 2 since 2023 (Harada et al., EUSIPCO 2023), its code and its text. The residuals
    of a `dcase-baseline` autoencoder are those of the vectors that it was trained on.

    Attributes:
        mode: `clip-mean`, m^T P m with m the window's mean residual and P of mini-batches: what the organisers' code
            computes and their published numbers mean. `per-frame`, the mean of r^T P r over all frames, with P of all
            residuals of a domain: what their text says.
    """

    takes: ClassVar[Takes] = "residuals"

    mode: Literal["clip-mean", "per-frame"] = always_spelled("clip-mean")

    def fit(self, training: Residuals) -> Fitted:
        rules: list[str] = []
        halves = {}
        for domain, missing in ((Domain.SOURCE, "no-source"), (Domain.TARGET, "no-target")):
            of = training.batch_covariance if self.mode == "clip-mean" else training.covariance
            covariance = of(domain)
            if covariance is None:
                rules.append(missing)
                continue
            halves[str(domain)], widened = inverse_half(covariance)
            rules += ["covariance-singular"] * widened
        return Fitted(self, halves, {"rules": rules})

    def score(self, learnt: Mapping[str, Any], windows: Sequence[np.ndarray]) -> np.ndarray:
        def distance(residual: np.ndarray) -> float:
            rows = residual.reshape(-1, residual.shape[-1]).astype(np.float64)
            rows = rows.mean(axis=0, keepdims=True) if self.mode == "clip-mean" else rows
            return min(float(((rows @ half) ** 2).sum(axis=1).mean()) for half in learnt.values())

        return np.array([distance(residual) for residual in windows])
