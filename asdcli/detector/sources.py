"""What makes the windows that a method scores: an embedder, or an autoencoder that misses something of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.embedders import EMBEDDERS
from asdcli.errors import BadArtifact, UsageError
from asdcli.models.networks import NETWORKS
from asdcli.progress import SILENT, Progress
from asdcli.spec import Registry, parse
from asdcli.views import packs
from asdcli.views.clips import rows_of
from asdcli.views.windows import first_of_each, mean_by_clip, mean_of_windows
from asdcli.vocabulary import FP32, IMPORTED, Split

if TYPE_CHECKING:
    from asdcli.embedders.residuals import Reconstruction
    from asdcli.features.pack import WaveformPack

AGAIN = "asd embed && asd score"


class WindowSource(Protocol):
    """Makes windows of the clips of one machine type.

    Attributes:
        features: the kind of pack that it takes.
    """

    features: str

    def windows(self, machine_type: str, pack: Any) -> tuple[Any, np.ndarray]:
        """What a scorer takes: vectors (n_windows, n_dims), or a list of residuals; and the row of the pack of each.

        Errors as those of the embedder: another sample rate, a machine type that was not trained.
        """
        ...

    def mean(self, scores: np.ndarray, clip: np.ndarray) -> np.ndarray:
        """The mean over the windows of each clip, in the order of the clips; `clip` (n_windows,) counts from 0."""
        ...


@dataclass(frozen=True)
class Training:
    """The training clips of a run whose statistics an untrained embedder needs.

    `made_of` are the digests that a detector was made of: nothing else will do.
    """

    features: Path
    clips: Path
    made_of: frozenset[str]

    def load(self, kind: str, machine_type: str) -> tuple[Any, np.ndarray]:
        """The pack of a machine type, and which of its rows are training clips.

        Raises:
            MissingArtifact: no clips or features. BadArtifact: others than those that the detector was made of.
        """
        table, header = artifacts.read_table(self.clips, artifacts.CLIPS)
        found = packs.find(self.features, kind, table, [machine_type], SILENT)
        for path, digest in ((self.clips, header.content), (found.folder, found.headers[machine_type].content)):
            if digest not in self.made_of:
                raise BadArtifact(f"{path} has changed since the detector was made", f"make it again: {AGAIN}")
        rows = rows_of(table, machine_type)
        pack = found.load(machine_type, rows)
        ids = pa.array(pack.clip_ids.tolist(), pa.string())
        split = rows["split"].take(pc.index_in(ids, value_set=rows["clip_id"].combine_chunks()))
        return pack, np.array(split.to_pylist()) == str(Split.TRAIN)


class EmbeddingSource:
    """An embedder; one without training also has the run's training clips, whose statistics it takes."""

    def __init__(self, embedder: Any, training: Training | None) -> None:
        self.features: str = embedder.features
        self._embedder, self._training = embedder, training
        self._of_machine_types: dict[str, Any] = {}

    def windows(self, machine_type: str, pack: Any) -> tuple[np.ndarray, np.ndarray]:
        embedded = self._of(machine_type).embed(pack, np.zeros(len(pack.clip_ids), bool))
        return embedded.vectors, embedded.clip

    def mean(self, scores: np.ndarray, clip: np.ndarray) -> np.ndarray:
        return mean_by_clip(scores, clip)

    def _of(self, machine_type: str) -> Any:
        if machine_type not in self._of_machine_types:
            embedder = self._embedder
            if hasattr(embedder, "of_machine_type"):
                embedder = embedder.of_machine_type(machine_type)
            if hasattr(embedder, "fitted") and self._training is not None:
                embedder = embedder.fitted(*self._training.load(self.features, machine_type))
            self._of_machine_types[machine_type] = embedder
        return self._of_machine_types[machine_type]


class ResidualSource:
    """Autoencoders, one a machine type."""

    features = "waveform"

    def __init__(self, network: Reconstruction) -> None:
        self._network = network

    def windows(self, machine_type: str, pack: WaveformPack) -> tuple[list[np.ndarray], np.ndarray]:
        self._network.check(machine_type, pack)
        of_clips = list(self._network.windows(machine_type, pack, range(len(pack))))
        clip = np.repeat(np.arange(len(pack)), [len(windows) for windows in of_clips])
        return [window for windows in of_clips for window in windows], clip

    def mean(self, scores: np.ndarray, clip: np.ndarray) -> np.ndarray:
        return mean_of_windows(scores, first_of_each(clip))


def gathered(source: WindowSource, machine_type: str, packs: Iterable[Any]) -> tuple[Any, np.ndarray, np.ndarray]:
    """What the source makes of several packs, of which one at a time is held.

    Returns:
        the windows; (n_windows,) the row of each, counted through all packs; (n_rows,) the clip_ids of rows.
    """
    parts, rows, names, n_rows = [], [], [], 0
    for pack in packs:
        part, row = source.windows(machine_type, pack)
        parts.append(part)
        rows.append(row + n_rows)
        names.append(pack.clip_ids)
        n_rows += len(pack.clip_ids)
    of_arrays = all(isinstance(part, np.ndarray) for part in parts)
    windows = np.concatenate(parts) if of_arrays else [window for part in parts for window in part]
    return windows, np.concatenate(rows), np.concatenate(names)


