"""Training: what can be trained (`MODELS`), and the one loop that trains it.

A named recipe is short for the spelling of a model. A newcomer is a frozen dataclass (its fields are its parameters)
with the attributes and the method of `Recipe`, and one line in `MODELS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from asdcli.progress import SILENT, Progress
from asdcli.spec import Registry
from asdcli.training.named import recipes

if TYPE_CHECKING:
    import pyarrow as pa
    import torch

    from asdcli.training.loop import Task

DEFAULT = "discriminative"
HOLD_OUT = 0.1
"""The share of one's own recordings that is held out of the training unless another is asked for."""

MODELS = Registry(
    "model",
    {
        "discriminative": "asdcli.training.recipes.discriminative:Discriminative",
        "autoencoder": "asdcli.training.recipes.autoencoder:Autoencoder",
        "serial-oe": "asdcli.training.recipes.serial_oe:SerialOE",
    },
    group="asdcli.models",
    needs=("features", "task"),
    short={name: named.model for name, named in recipes().items()},
)

Profile = Literal["default", "paper", "dcase-baseline"]
"""Whose autoencoder."""


@dataclass(frozen=True)
class TrainingData:
    """What a recipe trains on.

    Attributes:
        clips: the label columns of the training clips, all normal, of the machine types that have a pack.
        machine_types: in the order of their first use.
        load: reads the pack of a machine type (`features.pack`), one at a time to spare memory.
        clip_length_s: the clip length of the edition, None where the catalogue has none.
        noise: the label columns of recordings of noise alone, in the same packs; None where none are to be used.
        contents: digests of the packs; None where nobody knows them.
    """

    clips: pa.Table
    machine_types: list[str]
    load: Callable[[str], Any]
    clip_length_s: float | None = None
    noise: pa.Table | None = None
    contents: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Setting:
    """Where, how exactly and from which seed a recipe is trained."""

    seed: int
    device: torch.device
    precision: str = "auto"
    progress: Progress = SILENT


class Recipe(Protocol):
    """A model and how it is trained; knows no files.

    Attributes:
        features: the kind of packs it reads.
        epochs: how often it sees the training clips.

    One that mixes recordings of noise into its clips has an attribute `mixes_noise`, which is true. One that goes on
    from somebody's weights has a method `found(progress)`, which gives it with these found: then `made_of` is role ->
    digest of each of their files.
    """

    features: ClassVar[str]
    epochs: int

    def task(self, data: TrainingData, setting: Setting) -> Task:
        """The training task: freshly initialised, deterministic in `setting.seed`."""
        ...
