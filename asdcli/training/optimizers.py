"""Optimizers as each device has them fastest."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from asdcli.training.uncompiled import uncompiled


def adamw(
    parameters: Iterable[torch.nn.Parameter], device: torch.device, *, lr: float, weight_decay: float
) -> torch.optim.AdamW:
    """AdamW; on CUDA all parameters in one kernel, whose count of steps lies there too, so that it can be recorded."""
    on_cuda = device.type == "cuda"
    made: torch.optim.AdamW = uncompiled(torch.optim.AdamW)(
        parameters, lr=lr, weight_decay=weight_decay, fused=on_cuda or None, capturable=on_cuda
    )
    return made
