"""`pyod`: any of seventeen detectors of the library PyOD, on the training embeddings (Zhao et al. 2019)."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.errors import BadData
from asdcli.scorers import Fitted
from asdcli.scorers.pyod_registry import PYOD
from asdcli.scorers.reference import Reference
from asdcli.scorers.threads import one_thread
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.spec import part


@dataclass(frozen=True)
class PyodDetector:
    """A(x) = decision_function(x) of a detector of PyOD that was fitted on the unit's training windows.

    Typed `pyod:IForest,n_estimators=200`, with the parameters of the detector; its seed is that of --seed. It needs
    pip install 'asdcli[pyod]'. The vectors keep their length.

    Training clips have the scores that the detector gives to what it was fitted on: KNN and LOF leave a window itself
    out, IForest and most others have seen it. What is kept of it on disk are the training windows and the seed: no
    pickle; it is fitted again where new clips are scored.

    Source: Y. Zhao, Z. Nasrullah, Z. Li: PyOD, JMLR 20, 2019, which names that of each detector.

    Attributes:
        detector: its class, one of ABOD, CBLOF, GMM, HBOS, HDBSCAN, IForest, INNE, KDE, KNN, KPCA, LODA, LOF, MCD,
            OCSVM, PCA, QMCD and Sampling.
    """

    detector: str = part(PYOD, "IForest", spelled=True)

    def fit(self, unit: UnitVectors) -> Fitted:
        learnt = {"reference": unit.reference, "seed": unit.seed_for("pyod")}
        try:
            _fitted(self.detector, unit.reference, learnt["seed"])
        except (ValueError, TypeError, ArithmeticError, LookupError, RuntimeError) as error:
            why = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise BadData(
                f"{unit.name}: {self.detector} of pyod cannot be fitted on {len(unit.train)} training windows: {why}",
                "take another detector or other parameters: asd methods pyod",
            ) from None
        return Fitted(self, learnt, {"n_reference": len(unit.reference), "rules": list(unit.rules)})

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        reference = learnt["reference"]
        scores = np.empty(len(windows))
        rows = reference.places(windows)
        own = rows >= 0
        detector = _fitted(self.detector, reference, int(learnt["seed"]))
        scores[own] = np.asarray(detector.decision_scores_, np.float64)[rows[own]]
        if not own.all():
            with one_thread(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scores[~own] = detector.decision_function(windows.take(~own).raw)
        return scores


@functools.lru_cache(maxsize=2)
def _fitted(spelling: str, reference: Reference, seed: int) -> Any:
    """Remembered for those who score what was fitted: the detector itself is nothing that can be kept as arrays."""
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PYOD.detector(spelling, seed).fit(reference.rows.raw)
