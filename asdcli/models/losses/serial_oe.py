"""SerialOE's loss: is it this machine type, and which of its products."""

from __future__ import annotations

import torch
from torch import nn


def serial_oe_loss(
    machine_logits: torch.Tensor,
    product_logits: torch.Tensor,
    is_machine: torch.Tensor,
    is_product: torch.Tensor,
    lambda_id: float,
) -> torch.Tensor:
    """L_machine + lambda_id L_id, Eq. 3 (with the minus sign that Eq. 5 forgets), averaged over the batch and products.

    Args:
        machine_logits: (batch,).
        product_logits: (batch, n_products).
        is_machine: (batch,) t^mac in [0, 1].
        is_product: (batch, n_products) t^id, zero for other machine types.
        lambda_id: the weight of the second term, above 0.
    """
    bce = nn.functional.binary_cross_entropy_with_logits
    return bce(machine_logits, is_machine) + lambda_id * bce(product_logits, is_product)
