"""`subspace`: sub-cluster AdaCos of the whole embedding, and of each branch's part of it by itself.

Source: Fujimura et al., "Improvements of discriminative feature space training for anomalous sound detection in
unlabeled conditions", ICASSP 2025; in the form of ASDKit (arXiv 2507.10264), recipe `dis_spec_subspaceloss`.

With an embedding e = (e_1, …, e_M) of M branches:

    loss = scac(e, y) + weight Σ_m scac_m(e_m, y)

so that no branch can leave the classes to another. The centres of the parts learn.
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


class SubspaceLoss(nn.Module):
    """The losses with their class centres.

    Args:
        n_dims: D of the embeddings.
        n_classes: C, at least 2.
        centers: whether the centres of the whole embedding keep their random start; those of the parts always learn.
        subclusters: centres of each class, in every loss.
        branch: dimensions of each branch's part of the embedding.
        weight: of the losses of the parts.

    Raises:
        UsageError: a network of a single branch, no sub-cluster, or a negative weight.
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
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        if not 0 <= weight < float("inf"):
            raise UsageError(f"weight is at least 0, got {weight:g}")
        self.branch, self.weight = branch, weight
        n = n_branches(n_dims, branch)
        self.whole = SubclusterAdaCos(n_dims, n_classes, centers=centers, subclusters=subclusters)
        self.parts = nn.ModuleList(
            SubclusterAdaCos(branch, n_classes, centers="trainable", subclusters=subclusters) for _ in range(n)
        )

    @property
    def scale(self) -> torch.Tensor:
        """That of the whole embedding's loss."""
        return self.whole.scale

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss (a scalar) and log p `(batch, C)` of the whole `(batch, D)` embeddings.

        The rows of the `(batch, C)` soft labels sum to 1.
        """
        loss, log_p = self.whole(embeddings, labels)
        for part, own in zip(self.parts, embeddings.split(self.branch, dim=1), strict=True):
            loss = loss + self.weight * part(own, labels)[0]
        return loss, log_p
