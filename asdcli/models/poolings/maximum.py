"""`max`: of each dimension the largest value at any place."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class MaxPooling:
    """z_d = max_t x_td."""

    def pool(self, places: torch.Tensor) -> torch.Tensor:
        return places.amax(dim=1)
