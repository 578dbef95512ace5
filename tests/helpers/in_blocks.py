"""An embedder that costs nothing, and embeds each block of a pack by itself: machine types may be cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from asdcli.embedders import Embedding
from asdcli.features.pack import VectorPack


@dataclass(frozen=True)
class InBlocks:
    """The first statistics of each clip."""

    features: ClassVar[str] = "logmel"
    trained: ClassVar[bool] = False
    in_blocks: ClassVar[bool] = True

    def embed(self, pack: VectorPack, is_train: np.ndarray) -> Embedding:
        return Embedding.one_per_clip(pack.vectors[:, :4])
