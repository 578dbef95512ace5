"""Running sums of an autoencoder's training residuals: what a covariance needs."""

from __future__ import annotations

import numpy as np

from asdcli.vocabulary import Domain


class Residuals:
    """Running sums of the training residuals of one machine type, by domain: what a covariance needs.

    The organisers' code takes the mean off each mini-batch of a shuffled pass. Which vectors share a batch is therefore
    drawn here, and the sums of every batch are kept; the products do not depend on it.

    Args:
        n_mels: of a frame.
        n_vectors: how many will be added.
        seed: of the batches.
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


BATCH_SIZE = 256
"""Vectors that the organisers' code takes the mean of."""
