"""`rdp`: relative deviation pooling, which looks at the places that are least like the rest of the clip."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from asdcli.models.poolings.checks import positive


@dataclass(frozen=True)
class RDPPooling:
    """z = sum_t w_t x_t, w_t = r_t^gamma / sum_s r_s^gamma, r_t = |x_t - mean_s x_s|.

    What the deviations r_t are divided by before the power is the same for all places of a clip, and cancels in w_t.
    Where all places are alike each weighs the same.

    Source: Wilkinghoff, Yadav and Tan 2026, arXiv 2603.04605: gamma 16 to 20 for BEATs and Dasheng, 8 for OpenL3, 1 for
    EAT.

    Attributes:
        gamma: how much deviating places are preferred, above 0.
    """

    gamma: float = 16.0

    def __post_init__(self) -> None:
        positive(rdp_gamma=self.gamma)

    def pool(self, places: torch.Tensor) -> torch.Tensor:
        return (deviation_weights(places, self.gamma) * places).sum(dim=1)


def deviation_weights(places: torch.Tensor, gamma: float) -> torch.Tensor:
    """w of (batch, T, D): (batch, T, 1), which sum to 1 over T."""
    deviation = (places - places.mean(dim=1, keepdim=True)).norm(dim=2, keepdim=True)
    largest = deviation.amax(dim=1, keepdim=True)
    relative = torch.where(largest > 0, deviation / largest, torch.ones_like(deviation))
    weights = relative**gamma
    return weights / weights.sum(dim=1, keepdim=True)
