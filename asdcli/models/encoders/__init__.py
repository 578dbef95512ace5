"""Encoders: networks that others have trained on sound of all kinds, taken as they are or trained on from there.

A newcomer is an object with the methods of `Architecture`, a line in the table of `models.encoders.architectures`, and
one in that of `features.ears`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from asdcli.errors import BadArtifact, UsageError

if TYPE_CHECKING:
    import torch

EncoderName = Literal["ast", "beats", "ced", "clap", "dasheng", "eat", "hubert", "wav2vec2", "wavlm", "whisper"]
"""Their families."""

Config = Mapping[str, Any]


class Encoder(Protocol):
    """A network with somebody's weights, in evaluation mode.

    Attributes:
        module: all of it as a torch module.
        blocks: those of its modules that stand one after the other, of which `layer` counts.
    """

    @property
    def module(self) -> torch.nn.Module: ...

    @property
    def blocks(self) -> Sequence[torch.nn.Module]: ...

    def to(self, device: torch.device) -> Encoder:
        """The same on a device."""
        ...

    def tokens(self, sound: torch.Tensor, layer: int | None) -> torch.Tensor:
        """A batch of windows, as the front of its family makes it -> `(batch, n_times, n_bands, n_dims)`.

        Args:
            sound: windows of the length that it takes.
            layer: after so many blocks, from 1 on; None: what it gives at the end, its last norm included.
        """
        ...


class Architecture(Protocol):
    """What makes an encoder of a configuration and weights; only `load` imports a library.

    Attributes:
        has_bands: whether its tokens are of bands of frequencies.
    """

    @property
    def has_bands(self) -> bool: ...

    def settings(self, config: Config) -> Config:
        """What `config.json` says, and the rest as it is where that is silent.

        Raises:
            BadArtifact: it is of another model.
        """
        ...

    def n_layers(self, settings: Config) -> int:
        """How many blocks stand one after the other."""
        ...

    def n_bands(self, settings: Config, layer: int | None) -> int | None:
        """How many bands of frequencies its tokens are of, lowest first; None where they are of none."""
        ...

    def load(self, settings: Config, weights: Mapping[str, torch.Tensor]) -> Encoder:
        """The encoder with these weights by name; further ones, such as a classifier's, are left aside.

        Raises:
            BadArtifact: they are not those of such an encoder. AsdError: a library is not installed.
        """
        ...


def require_side_by_side(name: str, size: object, stride: object) -> None:
    """Raises BadArtifact where patches of the encoder `name` overlap or leave gaps, which its positions do not know."""
    if size != stride:
        raise BadArtifact(
            f"the checkpoint's patches are {size} wide and {stride} apart: those of {name} lie side by side",
            f"name a checkpoint of {name} as its authors published it",
        )


def require_all(name: str, missing: Sequence[str], unexpected: Sequence[str]) -> None:
    """Raises BadArtifact where a checkpoint lacks weights of the encoder `name`."""
    if missing:
        there = f", and has {min(unexpected)} instead" if unexpected else ""
        raise BadArtifact(
            f"the checkpoint is not one of {name}: it lacks {len(missing)} weights, such as {min(missing)}{there}",
            f"name a checkpoint of {name}, with the config.json that belongs to it",
        )


def require_layer(name: str, n_layers: int, layer: int | None) -> None:
    """Raises UsageError where the encoder `name` has no such layer."""
    if layer is not None and not 1 <= layer <= n_layers:
        raise UsageError(
            f"layer={layer}: this {name} has the layers 1 to {n_layers}",
            f"the last block is layer={n_layers}; without layer= comes what it gives at its end",
        )
