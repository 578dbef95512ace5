"""`gmm`: the negative log-likelihood under a Gaussian mixture of the training embeddings, SerialOE's inlier model h."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from asdcli.errors import BadData
from asdcli.scorers import Fitted
from asdcli.scorers.checks import at_least_one
from asdcli.scorers.gaussian import chosen
from asdcli.scorers.threads import one_thread
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.spec import always_spelled
from asdcli.vocabulary import Data, Unit

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

_WIDENINGS = (1e-6, 1e-4, 1e-2, 1.0)  # added to the diagonals of the covariances, relative to the mean variance


@dataclass(frozen=True)
class Mixture:
    """A(x) = -log p(x), p a mixture of `clusters` Gaussians with full covariances over the unit's training windows.

    The vectors keep their length. Training clips are scored by the mixture that has seen them. The paper fits one
    mixture a section (`--unit section`) and chooses `clusters` from 1, 2, 4, ..., 32 and `data` on the development
    sections (`asd tune`).

    Source: Fujimura et al. 2024, the inlier model h of SerialOE.

    Attributes:
        clusters: components of the mixture.
        data: training windows of the source domain, or all.
    """

    unit: ClassVar[Unit] = Unit.SECTION

    clusters: int = always_spelled(8)
    data: Data = always_spelled("all")

    def __post_init__(self) -> None:
        at_least_one(gmm_clusters=self.clusters)

    def fit(self, unit: UnitVectors) -> Fitted:
        x, rules = chosen(unit, self.data)
        clusters = min(self.clusters, len(x))
        if clusters < self.clusters:
            rules.append("components-reduced")
        mixture, widened = _fit(x, clusters, unit.seed_for("gmm"), unit.name)
        if widened:
            rules.append("covariance-singular")
        found = {"n_reference": len(x), "clusters": clusters, "converged": bool(mixture.converged_), "rules": rules}
        learnt = {"weights": mixture.weights_, "means": mixture.means_, "triangles": _packed(mixture)}
        return Fitted(self, learnt, found)

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        if not len(windows):
            return np.empty(0)
        with one_thread():
            return -_mixture(**learnt).score_samples(windows.raw)


def _fit(x: np.ndarray, clusters: int, seed: int, name: str) -> tuple[GaussianMixture, bool]:
    """The mixture, and whether its covariances had to be widened more than usual."""
    from sklearn.mixture import GaussianMixture

    scale = float(x.var(axis=0).mean()) or 1.0
    with one_thread():
        for widening in _WIDENINGS:
            mixture = GaussianMixture(clusters, covariance_type="full", reg_covar=widening * scale, random_state=seed)
            try:
                if len(x) > 1:
                    mixture.fit(x)
                else:  # scikit-learn refuses a single sample: it is the mean, and the widening the variance
                    mixture.fit(np.concatenate([x, x]))
            except (ValueError, np.linalg.LinAlgError):  # "ill-defined empirical covariance"
                continue
            return mixture, widening > _WIDENINGS[0] or len(x) <= x.shape[1]
    raise BadData(
        f"{name}: no Gaussian mixture fits the {len(x)} training windows", "check the embeddings for extremes"
    )


def _packed(mixture: GaussianMixture) -> np.ndarray:
    """The upper triangles (clusters, n_dims (n_dims + 1) / 2) of the Cholesky factors of the inverse covariances."""
    rows, columns = np.triu_indices(mixture.means_.shape[1])
    triangles: np.ndarray = mixture.precisions_cholesky_[:, rows, columns]
    return triangles


def _mixture(weights: np.ndarray, means: np.ndarray, triangles: np.ndarray) -> GaussianMixture:
    """A mixture that scores as the one whose parts these are."""
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(len(weights), covariance_type="full")
    mixture.weights_, mixture.means_ = weights, means
    mixture.precisions_cholesky_ = np.zeros((len(means), means.shape[1], means.shape[1]))
    rows, columns = np.triu_indices(means.shape[1])
    mixture.precisions_cholesky_[:, rows, columns] = triangles
    return mixture
