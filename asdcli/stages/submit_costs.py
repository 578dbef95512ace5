"""What the networks behind a method's scores cost for one clip, counted on the models that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.catalogue.edition import Edition
from asdcli.detector.sources import reconstruction, trained_embedder
from asdcli.embedders import EMBEDDERS
from asdcli.errors import AsdError
from asdcli.features.pack import WaveformPack
from asdcli.files import is_model
from asdcli.models.costs import Cost, multiply_accumulates, n_parameters
from asdcli.progress import Progress
from asdcli.spec import parse

_WITHOUT_NETWORK = ("logmel",)
_SECONDS = 10.0  # of a clip, where an edition does not say how long its clips are


def cost_of(header: Header, models: Sequence[Path], edition: Edition, progress: Progress) -> Cost | None:
    """The cost of the scores with this header, for a clip as long as the edition's longest; None: cannot be told.

    Several networks add up. Where each machine type has a network, the largest counts.
    """
    made_by = {e["content"] for e in header.history if e["kind"] == artifacts.MODEL.name}
    if not made_by:
        return Cost(0, 0) if parse(str(header.recall("embedder")))[0] in _WITHOUT_NETWORK else None
    lengths = [seconds for of in edition.clip_lengths_s.values() for seconds in of.values()]
    seconds = max(lengths, default=edition.clip_length_s or _SECONDS)
    try:
        there = {artifacts.read_header(m, artifacts.MODEL).content: m for m in models if is_model(m)}
        if made_by - there.keys():
            progress.warn("a model that made these scores is not in the run any more: what it costs is not counted")
            return None
        costs = [_counted(there[content], seconds, progress) for content in sorted(made_by)]
    except AsdError as error:
        progress.warn(f"what the model costs is not counted: {error.message}")
        return None
    known = [cost for cost in costs if cost is not None]
    return sum(known, Cost(0, 0)) if len(known) == len(costs) else None


def _counted(model: Path, seconds: float, progress: Progress) -> Cost | None:
    """The cost of one model; None where its networks do not show."""
    recipe = parse(str(artifacts.read_header(model, artifacts.MODEL).params.get("model", "")))[0]
    if recipe == "autoencoder":
        autoencoders = reconstruction(model, "cpu")
        machine_type, autoencoder = _largest(autoencoders.networks)
        clip = _noise(autoencoders.front.mel.sample_rate, seconds)
        macs = multiply_accumulates(autoencoder, lambda: list(autoencoders.residuals(machine_type, clip, [0])))
        return Cost(n_parameters(autoencoder), macs)
    cls: Any = EMBEDDERS.load(recipe if recipe in EMBEDDERS.entries else "trained")
    embedder = trained_embedder(cls, model, "cpu", 64, progress)
    if not isinstance(networks := getattr(embedder, "networks", None), Mapping):
        return None
    machine_type, network = _largest(networks)
    own = embedder.of_machine_type(machine_type) if machine_type else embedder
    clip = _noise(network.sample_rate, seconds)
    return Cost(n_parameters(network), multiply_accumulates(network, lambda: own.embed(clip, np.ones(1, dtype=bool))))


def _largest(networks: Mapping[Any, Any]) -> tuple[Any, Any]:
    """(machine type, network) of the one with the most parameters."""
    return max(networks.items(), key=lambda item: n_parameters(item[1]))


def _noise(sample_rate: int, seconds: float) -> WaveformPack:
    """A pack of one clip; what is in it changes no count."""
    clip = np.random.default_rng(0).integers(-1000, 1000, round(seconds * sample_rate), dtype=np.int16)
    return WaveformPack.of([clip], ["clip"], sample_rate)
