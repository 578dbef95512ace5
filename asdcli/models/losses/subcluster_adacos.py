"""`scac`: sub-cluster AdaCos, a softmax of cosines in which each class has several centres.

Source: Wilkinghoff, "Sub-cluster AdaCos: learning representations for anomalous sound detection", IJCNN 2021.

With cos_{c,j} the cosine between an embedding and centre j of class c, and scale s = √2 ln(C S - 1):

    log p_c = logsumexp_j(s cos_{c,j}) - logsumexp_{c',j}(s cos_{c',j})
    loss    = mean over the batch of -Σ_c y_c log p_c
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from torch import nn

from asdcli.errors import UsageError
from asdcli.models.losses import Centers
from asdcli.models.losses.cosine import class_centers, cosines_to, fixed_scale, soft_cross_entropy
from asdcli.spec import ALWAYS_SPELLED


class SubclusterAdaCos(nn.Module):
    """The loss, with its class centres.

    Args:
        n_dims: D of the embeddings.
        n_classes: C, at least 2.
        centers: whether the centres keep their random start or learn with the network.
        subclusters: S centres of each class.
        scale: whether s keeps its value or adapts to each training batch.

    Raises:
        UsageError: no sub-cluster.

    `centers` is (D, C S), centre j of class c in column c S + j, and is part of the state in both cases.
    """

    steady = True
    scale: torch.Tensor

    def __init__(
        self,
        n_dims: int,
        n_classes: int,
        *,
        centers: Annotated[Centers, ALWAYS_SPELLED] = "fixed",
        subclusters: int = 16,
        scale: Literal["fixed", "dynamic"] = "fixed",
    ) -> None:
        super().__init__()
        if subclusters < 1:
            raise UsageError(f"subclusters must be at least 1, got {subclusters}")
        self.n_classes, self.dynamic = n_classes, scale == "dynamic"
        self.centers = class_centers(n_dims, n_classes * subclusters, centers)
        self.register_buffer("scale", fixed_scale(n_classes * subclusters))

    def cosines(self, embeddings: torch.Tensor) -> torch.Tensor:
        """`(batch, D)` -> `(batch, C, S)` in [-1, 1]."""
        return cosines_to(self.centers, embeddings).view(len(embeddings), self.n_classes, -1)

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss (a scalar) and log p `(batch, C)` of `(batch, D)` embeddings against `(batch, C)` soft labels.

        The rows of `labels` sum to 1. Computed in float32 whatever the caller's autocast says.
        """
        with torch.autocast(embeddings.device.type, enabled=False):
            cosines = self.cosines(embeddings.float())
            if self.dynamic and self.training:
                self._adapt(cosines.detach(), labels)
            log_p = torch.logsumexp(self.scale * cosines, dim=2)
            log_p = log_p - torch.logsumexp(log_p, dim=1, keepdim=True)
            return soft_cross_entropy(log_p, labels), log_p

    def _adapt(self, cosines: torch.Tensor, labels: torch.Tensor) -> None:
        """s <- ln B_avg / cos(min(π/4, θ_med)), θ of a sample being the label-weighted angle to its classes' nearest
        centres and B_avg the mean over the batch of Σ_{c,j} exp(s cos_{c,j})."""
        log_b = torch.logsumexp((self.scale * cosines).flatten(1), dim=1)
        log_b_avg = torch.logsumexp(log_b, dim=0) - math.log(len(log_b))
        angles = torch.acos(cosines.amax(dim=2).clamp(-1, 1))
        theta_med = (labels * angles).sum(dim=1).median().clamp(max=math.pi / 4)
        self.scale.copy_(log_b_avg / torch.cos(theta_med))
