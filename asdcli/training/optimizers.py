"""Optimizers as each device has them fastest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from asdcli.training.uncompiled import uncompiled


def adamw(
    parameters: Iterable[torch.nn.Parameter] | Iterable[dict[str, Any]],
    device: torch.device,
    *,
    lr: float,
    weight_decay: float,
) -> torch.optim.AdamW:
    """AdamW of parameters or groups of them.

    On CUDA it is one kernel, and the count of steps lies there too, so that it can be recorded.
    """
    on_cuda = device.type == "cuda"
    made: torch.optim.AdamW = uncompiled(torch.optim.AdamW)(
        parameters, lr=lr, weight_decay=weight_decay, fused=on_cuda or None, capturable=on_cuda
    )
    return made
