"""`attentive`: mean and deviation over the places, each weighed by an attention that learns with the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from asdcli.errors import UsageError
from asdcli.models.poolings.checks import unlearnt

_LEAST_VARIANCE = 1e-4


@dataclass(frozen=True)
class AttentivePooling:
    """z = (mu, sigma), mu_d = sum_t a_td x_td, sigma_d² = sum_t a_td x_td² - mu_d².

    The weights a_td, which sum to 1 over the places t, are a softmax of V tanh(W (x_t, mean, deviation) + b) + c: each
    dimension looks at places of its own, and knows what the rest of the window is like. It has weights, and is there
    for networks that are trained.

    Source: Okabe, Koshinaka and Shinoda 2018, Interspeech; for each dimension: Desplanques, Thienpondt and Demuynck
    2020, Interspeech (ECAPA-TDNN); of encoders of machines: Jiang et al. 2024, Interspeech (AnoPatch).

    Attributes:
        hidden: dimensions between W and V.
    """

    hidden: int = 48

    trained: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise UsageError(f"attentive:hidden must be at least 1, got {self.hidden}")

    def pool(self, places: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - as its siblings
        raise unlearnt("attentive")

    def module(self, n_dims: int) -> AttentiveStatistics:
        """What does it to places of `n_dims` dimensions, freshly initialised."""
        return AttentiveStatistics(n_dims, self.hidden)


class AttentiveStatistics(nn.Module):
    """`(batch, n_places, D)` -> `(batch, 2 D)`: mu and sigma of each dimension, standardised over the batch."""

    def __init__(self, n_dims: int, hidden: int) -> None:
        super().__init__()
        self.n_dims = 2 * n_dims
        self.inner, self.outer = nn.Linear(3 * n_dims, hidden), nn.Linear(hidden, n_dims)
        self.norm = nn.BatchNorm1d(2 * n_dims)

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        mean, deviation = _statistics(places, torch.full_like(places[..., :1], 1 / places.shape[1]))
        around = torch.cat([mean, deviation], dim=1)[:, None].expand(-1, places.shape[1], -1)
        hidden = torch.tanh(self.inner(torch.cat([places, around], dim=2)))
        weights = torch.softmax(self.outer(hidden).float(), dim=1)
        out: torch.Tensor = self.norm(torch.cat(_statistics(places, weights), dim=1))
        return out


def _statistics(places: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation (batch, D) of (batch, T, D) under weights (batch, T, D or 1) that sum to 1 over T."""
    mean = (weights * places).sum(dim=1)
    variance = (weights * (places - mean[:, None]).square()).sum(dim=1)
    return mean, variance.clamp(min=_LEAST_VARIANCE).sqrt()
