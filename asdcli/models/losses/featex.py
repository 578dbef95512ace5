"""`featex`: sub-cluster AdaCos, and once more on embeddings whose branches were exchanged between clips.

Source: Wilkinghoff, "Self-supervised learning for anomalous sound detection", ICASSP 2024; in the form of ASDKit
(arXiv 2507.10264), whose recipe `dis_spec_featex` this is: the plain loss and the exchange, without StatEx.

With an embedding e = (e_1, …, e_M) of M branches and its label y of C classes, chosen clips become

    e' = (e_1, e_2 of another clip, …, e_M of yet another)
    y' = (0, y / M, y of the second / M, …, y of the last / M)

the others keep e' = e and y' = (y, 0, …, 0); of these (M + 1) C classes the centres learn, and

    loss = scac(e, y) + weight scac(e', y')
"""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from asdcli.errors import UsageError
from asdcli.models.losses import Centers
from asdcli.models.losses.branches import DIMS, n_branches
from asdcli.models.losses.subcluster_adacos import SubclusterAdaCos
from asdcli.spec import ALWAYS_SPELLED


class FeatEx(nn.Module):
    """Both losses with their class centres.

    Args:
        n_dims: D of the embeddings.
        n_classes: C, at least 2.
        centers: whether the centres of the plain loss keep their random start; those of the exchange always learn.
        subclusters: centres of each class, in both losses.
        branch: dimensions of each branch's part of the embedding.
        probability: of exchanging a clip's branches.
        weight: of the loss of exchanged branches.

    Raises:
        UsageError: a network of a single branch, no sub-cluster, or a weight or probability out of range.
    """

    steady = True

    def __init__(
        self,
        n_dims: int,
        n_classes: int,
        *,
        centers: Annotated[Centers, ALWAYS_SPELLED] = "fixed",
        subclusters: int = 16,
        branch: int = DIMS,
        probability: float = 0.5,
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        if not 0 <= probability <= 1 or not 0 <= weight < float("inf"):
            raise UsageError(f"probability lies in [0, 1] and weight is at least 0, got {probability:g} and {weight:g}")
        self.branch, self.probability, self.weight = branch, probability, weight
        n = n_branches(n_dims, branch)
        self.plain = SubclusterAdaCos(n_dims, n_classes, centers=centers, subclusters=subclusters)
        self.exchanged = SubclusterAdaCos(n_dims, (n + 1) * n_classes, centers="trainable", subclusters=subclusters)

    @property
    def scale(self) -> torch.Tensor:
        """That of the plain loss."""
        return self.plain.scale

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss (a scalar) and the plain loss's log p `(batch, C)`; what is exchanged is drawn from torch's generator
        of the device.

        `embeddings` are `(batch, D)`, `labels` `(batch, C)` soft labels, whose rows sum to 1.
        """
        loss, log_p = self.plain(embeddings, labels)
        exchanged, _ = self.exchanged(
            *exchange(embeddings, labels, self.branch, self.probability if self.training else 0.0)
        )
        return loss + self.weight * exchanged, log_p


def exchange(
    embeddings: torch.Tensor, labels: torch.Tensor, branch: int, probability: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """e' (batch, D) and y' (batch, (M + 1) C): chosen clips keep their first branch, and have each other branch from
    the clip at their place in a permutation of the batch, one for each branch."""
    n, device = len(embeddings), embeddings.device
    parts = embeddings.split(branch, dim=1)
    partners = [torch.arange(n, device=device), *(torch.randperm(n, device=device) for _ in parts[1:])]
    chosen = (torch.rand(n, device=device) < probability)[:, None]
    swapped = torch.cat([part[partner] for part, partner in zip(parts, partners, strict=True)], dim=1)
    nothing = torch.zeros_like(labels)
    before = torch.cat([labels, *(nothing for _ in parts)], dim=1)
    after = torch.cat([nothing, *(labels[partner] / len(parts) for partner in partners)], dim=1)
    return torch.where(chosen, swapped, embeddings), torch.where(chosen, after, before)