def source_of(
    header: Header,
    takes: str,
    *,
    model: Path,
    features: Path | None,
    clips: Path | None,
    device: str,
    batch_size: int,
    progress: Progress,
) -> WindowSource:
    """What made the windows that a detector of this header was learnt from.

    Raises:
        MissingArtifact, BadArtifact: no model, or another than that of the header; or vectors that no embedder made.
        UsageError: no features and clips for an embedder that needs them, or no such device.
    """
    if takes == "residuals":
        _require_same(model, header)
        return ResidualSource(reconstruction(model, device))
    made = header.stage(artifacts.EMBEDDINGS)
    spelling = made["params"].get("embedder") if made else None
    if not isinstance(spelling, str) or spelling == IMPORTED:
        raise BadArtifact(
            "the vectors that this detector was learnt from were not made by asd embed: it can only score vectors",
            "embed with a model of asd train, or make vectors as these were made",
        )
    announce(spelling, EMBEDDERS, "the detector's embedder", progress)
    cls: Any = EMBEDDERS.load(parse(spelling)[0])
    if cls.trained:
        _require_same(model, header)
        precision = str((made or {})["params"].get("precision", FP32))
        return EmbeddingSource(trained_embedder(cls, model, device, batch_size, progress, precision), None)
    embedder = found(EMBEDDERS.build(spelling), progress)
    _require_same_files(embedder, made or {}, spelling)
    embedder = loaded(embedder, device, batch_size, progress)
    if not hasattr(embedder, "fitted"):
        return EmbeddingSource(embedder, None)
    if features is None or clips is None:
        raise UsageError(f"embedder {spelling!r} needs the run's clips and features", "say where they are")
    contents = frozenset(str(entry["content"]) for entry in header.history)
    return EmbeddingSource(embedder, Training(features, clips, contents))


def found(embedder: Any, progress: Progress) -> Any:
    """The embedder with the files of its weights, where it has some. Errors as its own `found`."""
    return embedder.found(progress) if hasattr(embedder, "found") else embedder


def made_of(embedder: Any) -> dict[str, str]:
    """Role -> digest of each file of an embedder's own weights; nothing of one that has none."""
    return dict(getattr(embedder, "made_of", {}))


def loaded(embedder: Any, device: str, batch_size: int, progress: Progress) -> Any:
    """What `found` gave, ready to embed.

    Raises:
        UsageError: no such device. What its own `loaded` raises.
    """
    if not hasattr(embedder, "loaded"):
        return embedder
    from asdcli.training.devices import pick_device

    return embedder.loaded(pick_device(device), batch_size, progress)


def trained_embedder(
    cls: Any, model: Path, device: str, batch_size: int, progress: Progress, precision: str = FP32
) -> Any:
    """The embedder of the class `cls` of a model that `asd train` wrote, which embeds in `precision` (fp32 or bf16).

    Raises:
        MissingArtifact, BadArtifact: no model there, or not a whole one. UsageError: no such device.
    """
    from asdcli.training.devices import pick_device
    from asdcli.training.model_files import read_model

    weights, card, _ = read_model(model)
    for spelling in {card.get("network", "dual-branch"), *card.get("networks", {}).values()}:
        announce(spelling, NETWORKS, "the model's network", progress)
    embedder = cls.load(card, weights, pick_device(device), batch_size)
    return embedder if precision == FP32 else embedder.in_precision(precision)


def reconstruction(model: Path, device: str) -> Reconstruction:
    """The autoencoders of a model that `asd train --model autoencoder` wrote. Errors as `trained_embedder`."""
    from asdcli.embedders.residuals import Reconstruction
    from asdcli.training.devices import pick_device
    from asdcli.training.model_files import read_model

    weights, card, _ = read_model(model)
    return Reconstruction.load(card, weights, pick_device(device))


def announce(spelling: str, registry: Registry, what: str, progress: Progress) -> None:
    """Say that `what` is of another package: code that a file asks for does not run unannounced."""
    if parse(spelling)[0] not in registry.entries:
        progress.note(f"{what} is {spelling}, of another package")


def _require_same_files(embedder: Any, made: Mapping[str, Any], spelling: str) -> None:
    """Raises BadArtifact where an embedder's own weights are not those that the embeddings were made with."""
    before = made.get("inputs", {})
    if other := [role for role, digest in made_of(embedder).items() if before.get(role) != digest]:
        raise BadArtifact(
            f"the {other[0]} of {spelling} is not the one that the detector was made with",
            f"put that one back, or make the detector again: {AGAIN}",
        )


def _require_same(model: Path, header: Header) -> None:
    made_with: Mapping[str, Any] | None = header.stage(artifacts.MODEL)
    if made_with is None or artifacts.read_header(model, artifacts.MODEL).content != made_with["content"]:
        raise BadArtifact(f"the model in {model} is not the one that the detector was made with", AGAIN)
