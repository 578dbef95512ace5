"""`gem`: generalised mean, between the mean of the positive parts (p = 1) and the maximum (p large)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from asdcli.models.poolings.checks import positive


@dataclass(frozen=True)
class GeMPooling:
    """z_d = ((1 / T) sum_t max(x_td, 0)^p)^(1 / p).

    Source: Radenović, Tolias and Chum 2019, TPAMI 41; of frozen encoders: Wilkinghoff, Yadav and Tan 2026, arXiv
    2603.04605.

    Attributes:
        p: the power, above 0.
    """

    p: float = 3.0

    def __post_init__(self) -> None:
        positive(gem_p=self.p)

    def pool(self, places: torch.Tensor) -> torch.Tensor:
        return power_mean(places, torch.full_like(places[..., :1], 1 / places.shape[1]), self.p)


def power_mean(places: torch.Tensor, weights: torch.Tensor, p: float) -> torch.Tensor:
    """(sum_t w_t max(x_t, 0)^p)^(1 / p) of (batch, T, D) and weights (batch, T, 1) that sum to 1: (batch, D).

    The largest value is taken out before the power, so that none overflows.
    """
    positive_part = places.clamp(min=0)
    largest = positive_part.amax(dim=1, keepdim=True)
    scaled = positive_part / largest.clamp(min=torch.finfo(places.dtype).tiny)
    return (weights * scaled**p).sum(dim=1) ** (1 / p) * largest.squeeze(1)
