"""What the networks behind a method's scores cost for one clip, counted on the models that are there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.catalogue.edition import Edition
from asdcli.detector.sources import found, reconstruction, trained_embedder
from asdcli.embedders import EMBEDDERS
from asdcli.errors import AsdError, BadArtifact
from asdcli.features.pack import WaveformPack
from asdcli.files import is_model
from asdcli.models.costs import Cost, all_multiply_accumulates, multiply_accumulates, n_parameters
from asdcli.progress import Progress
from asdcli.spec import parse
from asdcli.vocabulary import IMPORTED

if TYPE_CHECKING:
    import torch

    from asdcli.models.encoders import Encoder

_WITHOUT_NETWORK = ("logmel",)
_SECONDS = 10.0  # of a clip, where an edition does not say how long its clips are


def cost_of(header: Header, models: Sequence[Path], edition: Edition, progress: Progress) -> Cost | None:
    """The cost of the scores with this header, for a clip as long as the edition's longest; None: cannot be told.

    Several networks add up, those of the parts of fused scores too, each once. Where each machine type has a network,
    the largest counts. Weights that others trained count as any, and all of them: the blocks behind a layer that is
    taken are computed too.
    """
    made_by = {e["content"] for e in header.history if e["kind"] == artifacts.MODEL.name}
    embedded = {e["content"]: e for e in header.history if e["kind"] == artifacts.EMBEDDINGS.name}
    untrained = [entry for entry in embedded.values() if not _by_a_model(entry, made_by)]
    if not made_by and not untrained:
        return None
    lengths = [seconds for of in edition.clip_lengths_s.values() for seconds in of.values()]
    seconds = max(lengths, default=edition.clip_length_s or _SECONDS)
    try:
        there = {artifacts.read_header(m, artifacts.MODEL).content: m for m in models if is_model(m)}
        if made_by - there.keys():
            progress.warn("a model that made these scores is not in the run any more: what it costs is not counted")
            return None
        costs = [_counted(there[content], seconds, progress) for content in sorted(made_by)]
        weighed: set[str] = set()
        costs += [_of_embedder(entry, seconds, edition.sample_rate, weighed, progress) for entry in untrained]
    except AsdError as error:
        progress.warn(f"what the model costs is not counted: {error.message}")
        return None
    known = [cost for cost in costs if cost is not None]
    return sum(known, Cost(0, 0)) if len(known) == len(costs) else None


def _by_a_model(entry: Mapping[str, Any], made_by: Collection[str]) -> bool:
    """Whether these embeddings are of a trained model; an older history does not say, but has one."""
    return "model" in entry["inputs"] if "inputs" in entry else bool(made_by)


def _of_embedder(
    entry: Mapping[str, Any], seconds: float, sample_rate: int, weighed: set[str], progress: Progress
) -> Cost | None:
    """The cost of what embedded without being trained; None where its network does not show.

    Parameters count once, also where two layers of one checkpoint embedded: those in `weighed` do not, and are added.

    Raises:
        MissingArtifact, BadArtifact: its weights are not there, or not those that it embedded with.
    """
    import torch

    from asdcli.embedders.pretrained import FoundCheckpoint

    spelling = str(entry["params"].get("embedder"))
    if parse(spelling)[0] in _WITHOUT_NETWORK:
        return Cost(0, 0)
    if spelling == IMPORTED or not isinstance(embedder := found(EMBEDDERS.build(spelling), progress), FoundCheckpoint):
        return None
    if other := [role for role, digest in embedder.made_of.items() if entry.get("inputs", {}).get(role) != digest]:
        raise BadArtifact(f"the {other[0]} of {spelling} is not the one that embedded", "put that one back")
    frozen = embedder.loaded(torch.device("cpu"), 1, progress)
    counting = _Counting(frozen.encoder)
    replace(frozen, encoder=counting).embed(_noise(sample_rate, seconds), np.ones(1, dtype=bool))
    weights = embedder.made_of["checkpoint"]
    parameters = 0 if weights in weighed else n_parameters(frozen.encoder.module)
    weighed.add(weights)
    return Cost(parameters, counting.macs)


class _Counting:
    """An encoder whose work is counted."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self.macs = encoder, 0
        self.module, self.blocks = encoder.module, encoder.blocks

    def to(self, device: torch.device) -> _Counting:  # noqa: ARG002 - as an encoder's
        return self

    def tokens(self, sound: torch.Tensor, layer: int | None) -> torch.Tensor:
        given: list[torch.Tensor] = []
        self.macs += all_multiply_accumulates(lambda: given.append(self._encoder.tokens(sound, layer)))
        return given[0]


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
