"""`pca`: what of a clip lies outside the principal components of the training clips (arXiv 2606.19269)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.errors import UsageError
from asdcli.scorers import Fitted
from asdcli.scorers.gaussian import chosen
from asdcli.scorers.threads import one_thread
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.spec import always_spelled
from asdcli.vocabulary import Data


@dataclass(frozen=True)
class PrincipalComponents:
    """A(x) = |x - mu - V V^T (x - mu)|^2, V the first principal components of the unit's training windows.

    They are as many as explain the share `keep` of the variance. The vectors keep their length. Training clips are
    scored by the components that have seen them.

    Source: arXiv 2606.19269, 2026, the residual of a PCA subspace; how much it keeps there is not known to us.

    Attributes:
        keep: share of the variance that the components explain, below 1.
        data: training windows of the source domain, or all.
    """

    keep: float = always_spelled(0.95)
    data: Data = "all"

    def __post_init__(self) -> None:
        if not 0 < self.keep < 1:
            raise UsageError(f"pca:keep must be above 0 and below 1, got {self.keep}", "write pca:keep=0.95")

    def fit(self, unit: UnitVectors) -> Fitted:
        from sklearn.decomposition import PCA

        x, rules = chosen(unit, self.data)
        mean = x.mean(axis=0)
        components = np.empty((0, x.shape[1]))
        if (x != x[0]).any():
            with one_thread():
                components = PCA(self.keep, svd_solver="full").fit(x).components_
        else:
            rules.append("no-spread")
        found = {"n_reference": len(x), "components": len(components), "rules": rules}
        return Fitted(self, {"mean": mean, "components": components}, found)

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        centred = windows.raw - learnt["mean"]
        with one_thread():
            inside = (centred @ learnt["components"].T) @ learnt["components"]
        residual: np.ndarray = ((centred - inside) ** 2).sum(axis=1)
        return residual
