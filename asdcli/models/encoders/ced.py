"""CED and Dasheng: transformers of patches whose positions are the sum of one of time and one of frequency.

CED learnt from an ensemble of taggers, Dasheng to fill in what was hidden of clips; they are built alike. Modules are
called as in the authors' checkpoints, so that their weights fit by name.
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

_TELLS = ("embed_dim", "patch_size", "patch_stride", "target_length", "n_mels")
_USUAL = {"embed_dim": 768, "depth": 12, "num_heads": 12, "mlp_ratio": 4.0, "qkv_bias": True, "n_mels": 64}


class CedNetwork(nn.Module):
    """Mels standardised band by band, patches with their positions, blocks, and a norm."""

    def __init__(self, settings: Config) -> None:
        super().__init__()
        n_dims, (high, wide) = settings["embed_dim"], _pair(settings["patch_size"])
        down, along = _pair(settings["patch_stride"])
        self.n_bands, n_times = settings["n_mels"] // down, settings["target_length"] // along
        self.init_bn = nn.BatchNorm1d(settings["n_mels"])
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(1, n_dims, (high, wide), (down, along))})
        self.time_pos_embed = nn.Parameter(torch.zeros(1, n_dims, 1, n_times))
        self.freq_pos_embed = nn.Parameter(torch.zeros(1, n_dims, self.n_bands, 1))
        norm = partial(nn.LayerNorm, eps=1e-6)
        how: dict[str, Any] = {"ratio": settings["mlp_ratio"], "bias": bool(settings["qkv_bias"]), "norm": norm}
        self.blocks = nn.ModuleList(
            [TokenBlock(n_dims, settings["num_heads"], **how) for _ in range(settings["depth"])]
        )
        self.norm = norm(n_dims)

    def forward(self, mels: torch.Tensor, layer: int | None) -> torch.Tensor:
        """(batch, n_mels, n_frames) in dB -> (batch, n_times, n_bands, n_dims) after so many blocks, or at the end."""
        x = self.patch_embed["proj"](self.init_bn(mels)[:, None])
        x = x + self.time_pos_embed[..., : x.shape[-1]] + self.freq_pos_embed
        x = x.flatten(2).transpose(1, 2)
        for block in self.blocks[:layer]:
            x = block(x)
        x = self.norm(x) if layer is None else x
        return x.unflatten(1, (self.n_bands, -1)).transpose(1, 2)


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


@dataclass(frozen=True)
class CedArchitecture:
    """One of the two: an `Architecture`.

    Attributes:
        name: what it is called.
        usual: settings that a configuration may be silent about.
    """

    name: str
    usual: tuple[tuple[str, Any], ...]

    @property
    def has_bands(self) -> bool:
        return True

    def settings(self, config: Config) -> Config:
        called = config.get("model_type", self.name)
        if called != self.name:
            raise BadArtifact(
                f"the checkpoint's config.json is of {called}, not of {self.name}", f"name a checkpoint of {self.name}"
            )
        if not any(name in config for name in _TELLS):
            raise BadArtifact(
                f"the checkpoint does not say how {self.name} is built: it has no {', '.join(_TELLS)}",
                'put a config.json beside it, for instance {"embed_dim": 768, "depth": 12, "num_heads": 12}',
            )
        settings = {**_USUAL, **dict(self.usual), **config}
        require_side_by_side(self.name, _pair(settings["patch_size"]), _pair(settings["patch_stride"]))
        return settings

    def n_layers(self, settings: Config) -> int:
        return int(settings["depth"])

    def n_bands(self, settings: Config, layer: int | None) -> int | None:  # noqa: ARG002 - of all layers alike
        return int(settings["n_mels"] // _pair(settings["patch_stride"])[0])

    def load(self, settings: Config, weights: Mapping[str, torch.Tensor]) -> TokenEncoder:
        own = {_own_name(name): tensor for name, tensor in weights.items()}
        if "cls_token" in own:
            raise BadArtifact(
                f"the checkpoint of {self.name} has a token of its own", "name one that pools by the mean"
            )
        try:
            network = CedNetwork(settings)
            found = network.load_state_dict(own, strict=False)
        except (RuntimeError, TypeError, ValueError):
            raise BadArtifact(
                f"the checkpoint does not fit its settings: its weights are of another size than {self.name}'s",
                "put a config.json beside it with its embed_dim, depth and num_heads",
            ) from None
        require_all(self.name, found.missing_keys, found.unexpected_keys)
        return TokenEncoder(network.float().eval())


def _own_name(name: str) -> str:
    """As in the authors' first checkpoints, with theirs on hubs brought to it."""
    return name.removeprefix("encoder.").replace("init_bn.1.", "init_bn.")


CED = CedArchitecture("ced", (("patch_size", 16), ("patch_stride", 16), ("target_length", 1012)))
"""Source: Dinkel et al. 2024, ICASSP, arXiv 2308.11957, and the authors' code."""
DASHENG = CedArchitecture("dasheng", (("patch_size", (64, 4)), ("patch_stride", (64, 4)), ("target_length", 1008)))
"""Source: Dinkel et al. 2024, Interspeech, arXiv 2406.06992, and the authors' package."""
