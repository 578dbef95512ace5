"""A trained model on disk: `weights.safetensors`, `card.json` (header, spelling, classes …), `metrics.jsonl`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes

from asdcli import artifacts
from asdcli.errors import BadArtifact
from asdcli.training.card import fault
from asdcli.training.checkpoint import digest_tensors, tensors_of

WEIGHTS, CARD = "weights.safetensors", "card.json"


def write_model(
    folder: Path, module: torch.nn.Module, card: dict[str, Any], header: artifacts.Header
) -> artifacts.Header:
    """Write weights, then the card that vouches for them; returns the header with the weights' digest.

    Raises:
        AsdError: weights that are not finite.
    """
    tensors = tensors_of(module)
    header = header.with_content(digest_tensors(tensors))
    with artifacts.atomic(folder / WEIGHTS) as temporary:
        temporary.write_bytes(to_bytes(tensors))  # save_file hides what the operating system says (a full disk)
    with artifacts.atomic(folder / CARD) as temporary:
        temporary.write_text(header.to_json(indent=1, card=card) + "\n", encoding="utf-8")
    return header


def read_model(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any], artifacts.Header]:
    """Weights by name (on the CPU), the card and the header.

    Raises:
        MissingArtifact: no model in `folder`.
        BadArtifact: not a model, a card that describes none, or weights that are damaged or not those of the card.
    """
    artifacts.require(folder / CARD, artifacts.MODEL)
    header = artifacts.read_header(folder, artifacts.MODEL)
    artifacts.require(folder / WEIGHTS, artifacts.MODEL)
    try:
        tensors = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise BadArtifact(f"{folder / WEIGHTS} cannot be read: {error}", "train again: asd train", folder) from None
    if digest_tensors(tensors) != header.content:
        raise BadArtifact(f"{folder / WEIGHTS} are not the weights of {CARD}", "train again: asd train", folder)
    card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8")).get("card")
    if why := fault(card):
        text = f"{folder / CARD} does not describe a model: {why}"
        raise BadArtifact(text, "train again: asd train --force", folder)
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
