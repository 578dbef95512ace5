"""What a training step will take, said before it is killed for it: a killed process says nothing."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn

from asdcli.progress import Progress


def warn_of_want(network: nn.Module, example: torch.Tensor, batch_size: int, progress: Progress) -> None:
    """Warn when a step of `batch_size` takes more memory than is free.

    Args:
        network: as it is trained.
        example: a batch of two of its inputs, on its device.
        batch_size: of a training step.
        progress: is warned.
    """
    free = free_bytes(example.device)
    need = batch_size * bytes_a_sample(network, example)
    if free is not None and need > free:
        progress.warn(
            f"a step on {batch_size} samples keeps about {need / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free: "
            "should it be killed, take a smaller --batch-size"
        )


def bytes_a_sample(network: nn.Module, example: torch.Tensor) -> float:
    """What the forward pass of one more sample keeps for the backward pass, by trying two and four."""
    trial = copy.deepcopy(network).train()  # batch normalisation would remember the trial
    kept = []
    with torch.random.fork_rng(devices=[example.device] if example.device.type == "cuda" else []):
        for batch in (example, torch.cat([example, example])):
            storages: dict[int, int] = {}

            def keep(tensor: torch.Tensor, storages: dict[int, int] = storages) -> torch.Tensor:
                storage = tensor.untyped_storage()
                storages[storage.data_ptr()] = storage.nbytes()
                return tensor

            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                result = trial(batch)  # kept alive: a freed storage's address is used again
            kept.append(sum(storages.values()))
            del result
    return (kept[1] - kept[0]) / len(example)


def free_bytes(device: torch.device) -> int | None:
    """Memory that can still be taken on `device`; None where nothing tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    known = Path("/proc/meminfo")
    if device.type != "cpu" or not known.exists():
        return None
    fields = dict(line.split(":", 1) for line in known.read_text().splitlines())
    return int(fields["MemAvailable"].split()[0]) * 1024
