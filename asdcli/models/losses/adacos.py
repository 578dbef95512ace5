"""`adacos`: a softmax of cosines with one centre a class and a scale that needs no tuning.

Source: Zhang et al., "AdaCos: adaptively scaling cosine logits for effectively learning deep face representations",
CVPR 2019.

With cos_c the cosine between an embedding and the centre of class c:

    log p_c = s cos_c - logsumexp_{c'}(s cos_{c'})
    loss    = mean over the batch of -Σ_c y_c log p_c

The fixed scale is s = √2 ln(C - 1); the dynamic one begins there, and each training batch sets it anew.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch

from asdcli.models.losses import Centers
from asdcli.models.losses.cosine import SoftmaxOfCosines, class_centers, cosines_to, fixed_scale
from asdcli.spec import ALWAYS_SPELLED


class AdaCos(SoftmaxOfCosines):
    """The loss, with its class centres `centers` (D, C), which are part of the state in both cases.

    Args:
        n_dims: D of the embeddings.
        n_classes: C, at least 2.
        centers: whether the centres keep their random start or learn with the network.
        scale: whether s keeps its value or adapts to each training batch.
    """

    def __init__(
        self,
        n_dims: int,
        n_classes: int,
        *,
        centers: Annotated[Centers, ALWAYS_SPELLED] = "fixed",
        scale: Literal["fixed", "dynamic"] = "fixed",
    ) -> None:
        super().__init__()
        self.dynamic = scale == "dynamic"
        self.centers = class_centers(n_dims, n_classes, centers)
        self.register_buffer("scale", fixed_scale(n_classes))

    def cosines(self, embeddings: torch.Tensor) -> torch.Tensor:
        """`(batch, D)` -> `(batch, C)` in [-1, 1]."""
        return cosines_to(self.centers, embeddings)
