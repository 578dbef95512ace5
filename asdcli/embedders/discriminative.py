"""Embeddings of the trained dual-branch network: the first `clip_length` seconds of each clip, one 256-d vector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from asdcli.embedders import Embedding
from asdcli.errors import BadData
from asdcli.features.bank import WaveformBank
from asdcli.features.pack import WaveformPack
from asdcli.models.networks.dual_branch import DualBranch


@dataclass(frozen=True)
class DiscriminativeEmbedder:
    """A trained network in evaluation mode on its device; computes in float32 whatever it was trained in."""

    network: DualBranch
    device: torch.device
    batch_size: int = 64

    features: ClassVar[str] = "waveform"
    trained: ClassVar[bool] = True

    @classmethod
    def load(
        cls, card: Mapping[str, Any], weights: Mapping[str, torch.Tensor], device: torch.device, batch_size: int
    ) -> DiscriminativeEmbedder:
        """The embedder of a model that `asd train` wrote: its card and its weights by name."""
        network = DualBranch(card["n_samples"], card["sample_rate"])
        prefix = "network."
        network.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
        return cls(network.to(device).eval(), device, batch_size)

    def embed(self, pack: WaveformPack, is_train: np.ndarray) -> Embedding:
        """One (256,) vector a clip, not normalised, from its beginning; shorter clips are repeated.

        Raises:
            BadData: the pack's sample rate is not the one that the network was trained at.
        """
        if pack.sample_rate != self.network.sample_rate:
            raise BadData(
                f"the clips are at {pack.sample_rate} Hz, the model was trained at {self.network.sample_rate} Hz",
                "extract the features as for the training",
            )
        bank = WaveformBank.of(pack.samples, pack.offsets, self.device)
        batches = []
        with torch.inference_mode():
            for clips in torch.arange(len(bank)).split(self.batch_size):
                batches.append(self.network(bank.crop(clips, self.network.n_samples)).cpu())
        vectors = torch.cat(batches).numpy() if batches else np.empty((0, DualBranch.n_dims), np.float32)
        return Embedding.one_per_clip(vectors)
