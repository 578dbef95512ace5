"""A trained model on disk: `weights.safetensors`, `card.json` (header, spelling, classes …), `metrics.jsonl`."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes

from asdcli import artifacts
from asdcli.artifacts import own
from asdcli.errors import BadArtifact, MissingArtifact
from asdcli.files import CARD, CHECKPOINT, FOLDS, METRICS, WEIGHTS, is_model, read_json
from asdcli.training.card import fault
from asdcli.training.checkpoint import are_tensors_of, digest_tensors, tensors_of


def write_model(
    folder: Path, module: torch.nn.Module, card: dict[str, Any], header: artifacts.Header
) -> artifacts.Header:
    """Write weights, then the card that vouches for them; returns the header with the weights' digest.

    What adapters have learnt is folded into the weights that they stand beside.

    Raises:
        AsdError: weights that are not finite.
    """
    tensors = tensors_of(module, fold=True)
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
        raise BadArtifact(
            f"{folder / WEIGHTS} cannot be read: {error}", "train again: asd train --force", folder
        ) from None
    if not are_tensors_of(header.content, tensors):
        raise BadArtifact(f"{folder / WEIGHTS} are not the weights of {CARD}", "train again: asd train --force", folder)
    return tensors, _card(folder), header


def held_out(folder: Path) -> frozenset[str]:
    """The normal training clips (clip_id) that the model in `folder` was not trained on, as its card says.

    Raises:
        MissingArtifact: no model in `folder`.
        BadArtifact: a card that describes none.
    """
    artifacts.require(folder / CARD, artifacts.MODEL)
    artifacts.read_header(folder, artifacts.MODEL)
    return frozenset(_card(folder).get("held_out", ()))


def _card(folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = read_json(folder / CARD).get("card")
    if why := fault(card):
        text = f"{folder / CARD} does not describe a model: {why}"
        raise BadArtifact(text, "train again: asd train --force", folder)
    return card


def drop_folds(folder: Path, *, after: int) -> None:
    """Remove the folds beyond the number `after` that an earlier model in `folder` had."""
    for path in folder.glob(FOLDS):
        number = path.name.removeprefix(FOLDS.removesuffix("*"))
        if number.isdecimal() and int(number) > after and is_model(path):
            for name in (CARD, WEIGHTS, CHECKPOINT, METRICS):
                (path / name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # somebody's own files stay
                path.rmdir()


def is_finished(folder: Path, header: artifacts.Header) -> bool:
    """Whether `folder` holds a whole model made as `header` says."""
    try:
        return read_model(folder)[2].same_making(header)
    except (BadArtifact, MissingArtifact):
        return False


def claim(folder: Path, *, force: bool) -> None:
    """Make sure that a model may be written to `folder`, as `artifacts.claim`; a training that was cut may go on.

    Raises:
        BadData: files of a model lie there that are not asd's, or that were changed since, and no `force`.
    """
    if force or (folder / CHECKPOINT).exists():
        return
    card, weights, metrics = (folder / name for name in (CARD, WEIGHTS, METRICS))
    if card.exists():
        with own.readable(card):
            artifacts.read_header(folder, artifacts.MODEL)
        if weights.exists():
            with own.readable(weights):
                read_model(folder)
    elif weights.exists():
        raise own.foreign(weights)
    if metrics.exists() and not (card.exists() and _are_metrics(metrics)):
        raise own.foreign(metrics)


def _are_metrics(path: Path) -> bool:
    """Whether a file has a row of numbers for every epoch, from the first on."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
