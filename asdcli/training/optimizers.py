"""Optimizers as each device has them fastest.

On CUDA the count of steps lies on the device, so that a step can be recorded; torch warns of it while none is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from asdcli.training.uncompiled import uncompiled

Parameters = Iterable[torch.nn.Parameter] | Iterable[dict[str, Any]]
"""Parameters, or groups of them."""


def adam(parameters: Parameters, device: torch.device, *, lr: float) -> torch.optim.Adam:
    """Adam, all parameters in one kernel."""
    made: torch.optim.Adam = uncompiled(torch.optim.Adam)(
        parameters, lr=lr, fused=True, capturable=device.type == "cuda"
    )
    return _silent(made)


def adamw(parameters: Parameters, device: torch.device, *, lr: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW; on CUDA all parameters in one kernel."""
    on_cuda = device.type == "cuda"
    made: torch.optim.AdamW = uncompiled(torch.optim.AdamW)(
        parameters, lr=lr, weight_decay=weight_decay, fused=on_cuda or None, capturable=on_cuda
    )
    return _silent(made)


def _silent(made: Any) -> Any:
    made._warned_capturable_if_run_uncaptured = True
    return made
