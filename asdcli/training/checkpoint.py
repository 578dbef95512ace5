"""An interrupted training on disk: weights, optimizer state and finished epochs in one safetensors file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from asdcli import artifacts

_KEY = "asd"  # the only metadata key: safetensors writes several in no fixed order


def tensors_of(module: torch.nn.Module, prefix: str = "") -> dict[str, torch.Tensor]:
    """The module's state as contiguous CPU tensors."""
    return {prefix + name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}


def save(
    path: Path,
    module: torch.nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    header: artifacts.Header,
    history: list[dict[str, Any]],
) -> None:
    """Write the state after `len(history)` epochs, whole or not at all."""
    tensors = tensors_of(module, "module.")
    for place, optimizer in enumerate(optimizers):
        for number, state in optimizer.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"optimizer.{place}.{number}.{name}"] = value.detach().cpu().contiguous()
    metadata = {_KEY: json.dumps({"header": header.to_json(), "history": history})}
    with artifacts.atomic(path) as temporary:
        temporary.write_bytes(to_bytes(tensors, metadata))  # save_file hides what the operating system says


def restore(
    path: Path, module: torch.nn.Module, optimizers: Sequence[torch.optim.Optimizer], header: artifacts.Header
) -> list[dict[str, Any]] | None:
    """Bring `module` and `optimizers` to the saved state and return its history.

    None, with nothing changed, where there is no checkpoint or where it belongs to another making than `header`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            saved = json.loads((file.metadata() or {})[_KEY])
            if not artifacts.Header.from_json(saved["header"], where=str(path)).same_making(header):
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    states: list[dict[int, dict[str, torch.Tensor]]] = [{} for _ in optimizers]
    weights = {}
    for key, tensor in tensors.items():
        owner, _, name = key.partition(".")
        if owner == "module":
            weights[name] = tensor
        else:
            place, number, name = name.split(".")
            states[int(place)].setdefault(int(number), {})[name] = tensor
    module.load_state_dict(weights)
    for optimizer, state in zip(optimizers, states, strict=True):
        groups = optimizer.state_dict()["param_groups"]
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for number, values in state.items():
            for name, value in values.items():
                values[name] = _laid_out_like(parameters[number], value)
        optimizer.load_state_dict({"state": state, "param_groups": groups})
    history: list[dict[str, Any]] = saved["history"]
    return history


def _laid_out_like(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """`value` in the parameter's memory format: another order of summation would cost the last bit."""
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype, device=value.device).copy_(value)
