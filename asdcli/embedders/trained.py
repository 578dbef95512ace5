"""Embeddings of trained networks: of the beginning of each clip, or of every window of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from asdcli.embedders import Embedding
from asdcli.errors import BadData, unknown_name
from asdcli.features.pack import WaveformPack
from asdcli.vocabulary import FP32

if TYPE_CHECKING:  # who only asks what it reads does not wait for torch
    import torch

    from asdcli.embedders.pieces import Pieces


class Trained:
    """Embeddings by the networks of the run's model, which are rebuilt from its card.

    Computes in float32 whatever they were trained in, unless `asd embed --precision` asks for bfloat16.

    Args:
        networks: in evaluation mode on `device`: machine type -> its network (`models.networks.Network`); None ->
            that of all of them.
        device: where they are.
        batch_size: pieces of clips at once.
        hop_s: seconds between windows as long as the network takes; None means only the beginning of each clip.
        machine_type: whose clips are embedded.
        precision: number format of layers, fp32 or bf16; spectra and embeddings are float32 in both.
    """

    features: ClassVar[str] = "waveform"
    trained: ClassVar[bool] = True
    in_blocks: ClassVar[bool] = True

    def __init__(
        self,
        networks: Mapping[str | None, Any],
        device: torch.device,
        batch_size: int = 64,
        hop_s: float | None = None,
        machine_type: str | None = None,
        precision: str = FP32,
    ) -> None:
        self.networks, self.device, self.batch_size = networks, device, batch_size
        self.hop_s, self.machine_type, self.precision = hop_s, machine_type, precision

    @classmethod
    def load(
        cls, card: Mapping[str, Any], weights: Mapping[str, torch.Tensor], device: torch.device, batch_size: int
    ) -> Trained:
        """The embedder of a model that `asd train` wrote: its card and its weights by name. Errors as `rebuilt`."""
        from asdcli.embedders.rebuilt import rebuilt

        networks, hop_s = rebuilt(card, weights)
        return cls({of: network.to(device).eval() for of, network in networks.items()}, device, batch_size, hop_s)

    def of_machine_type(self, name: str) -> Trained:
        """The embedder of one machine type's clips. Raises UsageError for a machine type that was not trained."""
        if None not in self.networks and name not in self.networks:
            raise unknown_name("machine type of the model", name, [str(known) for known in self.networks])
        return Trained(self.networks, self.device, self.batch_size, self.hop_s, name, self.precision)

    def in_precision(self, precision: str) -> Trained:
        """The same in another number format, fp32 or bf16."""
        return Trained(self.networks, self.device, self.batch_size, self.hop_s, self.machine_type, precision)

    def embed(self, pack: WaveformPack, is_train: np.ndarray) -> Embedding:
        """One (D,) vector a window, not normalised; clips shorter than the network takes are repeated.

        Raises:
            BadData: the pack's sample rate is not the one that the network was trained at.
        """
        import torch

        from asdcli.features.fronts import FRONTS

        network = self.networks[None if None in self.networks else self.machine_type]
        if pack.sample_rate != network.sample_rate:
            raise BadData(
                f"the clips are at {pack.sample_rate} Hz, the model was trained at {network.sample_rate} Hz",
                "extract the features as for the training",
            )
        pieces = self._pieces(pack, network)
        front = FRONTS[getattr(network, "takes", "waveforms")](pack, self.device)
        batches = []
        with torch.inference_mode():
            for waves, clips in pieces.batches(self.batch_size, self.device):
                given = front(waves, clips)
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision != FP32):
                    embedded = network(given)
                batches.append(embedded.float())
        vectors = torch.cat(batches).cpu().numpy() if batches else np.empty((0, network.n_dims), np.float32)
        return Embedding(vectors, pieces.clip)

    def _pieces(self, pack: WaveformPack, network: Any) -> Pieces:
        from asdcli.embedders.pieces import Pieces

        if self.hop_s is None:
            return Pieces.beginnings(pack, network.n_samples)
        return Pieces.every(pack, network.n_samples, round(self.hop_s * network.sample_rate))
