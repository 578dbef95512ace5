"""Embeddings of SerialOE: 128 dimensions for every 4-second window, by the network of the clip's own machine type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from asdcli.embedders import Embedding
from asdcli.errors import BadData, unknown_name
from asdcli.features.bank import WaveformBank
from asdcli.features.pack import WaveformPack
from asdcli.features.standardised_mels import mel_spec, mels, moments, standardised
from asdcli.features.windows import HOP_S, WINDOW_S, starts
from asdcli.models.networks.serial_oe import SerialOENetwork


@dataclass(frozen=True)
class SerialOEEmbedder:
    """Trained networks in evaluation mode, one a machine type; computes in float32 whatever they were trained in."""

    networks: Mapping[str, SerialOENetwork]
    sample_rate: int
    device: torch.device
    batch_size: int = 64
    machine_type: str = ""

    features: ClassVar[str] = "waveform"
    trained: ClassVar[bool] = True

    @classmethod
    def load(
        cls, card: Mapping[str, Any], weights: Mapping[str, torch.Tensor], device: torch.device, batch_size: int
    ) -> SerialOEEmbedder:
        """The embedder of a model that `asd train --model serial-oe` wrote: its card and its weights by name."""
        networks = {}
        for number, machine_type in enumerate(card["machine_types"]):
            network = SerialOENetwork(len(card["products"][machine_type]), card["backbone"], card["machine_head"])
            prefix = f"{number}."
            network.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
            networks[machine_type] = network.to(device).eval()
        return cls(networks, card["sample_rate"], device, batch_size)

    def of_machine_type(self, name: str) -> SerialOEEmbedder:
        """The embedder of one machine type's clips. Raises UsageError for a machine type that was not trained."""
        if name not in self.networks:
            raise unknown_name("machine type of the model", name, self.networks)
        return SerialOEEmbedder(self.networks, self.sample_rate, self.device, self.batch_size, name)

    def embed(self, pack: WaveformPack, is_train: np.ndarray) -> Embedding:
        """One (128,) vector a window: seven for ten seconds. Shorter clips than a window are repeated.

        Raises:
            BadData: the pack's sample rate is not the one that the networks were trained at.
        """
        if pack.sample_rate != self.sample_rate:
            raise BadData(
                f"the clips are at {pack.sample_rate} Hz, the model was trained at {self.sample_rate} Hz",
                "extract the features as for the training",
            )
        network = self.networks[self.machine_type]
        window, hop = round(WINDOW_S * self.sample_rate), round(HOP_S * self.sample_rate)
        first = [starts(int(n), window, hop) for n in pack.lengths]
        clip = np.repeat(np.arange(len(pack)), [len(f) for f in first])
        # the bank takes a place as a share of all places; the middle of a sample survives the rounding
        lengths = pack.lengths[clip]
        places = lengths * -(-window // lengths) - window + 1
        at = torch.from_numpy((np.concatenate([np.empty(0), *first]) + 0.5) / places)
        bank, spec = WaveformBank.of(pack.samples, pack.offsets, self.device), mel_spec(self.sample_rate)
        spread, index = moments(pack).to(self.device), torch.from_numpy(clip)
        batches = []
        with torch.inference_mode():
            for some in torch.arange(len(clip)).split(self.batch_size):
                waves = standardised(bank.crop(index[some], window, at[some]), spread[index[some].to(self.device)])
                batches.append(network(mels(waves, spec)).cpu())
        vectors = torch.cat(batches).numpy() if batches else np.empty((0, SerialOENetwork.n_dims), np.float32)
        return Embedding(vectors, clip)
