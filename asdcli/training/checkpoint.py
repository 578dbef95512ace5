"""An interrupted training on disk: weights, optimizer state and finished epochs in one safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from asdcli import artifacts
from asdcli.artifacts.digest import SEAL, seal_of
from asdcli.errors import AsdError, BadArtifact
from asdcli.files import in_place_of_file
from asdcli.models.adapters import folded

_KEY = "asd"  # the only metadata key: safetensors writes several in no fixed order
_OPTIMIZER = "optimizer."
_MODULE = "module."

DIVERGED = "try a lower --lr, or --precision fp32; earlier epochs are kept as a checkpoint"
"""What to do about numbers that are none."""


def tensors_of(module: torch.nn.Module, prefix: str = "", *, fold: bool = False) -> dict[str, torch.Tensor]:
    """The module's state as contiguous CPU tensors, none of which shares its memory with another.

    Args:
        module: of which.
        prefix: is put in front of every name.
        fold: whether what adapters have learnt is added to the weights that they stand beside.

    Raises:
        AsdError: one is not finite: it is not worth keeping.
    """
    tensors, taken = {}, set()
    for name, tensor in (folded(module) if fold else module.state_dict()).items():
        own = tensor.detach().cpu().contiguous()
        place = own.untyped_storage().data_ptr()
        tensors[prefix + name] = own.clone() if place in taken else own
        taken.add(place)
    if broken := _broken(tensors):
        raise AsdError(f"the weights {broken} are not finite: training has diverged", DIVERGED)
    return tensors


def digest_tensors(tensors: Mapping[str, torch.Tensor]) -> str:
    """The content digest of tensors on the CPU."""
    return artifacts.digest_arrays({name: tensor.numpy() for name, tensor in tensors.items()})


def are_tensors_of(said: str, tensors: Mapping[str, torch.Tensor]) -> bool:
    """Whether `said` is the content digest of tensors on the CPU."""
    return artifacts.are_arrays_of(said, {name: tensor.numpy() for name, tensor in tensors.items()})


def save(
    path: Path,
    module: torch.nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    header: artifacts.Header,
    history: list[dict[str, Any]],
) -> None:
    """Write the state after `len(history)` epochs, whole or not at all. Raises AsdError for weights that diverged."""
    tensors = tensors_of(module, _MODULE)
    for place, optimizer in enumerate(optimizers):
        for number, state in optimizer.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"{_OPTIMIZER}{place}.{number}.{name}"] = value.detach().cpu().contiguous()
    saved = {"header": header.to_json(), "history": history, "content": digest_tensors(tensors)}
    saved[SEAL] = seal_of(saved)
    with artifacts.atomic(path) as temporary:
        temporary.write_bytes(to_bytes(tensors, {_KEY: json.dumps(saved)}))  # save_file hides what the system says


_UNREADABLE = (OSError, SafetensorError, KeyError, IndexError, TypeError, ValueError, RecursionError)


def restore(
    path: Path, module: torch.nn.Module, optimizers: Sequence[torch.optim.Optimizer], header: artifacts.Header
) -> list[dict[str, Any]] | None:
    """Bring `module` and `optimizers` to the saved state and return its history.

    None, with nothing changed, where there is no checkpoint or where it belongs to another making than `header`.

    Raises:
        BadArtifact: a checkpoint that is not as it was written; nothing is changed.
    """
    if not path.exists():
        return None
    if sort := in_place_of_file(path):
        raise _damaged(path, f"it is {sort}, not a file")
    try:
        saved, tensors = _read(path)
        if not artifacts.Header.from_json(saved["header"], where=str(path)).same_making(header):
            return None
        weights, states = _sorted(tensors, len(optimizers))
        history: list[dict[str, Any]] = list(saved["history"])
    except _UNREADABLE as error:
        raise _damaged(path, str(error)) from None
    if _shapes(weights) != _shapes(module.state_dict()):
        return None
    module.load_state_dict(weights)
    for optimizer, state in zip(optimizers, states, strict=True):
        groups = optimizer.state_dict()["param_groups"]
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for number, values in state.items():
            for name, value in values.items():
                values[name] = _laid_out_like(parameters[number], value)
        optimizer.load_state_dict({"state": state, "param_groups": groups})
    return history


def verify(path: Path) -> None:
    """Read a checkpoint to its last byte. Raises BadArtifact where it is not as it was written."""
    try:
        _read(path)
    except _UNREADABLE as error:
        raise _damaged(path, str(error)) from None


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What was saved, and its tensors; those of the first versions have no digest, only numbers to look at."""
    with safe_open(path, framework="pt") as file:
        saved = json.loads((file.metadata() or {})[_KEY])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    if SEAL in saved and (saved[SEAL] != seal_of(saved) or not are_tensors_of(saved["content"], tensors)):
        raise _damaged(path, "it is not as it was written")
    if broken := _broken({name: value for name, value in tensors.items() if name.startswith(_MODULE)}):
        raise _damaged(path, f"{broken} is not finite")
    return saved, tensors


def _sorted(
    tensors: Mapping[str, torch.Tensor], n_optimizers: int
) -> tuple[dict[str, torch.Tensor], list[dict[int, dict[str, torch.Tensor]]]]:
    """The weights by name; and for each optimizer its state by number of the parameter and name."""
    weights: dict[str, torch.Tensor] = {}
    states: list[dict[int, dict[str, torch.Tensor]]] = [{} for _ in range(n_optimizers)]
    for key, tensor in tensors.items():
        if key.startswith(_MODULE):
            weights[key.removeprefix(_MODULE)] = tensor
        else:
            place, number, name = key.removeprefix(_OPTIMIZER).split(".")
            states[int(place)].setdefault(int(number), {})[name] = tensor
    return weights, states


def _shapes(tensors: Mapping[str, torch.Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}


def _broken(tensors: Mapping[str, torch.Tensor]) -> str | None:
    """The name of the first tensor with a number that is none."""
    return next((n for n, t in tensors.items() if t.is_floating_point() and not torch.isfinite(t).all()), None)


def _damaged(path: Path, why: str) -> BadArtifact:
    return BadArtifact(f"the checkpoint {path} is damaged: {why}", "train again without it: asd train --force")


def _laid_out_like(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """`value` in the parameter's memory format: another order of summation would cost the last bit."""
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype, device=value.device).copy_(value)
