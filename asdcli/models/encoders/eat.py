"""EAT: a transformer of patches, trained on what a teacher says of whole clips; its network is written here.

Modules are called as in the authors' checkpoints, so that their weights fit by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from asdcli.errors import BadArtifact
from asdcli.models.encoders import Config, require_all, require_side_by_side
from asdcli.models.encoders.blocks import TokenBlock, TokenEncoder

_USUAL = {
    "depth": 12,
    "num_heads": 12,
    "patch_size": 16,
    "stride": 16,
    "in_chans": 1,
    "mlp_ratio": 4.0,
    "qkv_bias": True,
    "norm_eps": 1e-6,
    "norm_affine": True,
    "layer_norm_first": False,
    "mel_bins": 128,
    "max_length": 768,
}


class EatNetwork(nn.Module):
    """Patches with their positions and one token of no place, a norm, and blocks."""

    def __init__(self, settings: Config) -> None:
        super().__init__()
        n_dims, patch, stride = settings["embed_dim"], settings["patch_size"], settings["stride"]
        self.local_encoder = nn.ModuleDict({"proj": nn.Conv2d(settings["in_chans"], n_dims, patch, stride)})
        self.n_bands = settings["mel_bins"] // patch
        self.extra_tokens = nn.Parameter(torch.zeros(1, 1, n_dims))
        positions = nn.Parameter(torch.zeros(1, settings["max_length"] * self.n_bands, n_dims), requires_grad=False)
        self.fixed_positional_encoder = nn.ParameterDict({"positions": positions})
        norm = partial(nn.LayerNorm, eps=settings["norm_eps"], elementwise_affine=bool(settings["norm_affine"]))
        self.pre_norm = norm(n_dims)
        how: dict[str, Any] = {"ratio": settings["mlp_ratio"], "bias": bool(settings["qkv_bias"]), "norm": norm}
        how["norm_first"] = bool(settings["layer_norm_first"])
        self.blocks = nn.ModuleList(
            [TokenBlock(n_dims, settings["num_heads"], **how) for _ in range(settings["depth"])]
        )

    def forward(self, sound: torch.Tensor, layer: int | None) -> torch.Tensor:
        """(batch, n_frames, mel_bins) -> (batch, n_times, n_bands, n_dims) after so many blocks, or all."""
        x = self.local_encoder["proj"](sound[:, None]).flatten(2).transpose(1, 2)
        x = x + self.fixed_positional_encoder["positions"][:, : x.shape[1]]
        x = self.pre_norm(torch.cat([self.extra_tokens.expand(len(x), -1, -1), x], dim=1))
        for block in self.blocks[:layer]:
            x = block(x)
        return x[:, 1:].unflatten(1, (-1, self.n_bands))


@dataclass(frozen=True)
class EatArchitecture:
    """EAT of any size: an `Architecture`. What it gives at its end is what its last block gives: there is no last norm.

    Source: Chen et al. 2024, IJCAI, arXiv 2401.03497; names of weights and settings as on the hub.
    """

    @property
    def has_bands(self) -> bool:
        return True

    def settings(self, config: Config) -> Config:
        if config.get("model_type") != "eat" or "embed_dim" not in config:
            called = config.get("model_type") or "no model"
            raise BadArtifact(f"the checkpoint's config.json is of {called}, not of eat", "name a checkpoint of eat")
        settings = {**_USUAL, **config}
        require_side_by_side("eat", settings["patch_size"], settings["stride"])
        return settings

    def n_layers(self, settings: Config) -> int:
        return int(settings["depth"])

    def n_bands(self, settings: Config, layer: int | None) -> int | None:  # noqa: ARG002 - of all layers alike
        return int(settings["mel_bins"] // settings["patch_size"])

    def load(self, settings: Config, weights: Mapping[str, torch.Tensor]) -> TokenEncoder:
        network = EatNetwork(settings)
        try:
            found = network.load_state_dict({k.removeprefix("model."): w for k, w in weights.items()}, strict=False)
        except RuntimeError:
            raise BadArtifact(
                "the checkpoint does not fit its config.json: its weights are of another size than eat's",
                "name a checkpoint whose config.json belongs to it",
            ) from None
        require_all("eat", found.missing_keys, found.unexpected_keys)
        return TokenEncoder(network.float().eval())


EAT = EatArchitecture()
