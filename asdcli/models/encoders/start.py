"""What a network begins with that goes on from somebody's weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from asdcli.models.encoders import Config, Encoder

STEADY: Config = {"layerdrop": 0.0, "encoder_layerdrop": 0.0, "apply_spec_augment": False}
"""Settings of encoders that are trained on: no block is left out and nothing masked by lot.

Libraries draw these lots from generators that no seed of a training reaches. Dropout stays as a checkpoint has it.
"""


class Front(Protocol):
    """Waveforms as the encoder takes them.

    Attributes:
        window: samples of one of its windows, at the clips' rate.
    """

    @property
    def window(self) -> int: ...

    def __call__(self, waves: torch.Tensor) -> torch.Tensor:
        """`(batch, n)` in [-1, 1) -> the sound of the windows of each clip, clip after clip."""
        ...


@dataclass(frozen=True, eq=False)
class Start:
    """An encoder with its weights, and what it hears of clips.

    Attributes:
        encoder: on the CPU.
        front: of clips at the rate that the network is for.
        facts: as JSON, what is needed to have both again from nothing but weights, and of which files they are.
        is_tuned: whether the weights are those of a network that was trained on already: it is there to embed.
    """

    encoder: Encoder
    front: Front
    facts: Mapping[str, Any] = field(default_factory=dict)
    is_tuned: bool = False
