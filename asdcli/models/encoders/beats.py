"""BEATs: an encoder of patches that was trained to guess its own tokens, by the package openbeats."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from asdcli.errors import AsdError, BadArtifact
from asdcli.models.encoders import Config, require_all
from asdcli.models.encoders.library import INSTALL

_BANDS_HEARD = 128
_USUAL = {"encoder_layers": 12, "input_patch_size": 16, "fbank_mean": 15.41663, "fbank_std": 6.55582}
_TELLS = ("encoder_layers", "encoder_embed_dim", "input_patch_size")
# of no influence on what is computed here: the one is of gradients, the other a kernel for the same attention
_WITHOUT = {"layer_wise_gradient_decay_ratio": 1.0, "use_flash_attn": False}


@dataclass(frozen=True)
class BeatsArchitecture:
    """BEATs of any size: an `Architecture`. Its checkpoints bring their configuration with them, as `cfg`.

    Source: Chen et al. 2023, ICML, arXiv 2212.09058; the package openbeats follows the authors' code.
    """

    @property
    def has_bands(self) -> bool:
        return True

    def settings(self, config: Config) -> Config:
        if called := config.get("model_type"):
            raise BadArtifact(
                f"the checkpoint's config.json is of {called}, not of beats", "name a checkpoint of BEATs"
            )
        if lacking := [name for name in _TELLS if name not in config]:
            raise BadArtifact(
                f"the checkpoint does not say how BEATs is built: it has no {lacking[0]}",
                "name the file that its authors give out (.pt), or put its cfg beside it as config.json",
            )
        return {**_USUAL, **config, **_WITHOUT}

    def n_layers(self, settings: Config) -> int:
        return int(settings["encoder_layers"])

    def n_bands(self, settings: Config, layer: int | None) -> int | None:  # noqa: ARG002 - of all layers alike
        return int(_BANDS_HEARD // settings["input_patch_size"])

    def load(self, settings: Config, weights: Mapping[str, torch.Tensor]) -> BeatsEncoder:
        encoder, own = _module("beats_encoder").BeatsEncoder, _module("utils").encoder_state_dict(dict(weights))
        heard = {"fbank_mean": settings["fbank_mean"], "fbank_std": settings["fbank_std"]}
        try:
            with warnings.catch_warnings():  # of torch, about how the package normalises weights
                warnings.simplefilter("ignore")
                model = encoder(input_size=0, beats_config=dict(settings), **heard)
            found = model.load_state_dict(own, strict=False)
        except (RuntimeError, ValueError, TypeError, AssertionError):
            raise BadArtifact(
                "the checkpoint does not fit its configuration: its weights are of another size than that of beats",
                "name a checkpoint whose configuration belongs to it",
            ) from None
        require_all("beats", [name for name in found.missing_keys if "_pad." not in name], found.unexpected_keys)
        return BeatsEncoder(model.eval(), self.n_bands(settings, None) or 1)


class BeatsEncoder:
    """The package's encoder: an `Encoder`. It takes `(batch, n_frames, 128)` filter bank energies as they are."""

    def __init__(self, model: Any, n_bands: int) -> None:
        self.model, self._n_bands = model, n_bands

    @property
    def module(self) -> torch.nn.Module:
        own: torch.nn.Module = self.model
        return own

    @property
    def blocks(self) -> Sequence[torch.nn.Module]:
        return list(self.model.encoder.layers)

    def to(self, device: torch.device) -> BeatsEncoder:
        self.model.to(device)
        return self

    def tokens(self, sound: torch.Tensor, layer: int | None) -> torch.Tensor:
        kept: list[torch.Tensor] = []

        def keep(_module: Any, _given: Any, output: Any) -> None:
            kept.append(output[0].transpose(0, 1))  # (n_tokens, batch, n_dims)

        handle = self.blocks[(layer or 1) - 1].register_forward_hook(keep)
        try:
            with warnings.catch_warnings():  # of torch, about the name under which the package calls autocast
                warnings.simplefilter("ignore")
                last, *_ = self.model.extract_features(sound, skip_fbank_extraction=True)
        finally:
            handle.remove()
        states = last if layer is None else kept[0]
        return states.unflatten(1, (-1, self._n_bands))  # all bands of the first time, of the next, …


BEATS = BeatsArchitecture()


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"openbeats.{name}")
    except ImportError as error:
        what = (error.name or "openbeats").partition(".")[0]
        lacking = "is not installed" if what == "openbeats" else f"lacks {what}"
        raise AsdError(f"beats is an encoder of the package openbeats, which {lacking}", INSTALL) from None
