"""`logmel`: pooled log-mel statistics; needs no training, and is a floor that a trained embedder should beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from asdcli.embedders import Embedding
from asdcli.errors import BadData
from asdcli.features.pack import VectorPack

# A spread below a hundredth of a decibel is rounding, not sound: it must not be blown up to one.
_SMALLEST_SPREAD = 0.01
# The constant coordinate, in units of the root of the dimension: at 10 a typical vector is tilted by some six degrees.
_HEIGHT = 10.0


@dataclass(frozen=True)
class LogMel:
    """Mean and standard deviation over time of the log-mel bands, standardised with a machine type's training clips.

    Without standardising, every clip's vector points along the mean spectrum and cosine distances are all alike. A last
    coordinate, the same large constant for every clip, keeps how far a clip lies from normal, which unit-norming would
    throw away: cosine distances then order clips as Euclidean distances between the statistics do.
    """

    features: ClassVar[str] = "logmel"
    trained: ClassVar[bool] = False
    standardises: ClassVar[bool] = True

    @staticmethod
    def bands(n_dims: int) -> np.ndarray:
        """(n_mels, 3) of each mel band its mean, its deviation, and the constant, which is in every band."""
        mels = np.arange(n_dims // 2)
        return np.column_stack([mels, n_dims // 2 + mels, np.full(len(mels), n_dims - 1)])

    def fitted(self, pack: VectorPack, is_train: np.ndarray) -> FittedLogMel:
        """The embedder of these training clips' means and standard deviations.

        Raises:
            BadData: no training clips to standardise with.
        """
        if not is_train.any():
            raise BadData(
                "no training clips: log-mel statistics cannot be standardised",
                "add recordings of its normal state, or leave it out: --machine-type names those to embed",
            )
        train = pack.vectors[is_train].astype(np.float64)
        return FittedLogMel(train.mean(axis=0), np.maximum(train.std(axis=0), _SMALLEST_SPREAD))

    def embed(self, pack: VectorPack, is_train: np.ndarray) -> Embedding:
        """(n_clips, n) statistics in dB -> (n_clips, n + 1): standardised with the training clips, and a constant.

        Raises:
            BadData: no training clips to standardise with.
        """
        return self.fitted(pack, is_train).embed(pack, is_train)


@dataclass(frozen=True, eq=False)
class FittedLogMel:
    """`LogMel` with the mean and spread (n,) of a machine type's training clips, in dB."""

    mean: np.ndarray
    spread: np.ndarray

    features: ClassVar[str] = "logmel"
    trained: ClassVar[bool] = False

    def embed(self, pack: VectorPack, is_train: np.ndarray) -> Embedding:
        """As `LogMel.embed`; `is_train` does not matter any more."""
        standard = (pack.vectors - self.mean) / self.spread
        height = _HEIGHT * np.sqrt(standard.shape[1])
        return Embedding.one_per_clip(np.column_stack([standard, np.full(len(standard), height)]))
