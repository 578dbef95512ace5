"""`arcface`: a softmax of cosines in which a clip has to be nearer to its class by an angle, the margin.

Source: Deng et al., "ArcFace: additive angular margin loss for deep face recognition", CVPR 2019.

With θ_c the angle between an embedding and the centre of class c, and y_c its (soft) label:

    l_c  = s cos(θ_c + m y_c)
    loss = mean over the batch of -Σ_c y_c (l_c - logsumexp_{c'} l_{c'})

For a label of one class this is the paper's loss; of a mixed clip each class has its share of the margin, which the
paper does not say. Where θ_c + m y_c would pass π and the cosine rise again, it is cos θ_c - m y_c sin(m y_c), as in
the authors' code.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import nn

from asdcli.errors import UsageError
from asdcli.models.losses import Centers
from asdcli.models.losses.cosine import class_centers, cosines_to, soft_cross_entropy
from asdcli.spec import ALWAYS_SPELLED

_LEAST_SINE2 = 1e-7  # of an angle: the square root has no gradient at 0


class ArcFace(nn.Module):
    """The loss, with its class centres `centers` (D, C), which are part of the state in both cases.

    Args:
        n_dims: D of the embeddings.
        n_classes: C, at least 2.
        centers: whether the centres keep their random start or learn with the network.
        margin: m, in radians.
        scale: s, what cosines are multiplied by; it keeps its value.

    Raises:
        UsageError: a margin outside [0, π/2], or a scale that is not positive.
    """

    scale: torch.Tensor

    steady = True

    def __init__(
        self,
        n_dims: int,
        n_classes: int,
        *,
        centers: Annotated[Centers, ALWAYS_SPELLED] = "fixed",
        margin: float = 0.5,
        scale: float = 64.0,
    ) -> None:
        super().__init__()
        if not 0 <= margin <= math.pi / 2 or not 0 < scale < math.inf:
            raise UsageError(f"margin must lie in [0, π/2] and scale be positive, got {margin:g} and {scale:g}")
        self.margin = margin
        self.centers = class_centers(n_dims, n_classes, centers)
        self.register_buffer("scale", torch.tensor(float(scale)))

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss (a scalar) and log p `(batch, C)`, without the margin, of `(batch, D)` embeddings.

        The rows of the `(batch, C)` soft labels sum to 1. Computed in float32 whatever the caller's autocast says.
        """
        with torch.autocast(embeddings.device.type, enabled=False):
            cosines = cosines_to(self.centers, embeddings.float())
            log_p = torch.log_softmax(self.scale * self._with_margin(cosines, labels), dim=1)
            return soft_cross_entropy(log_p, labels), torch.log_softmax(self.scale * cosines, dim=1)

    def _with_margin(self, cosines: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        margins = self.margin * labels
        sines = (1 - cosines.square()).clamp(min=_LEAST_SINE2).sqrt()
        beyond = cosines < -torch.cos(margins)
        turned = cosines * torch.cos(margins) - sines * torch.sin(margins)
        return torch.where(beyond, cosines - margins * torch.sin(margins), turned)
