"""`adaproj`: a softmax of cosines between an embedding and its projections onto a subspace of each class.

Source: Wilkinghoff, "AdaProj: adaptively scaled angular margin subspace projections for anomalous sound detection with
auxiliary classification tasks", DCASE Workshop 2024.

With the J unit vectors w_{c,j} of class c and the unit embedding x:

    P_c     = Σ_j <x, w_{c,j}> w_{c,j}
    cos_c   = <x, P_c> / |P_c|
    log p_c = s cos_c - logsumexp_{c'}(s cos_{c'})
    loss    = mean over the batch of -Σ_c y_c log p_c

The vectors are not made orthogonal, here as in the author's code: a few random ones in many dimensions nearly are. The
scale is that of AdaCos. P_c itself, (batch, C, D) numbers, is never written down: with v_j = <x, w_j> and the products
G = w wᵀ of a class's own vectors, cos_c = |v|² / √(vᵀ G v).
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import nn
from torch.nn import functional

from asdcli.errors import UsageError
from asdcli.models.losses import Centers
from asdcli.models.losses.cosine import SoftmaxOfCosines, fixed_scale
from asdcli.spec import ALWAYS_SPELLED

_LEAST = 1e-12  # of a squared length


class AdaProj(SoftmaxOfCosines):
    """The loss, with the vectors of its classes, `centers` (C, J, D), which are part of the state in both cases.

    Args:
        n_dims: D of the embeddings.
        n_classes: C, at least 2.
        centers: whether the vectors keep their random start or learn with the network.
        subspace: J vectors of each class, fewer than D: D of them span everything, and all classes are alike.
        scale: whether s keeps its value or adapts to each training batch.

    Raises:
        UsageError: as many vectors as dimensions, or none.
    """

    def __init__(
        self,
        n_dims: int,
        n_classes: int,
        *,
        centers: Annotated[Centers, ALWAYS_SPELLED] = "fixed",
        subspace: int = 32,
        scale: Literal["fixed", "dynamic"] = "dynamic",
    ) -> None:
        super().__init__()
        if not 1 <= subspace < n_dims:
            raise UsageError(
                f"subspace must be from 1 to {n_dims - 1} for embeddings of {n_dims} dimensions, got {subspace}"
            )
        self.dynamic = scale == "dynamic"
        start = nn.init.xavier_uniform_(torch.empty(n_classes, subspace, n_dims))
        self.centers = nn.Parameter(start, requires_grad=centers == "trainable")
        self.register_buffer("scale", fixed_scale(n_classes))

    def cosines(self, embeddings: torch.Tensor) -> torch.Tensor:
        """`(batch, D)` -> `(batch, C)` in [0, 1]."""
        vectors = functional.normalize(self.centers, dim=2)
        v = torch.einsum("bd,cjd->cbj", functional.normalize(embeddings, dim=1), vectors)
        projected2 = (v @ (vectors @ vectors.mT) * v).sum(dim=2)
        return (v.square().sum(dim=2) / projected2.clamp(min=_LEAST).sqrt()).T
