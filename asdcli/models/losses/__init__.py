"""Losses that classifiers of normal sounds are trained with.

A newcomer is a torch module as `Loss` says, and one line in `LOSSES`. Its parameters are the keyword-only ones of its
initialiser; their meaning stands in its docstring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from asdcli.spec import Registry

if TYPE_CHECKING:
    import torch

LOSSES = Registry(
    "loss",
    {
        "scac": "asdcli.models.losses.subcluster_adacos:SubclusterAdaCos",
        "adacos": "asdcli.models.losses.adacos:AdaCos",
        "arcface": "asdcli.models.losses.arcface:ArcFace",
        "adaproj": "asdcli.models.losses.adaproj:AdaProj",
        "subspace": "asdcli.models.losses.subspace:SubspaceLoss",
        "featex": "asdcli.models.losses.featex:FeatEx",
    },
    group="asdcli.losses",
    needs=("state_dict",),
)

Centers = Literal["fixed", "trainable"]
"""Whether class centres keep their random start or learn with the network."""


class Loss(Protocol):
    """A module that judges embeddings by the classes of their clips.

    One with an attribute `scale` tells it in the model's card. One that draws random numbers takes them from torch's
    own generator, which every training step seeds. One whose steps are the same operations on the device each time,
    with what it draws drawn there, says so by `steady = True`: on CUDA training steps are recorded once and replayed.
    """

    def __init__(self, n_dims: int, n_classes: int) -> None: ...

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss, a scalar, and how likely each class is.

        Args:
            embeddings: `(batch, D)`.
            labels: `(batch, C)` soft labels, whose rows sum to 1.

        Returns:
            loss, and `(batch, C)`, larger where a class is likelier.
        """
        ...
