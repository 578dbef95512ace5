"""`hybrid`: the generalised mean with the weights of relative deviation pooling."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from asdcli.models.poolings.checks import positive
from asdcli.models.poolings.gem import power_mean
from asdcli.models.poolings.rdp import deviation_weights


@dataclass(frozen=True)
class HybridPooling:
    """z_d = (sum_t w_t max(x_td, 0)^p)^(1 / p), w_t as in `rdp`.

    Source: Wilkinghoff, Yadav and Tan 2026, arXiv 2603.04605.

    Attributes:
        p: the power, above 0.
        gamma: how much deviating places are preferred, above 0.
    """

    p: float = 3.0
    gamma: float = 16.0

    def __post_init__(self) -> None:
        positive(hybrid_p=self.p, hybrid_gamma=self.gamma)

    def pool(self, places: torch.Tensor) -> torch.Tensor:
        return power_mean(places, deviation_weights(places, self.gamma), self.p)
