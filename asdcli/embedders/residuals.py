"""Residuals of trained autoencoders: what the network of a clip's machine type misses, vector by vector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from asdcli.errors import BadArtifact, BadData, UsageError, unknown_name
from asdcli.features.frames import N_STACKED, Frontend, frontend, stacked
from asdcli.features.pack import WaveformPack
from asdcli.models.networks.autoencoder import AutoencoderNetwork

_CLIPS_AT_ONCE = 16
_LEAST = 1e-12


@dataclass(frozen=True)
class Reconstruction:
    """Autoencoders in evaluation mode on their device, one a machine type.

    Attributes:
        networks: by machine type.
        front: how a clip becomes frames and windows.
        held_out: training clips (clip_id) that they were not trained on.
    """

    networks: Mapping[str, AutoencoderNetwork]
    front: Frontend
    device: torch.device
    held_out: frozenset[str] = frozenset()

    @classmethod
    def load(cls, card: Mapping[str, Any], weights: Mapping[str, torch.Tensor], device: torch.device) -> Reconstruction:
        """The autoencoders of a model that `asd train --model autoencoder` wrote: its card and its weights by name.

        Raises:
            BadArtifact: the card is not that of autoencoders, or the weights do not fit it.
        """
        networks = {}
        try:
            for number, machine_type in enumerate(card["machine_types"]):
                network = AutoencoderNetwork(N_STACKED * card["n_mels"])
                prefix = f"{number}."
                network.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
                networks[machine_type] = network.to(device).eval()
            front = frontend(card["profile"], card["sample_rate"])
            return cls(networks, front, device, frozenset(card.get("held_out", ())))
        except (KeyError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise BadArtifact(
                f"the model is not that of autoencoders: {reason}", "train one: asd train --model autoencoder --force"
            ) from None

    def check(self, machine_type: str, pack: WaveformPack) -> None:
        """What a pack must be.

        Raises:
            UsageError: a machine type without an autoencoder, or clips of two channels.
            BadData: clips at another sample rate than in the training, or an empty one.
        """
        if machine_type not in self.networks:
            raise unknown_name("machine type of the autoencoder", machine_type, self.networks)
        if pack.sample_rate != self.front.mel.sample_rate:
            raise BadData(
                f"{machine_type}: the clips are at {pack.sample_rate} Hz, the autoencoder was trained at "
                f"{self.front.mel.sample_rate} Hz",
                "extract the features as for the training",
            )
        if len(np.unique(pack.clip_ids)) < len(pack):
            raise UsageError(
                f"{machine_type}: an autoencoder scores one channel of each clip, and these features hold two",
                "extract one of them: asd extract-features --channel 0",
            )

    def residuals(self, machine_type: str, pack: WaveformPack, wanted: Sequence[int]) -> Iterator[np.ndarray]:
        """(n_vectors, 5, n_mels) of each wanted clip of the pack, vector by vector."""
        network = self.networks[machine_type]
        for start in range(0, len(wanted), _CLIPS_AT_ONCE):
            with torch.inference_mode():
                vectors = [stacked(self.front.frames(pack.clip(i))) for i in wanted[start : start + _CLIPS_AT_ONCE]]
                x: torch.Tensor = torch.cat(vectors).to(self.device)
                residual = (x - network(x)).cpu()
            for one in residual.split([len(v) for v in vectors]):
                yield one.unflatten(-1, (N_STACKED, -1)).numpy()

    def missed(self, machine_type: str, pack: WaveformPack) -> Iterator[np.ndarray]:
        """(n_frames, n_mels) of each clip of the pack, what is missed of each frame: in dB, 0 dB being a miss of 1 dB.

        A frame is missed by the root of the mean square over the vectors that it is part of.
        """
        for residual in self.residuals(machine_type, pack, range(len(pack))):
            n_frames = len(residual) + N_STACKED - 1
            total, count = np.zeros((n_frames, residual.shape[-1])), np.zeros((n_frames, 1))
            for place in range(N_STACKED):
                total[place : place + len(residual)] += residual[:, place].astype(np.float64) ** 2
                count[place : place + len(residual)] += 1
            yield 10.0 * np.log10(np.maximum(total / count, _LEAST))

    def windows(self, machine_type: str, pack: WaveformPack, wanted: Sequence[int]) -> Iterator[list[np.ndarray]]:
        """The residuals of each wanted clip of the pack, cut into its windows."""
        for i, residual in zip(wanted, self.residuals(machine_type, pack, wanted), strict=True):
            frames = self.front.window_frames
            width = len(residual) if frames is None else frames - residual.shape[1] + 1
            yield [residual[s : s + width] for s in self.front.window_starts(int(pack.lengths[i]))]
