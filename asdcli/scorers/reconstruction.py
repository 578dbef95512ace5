"""Scores from an autoencoder's residuals: mean squared error, and the baselines' selective Mahalanobis distance.

A residual is what the autoencoder missed: (n_vectors, n_frames_a_vector, n_mels). Each frame of a vector counts as one
row of n_mels values. These methods look at residuals, not at embeddings: an autoencoder is a model and a method in one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from asdcli.spec import Registry, always_spelled
from asdcli.vocabulary import Domain

RECONSTRUCTION = Registry(
    "method",
    {
        "mse": "asdcli.scorers.reconstruction:MeanSquaredError",
        "selective-mahalanobis": "asdcli.scorers.reconstruction:SelectiveMahalanobis",
    },
)

BATCH_SIZE = 256
"""Vectors that the organisers' code takes the mean of."""

_WIDENING = 1e-6  # of the mean variance, added to a diagonal that has no inverse


class Residuals:
    """Running sums of the training residuals of one machine type, by domain: what a covariance needs.

    The organisers' code takes the mean off each mini-batch of a shuffled pass. Which vectors share a batch is therefore
    drawn here, and the sums of every batch are kept; the products do not depend on it.

    Args:
        n_mels: of a frame. n_vectors: how many will be added. seed: of the batches.
    """

    def __init__(self, n_mels: int, n_vectors: int, seed: int = 0) -> None:
        self._batch_of = np.random.default_rng(seed).permutation(n_vectors) // BATCH_SIZE
        self._added = 0
        n_batches = -(-n_vectors // BATCH_SIZE)
        self.n_rows = {d: np.zeros(n_batches) for d in Domain}
        self.n_vectors = dict.fromkeys(Domain, 0)
        self.totals = {d: np.zeros((n_batches, n_mels)) for d in Domain}
        self.products = {d: np.zeros((n_mels, n_mels)) for d in Domain}

    def add(self, residual: np.ndarray, domain: Domain) -> None:
        """One training clip; an unknown domain counts as source."""
        vectors = residual.astype(np.float64)
        rows = vectors.reshape(-1, residual.shape[-1])
        batch = self._batch_of[self._added : self._added + len(vectors)]
        self._added += len(vectors)
        self.n_vectors[domain] += len(vectors)
        self.n_rows[domain] += residual.shape[1] * np.bincount(batch, minlength=len(self.n_rows[domain]))
        np.add.at(self.totals[domain], batch, vectors.sum(axis=1))
        self.products[domain] += rows.T @ rows

    def covariance(self, domain: Domain) -> np.ndarray | None:
        """(n_mels, n_mels) about the domain's mean, dividing by n_rows - 1; None with fewer than two rows."""
        n, total = self.n_rows[domain].sum(), self.totals[domain].sum(axis=0)
        if n < 2:
            return None
        covariance: np.ndarray = (self.products[domain] - np.outer(total, total) / n) / (n - 1)
        return covariance

    def batch_covariance(self, domain: Domain) -> np.ndarray | None:
        """As the organisers' code: about the domain's mean in each mini-batch, dividing by n_vectors - 1.

        With one target clip in a hundred a batch holds two or three target vectors, whose own mean takes much of the
        target covariance away. None with fewer than two vectors.
        """
        if self.n_vectors[domain] < 2:
            return None
        means = self.totals[domain] / np.maximum(self.n_rows[domain], 1)[:, None]
        covariance: np.ndarray = (self.products[domain] - means.T @ self.totals[domain]) / (self.n_vectors[domain] - 1)
        return covariance


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
            half, widened = _inverse_half(covariance)
            rules += ["covariance-singular"] * widened
            halves.append(half)

        def score(residual: np.ndarray) -> float:
            rows = residual.reshape(-1, residual.shape[-1]).astype(np.float64)
            rows = rows.mean(axis=0, keepdims=True) if self.mode == "clip-mean" else rows
            return min(float(((rows @ half) ** 2).sum(axis=1).mean()) for half in halves)

        return score, {"rules": rules}


def _inverse_half(covariance: np.ndarray) -> tuple[np.ndarray, bool]:
    """H with H H^T = covariance^-1, and whether the diagonal had to be raised for that."""
    values, vectors = np.linalg.eigh(covariance)
    least = max(_WIDENING * float(values.mean()), np.finfo(np.float64).tiny ** 0.5)
    widened = bool(values[0] < 1e-3 * least)
    return vectors / np.sqrt(values + least if widened else values), widened
