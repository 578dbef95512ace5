"""A trained model on disk: `weights.safetensors`, `card.json` (header, spelling, classes …), `metrics.jsonl`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes

from asdcli import artifacts
from asdcli.errors import BadArtifact
from asdcli.training.checkpoint import tensors_of

WEIGHTS, CARD = "weights.safetensors", "card.json"


def write_model(
    folder: Path, module: torch.nn.Module, card: dict[str, Any], header: artifacts.Header
) -> artifacts.Header:
    """Write weights, then the card that vouches for them; returns the header with the weights' digest."""
    tensors = tensors_of(module)
    header = header.with_content(_digest(tensors))
    with artifacts.atomic(folder / WEIGHTS) as temporary:
        temporary.write_bytes(to_bytes(tensors))  # save_file hides what the operating system says (a full disk)
    with artifacts.atomic(folder / CARD) as temporary:
        temporary.write_text(json.dumps({**dataclasses.asdict(header), "card": card}, indent=1, sort_keys=True) + "\n")
    return header


def read_model(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any], artifacts.Header]:
    """Weights by name (on the CPU), the card and the header.

    Raises:
        MissingArtifact: no model in `folder`.
        BadArtifact: not a model, or weights that are damaged or not those of the card.
    """
    artifacts.require(folder / CARD, artifacts.MODEL)
    header = artifacts.read_header(folder, artifacts.MODEL)
    artifacts.require(folder / WEIGHTS, artifacts.MODEL)
    try:
        tensors = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise BadArtifact(f"{folder / WEIGHTS} cannot be read: {error}", "train again: asd train --force") from None
    if _digest(tensors) != header.content:
        raise BadArtifact(f"{folder / WEIGHTS} are not the weights of {CARD}", "run asd train again")
    card: dict[str, Any] = json.loads((folder / CARD).read_text())["card"]
    return tensors, card, header


def is_finished(folder: Path, header: artifacts.Header) -> bool:
    """Whether `folder` holds a whole model made as `header` says."""
    if not artifacts.is_current(folder, artifacts.MODEL, header):
        return False
    try:
        read_model(folder)
    except (BadArtifact, artifacts.MissingArtifact):
        return False
    return True


def _digest(tensors: dict[str, torch.Tensor]) -> str:
    return artifacts.digest_arrays({name: tensor.numpy() for name, tensor in tensors.items()})
