"""`mean`: the mean over all places."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class MeanPooling:
    """z = (1 / T) sum_t x_t."""

    def pool(self, places: torch.Tensor) -> torch.Tensor:
        return places.mean(dim=1)
