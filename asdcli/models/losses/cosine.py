"""What losses of cosines share: class centres, cosines to them, the softmax, the fixed scale, and the one that adapts.

Source: Zhang et al., "AdaCos: adaptively scaling cosine logits for effectively learning deep face representations",
CVPR 2019.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from asdcli.models.losses import Centers


def class_centers(n_dims: int, n_classes: int, centers: Centers) -> nn.Parameter:
    """One centre a class, (D, C), at random; it learns where `centers` is `trainable`."""
    start = nn.init.xavier_uniform_(torch.empty(n_dims, n_classes))
    return nn.Parameter(start, requires_grad=centers == "trainable")


def cosines_to(centers: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
    """Cosines (batch, C) between `(batch, D)` embeddings and `(D, C)` centres."""
    return functional.normalize(embeddings, dim=1) @ functional.normalize(centers, dim=0)


def fixed_scale(n_classes: int) -> torch.Tensor:
    """√2 ln(C - 1), a scalar; of two classes, which would give 0 and a loss that nothing moves, that of three."""
    return torch.tensor(math.sqrt(2) * math.log(max(n_classes - 1, 2)))


def soft_cross_entropy(log_p: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean over the batch of -Σ_c y_c log p_c, a scalar."""
    return -(labels * log_p).sum(dim=1).mean()


def adapted_scale(scale: torch.Tensor, cosines: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """s' = ln B_avg / cos(min(π/4, θ_med)), a scalar without gradient.

    B_avg is the mean over the batch of 1 + Σ_c (1 - y_c) exp(s cos_c): of a clip of one class, what its other classes
    weigh, and 1. The 1 is not in the paper, but in the reference code of AdaProj: it keeps s' above 0 where classes are
    few, and is nothing beside hundreds of others. θ_med is the median over the batch of the label-weighted angle.

    Args:
        scale: s, a scalar.
        cosines: (batch, C).
        labels: (batch, C) soft labels, whose rows sum to 1.
    """
    with torch.no_grad():
        others = scale * cosines + torch.log1p(-labels.clamp(max=1))
        log_b = torch.logaddexp(torch.logsumexp(others, dim=1), others.new_zeros(()))
        log_b_avg = torch.logsumexp(log_b, dim=0) - math.log(len(log_b))
        angles = (labels * torch.acos(cosines.clamp(-1, 1))).sum(dim=1)
        return log_b_avg / torch.cos(angles.median().clamp(max=math.pi / 4))


class SoftmaxOfCosines(nn.Module):
    """A loss of one cosine a class, of which a subclass says how it is made; it has `scale` and `dynamic`."""

    steady = True
    scale: torch.Tensor
    dynamic: bool

    def cosines(self, embeddings: torch.Tensor) -> torch.Tensor:
        """`(batch, D)` -> `(batch, C)` in [-1, 1]."""
        raise NotImplementedError

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss (a scalar) and log p `(batch, C)` of `(batch, D)` embeddings against `(batch, C)` soft labels.

        The rows of `labels` sum to 1. Computed in float32 whatever the caller's autocast says.
        """
        with torch.autocast(embeddings.device.type, enabled=False):
            cosines = self.cosines(embeddings.float())
            if self.dynamic and self.training:
                self.scale.copy_(adapted_scale(self.scale, cosines.detach(), labels))
            log_p = torch.log_softmax(self.scale * cosines, dim=1)
            return soft_cross_entropy(log_p, labels), log_p
