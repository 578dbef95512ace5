"""Label smoothing: a share of each label goes to all classes alike.

Source: Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016, section 7.
"""

from __future__ import annotations

import torch


def smoothed(labels: torch.Tensor, share: float) -> torch.Tensor:
    """y' = (1 - share) y + share / C of `(batch, C)` soft labels; rows that sum to 1 still do."""
    return labels if not share else labels * (1 - share) + share / labels.shape[1]
