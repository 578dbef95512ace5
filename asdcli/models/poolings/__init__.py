"""Poolings: what an encoder says of many places in a clip becomes one vector.

A newcomer is a frozen dataclass (its fields are its parameters) with the method of `Pooling`, and one line in
`POOLINGS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from asdcli.spec import Registry

if TYPE_CHECKING:
    import torch

POOLINGS = Registry(
    "pooling",
    {
        "mean": "asdcli.models.poolings.mean:MeanPooling",
        "max": "asdcli.models.poolings.maximum:MaxPooling",
        "gem": "asdcli.models.poolings.gem:GeMPooling",
        "rdp": "asdcli.models.poolings.rdp:RDPPooling",
        "hybrid": "asdcli.models.poolings.hybrid:HybridPooling",
        "attentive": "asdcli.models.poolings.attentive:AttentivePooling",
    },
    group="asdcli.poolings",
    needs=("pool",),
)


class Pooling(Protocol):
    """Puts the vectors of several places together; what it does depends on nothing but these vectors.

    One with weights has `trained` = True, a `pool` that refuses, and a method `module(n_dims)`, which gives a torch
    module that does the same and has an attribute `n_dims` of what comes out.
    """

    def pool(self, places: torch.Tensor) -> torch.Tensor:
        """`(batch, n_places, n_dims)` float32 -> `(batch, n_dims)`; n_places is 1 or more."""
        ...
