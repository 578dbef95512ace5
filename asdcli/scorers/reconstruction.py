"""Scores from an autoencoder's residuals: mean squared error, and the baselines' selective Mahalanobis distance.

A residual is what the autoencoder missed: (n_vectors, n_frames_a_vector, n_mels). Each frame of a vector counts as one
row of n_mels values. These methods look at residuals, not at embeddings: an autoencoder is a model and a method in one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from asdcli.scorers.gaussian import inverse_half
from asdcli.scorers.residuals import Residuals
from asdcli.spec import Registry, always_spelled
from asdcli.vocabulary import Domain

RECONSTRUCTION = Registry(
    "method",
    {
        "mse": "asdcli.scorers.reconstruction:MeanSquaredError",
        "selective-mahalanobis": "asdcli.scorers.reconstruction:SelectiveMahalanobis",
    },
)


class ResidualScore(Protocol):
    """Gives a window of residuals its anomaly score."""

    def __call__(self, residual: np.ndarray) -> float: ...


class ReconstructionScorer(Protocol):
    """A method on residuals. `needs_training` ones read the training residuals first."""

    @property
    def needs_training(self) -> bool: ...

    def fit(self, training: Residuals) -> tuple[ResidualScore, dict[str, Any]]:
        """The score of a window, and diagnostics with the `rules` that fired."""
        ...


@dataclass(frozen=True)
class MeanSquaredError:
    """Eq. 2 of Fujimura et al. 2024: the squared error averaged over a window's vectors and dimensions."""

    @property
    def needs_training(self) -> bool:
        return False

    def fit(self, training: Residuals) -> tuple[ResidualScore, dict[str, Any]]:
        return (lambda residual: float(np.mean(np.square(residual, dtype=np.float64)))), {"rules": []}


@dataclass(frozen=True)
class SelectiveMahalanobis:
    """The smaller of the Mahalanobis distances under the source and the target covariance of the training residuals.

    Attributes:
        mode: `clip-mean`, m^T P m with m the window's mean residual and P of mini-batches: what the organisers' code
            computes and their published numbers mean. `per-frame`, the mean of r^T P r over all frames, with P of all
            residuals of a domain: what their text says.
    """

    mode: Literal["clip-mean", "per-frame"] = always_spelled("clip-mean")

    @property
    def needs_training(self) -> bool:
        return True

    def fit(self, training: Residuals) -> tuple[ResidualScore, dict[str, Any]]:
        rules: list[str] = []
        halves = []
        for domain, missing in ((Domain.SOURCE, "no-source"), (Domain.TARGET, "no-target")):
            of = training.batch_covariance if self.mode == "clip-mean" else training.covariance
            covariance = of(domain)
            if covariance is None:
                rules.append(missing)
                continue
            half, widened = inverse_half(covariance)
            rules += ["covariance-singular"] * widened
            halves.append(half)

        def score(residual: np.ndarray) -> float:
            rows = residual.reshape(-1, residual.shape[-1]).astype(np.float64)
            rows = rows.mean(axis=0, keepdims=True) if self.mode == "clip-mean" else rows
            return min(float(((rows @ half) ** 2).sum(axis=1).mean()) for half in halves)

        return score, {"rules": rules}
