"""Optimizers without torch's compiler, whose import takes half as long again as that of torch.

Every optimizer of torch asks the compiler, at its first step, whether it is being compiled, and imports it for the
question. Here nothing is compiled.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

import torch

_MARKED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")  # not to be compiled, torch says of them


@functools.cache
def uncompiled(optimizer: type[torch.optim.Optimizer]) -> Any:
    """The same optimizer, to the bit, whose methods are those that torch wraps into its question.

    For optimizers whose gradients are not differentiated in turn (`differentiable=False`, as by default).
    """
    methods: dict[str, Any] = {name: inspect.unwrap(getattr(optimizer, name)) for name in _MARKED}
    methods["step"] = torch.no_grad()(inspect.unwrap(optimizer.step))
    return type(optimizer.__name__, (optimizer,), methods)
