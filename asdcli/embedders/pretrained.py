"""Embeddings by encoders that others have trained, frozen: somebody's checkpoint, a layer of it, and a pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from asdcli.embedders import Embedding
from asdcli.embedders.pieces import Pieces
from asdcli.errors import UsageError
from asdcli.features.ears import EARS, Ear
from asdcli.features.pack import WaveformPack
from asdcli.models.encoders import Architecture, Config, Encoder, EncoderName, require_layer
from asdcli.models.encoders.architectures import ARCHITECTURES
from asdcli.models.encoders.checkpoints import Checkpoint, named
from asdcli.models.poolings import POOLINGS, Pooling
from asdcli.models.poolings.checks import unlearnt
from asdcli.progress import Progress
from asdcli.spec import part

_ON_CPU = 4
"""Windows at once on a CPU: more fall out of its caches, and take half as long again (`tests.bench encoders`)."""


@dataclass(frozen=True)
class Pretrained:
    """A vector a clip: windows of the encoder's length through the encoder, pooled, and the mean over the windows.

    Clips are resampled to the encoder's rate; shorter ones are repeated until they fill a window, and the last window
    of a longer one is flush with its end. `asd embed --embedder ast:checkpoint=weights/ast,layer=10,pool=gem,p=3`.

    The weights are the user's: nothing is shipped, and a name is fetched only because it was typed, once, with its
    size, licence and digest shown. No code of a checkpoint is ever run. Vectors are of its digest: another one makes
    them stale, and no detector takes it.

    Source: the pages and papers named in docs/front-ends.md.

    Attributes:
        model: the family of the encoder.
        checkpoint: a folder with config.json and weights, the weights in it, or OWNER/NAME on a hub.
        layer: after so many blocks, from 1 on; none: what the encoder gives at its end.
        pool: how the places of a window become one vector.
        keep: `bands` pools over time alone and keeps the bands of frequencies apart, one after the other, for methods
            such as beam.
        precision: in which the encoder computes.
    """

    model: EncoderName
    checkpoint: str
    layer: int | None = None
    pool: str = part(POOLINGS, "mean")
    keep: Literal["bands"] | None = None
    precision: Literal["fp32", "bf16"] = "fp32"

    features: ClassVar[str] = "waveform"
    trained: ClassVar[bool] = False
    in_blocks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "pool", POOLINGS.canonical(self.pool))
        if getattr(POOLINGS.build(self.pool), "trained", False):
            raise unlearnt(self.pool)

    def found(self, progress: Progress) -> FoundCheckpoint:
        """With its checkpoint found, and all parameters held against it; the weights are not read yet.

        Raises:
            MissingArtifact, DownloadError: there is no such checkpoint. BadArtifact: it is of another model, or broken.
            UsageError: a layer or bands that the encoder does not have.
        """
        checkpoint = Checkpoint.open(self.checkpoint, progress)
        architecture, ear = ARCHITECTURES[self.model], EARS[self.model]
        with named(self.checkpoint):
            settings = architecture.settings(checkpoint.config)
            ear.check(self.model, checkpoint.preprocessor)
            n_bands = self._bands(architecture, settings)
        return FoundCheckpoint(self, checkpoint, architecture, ear, settings, n_bands)

    def _bands(self, architecture: Architecture, settings: Config) -> int | None:
        """Of the layer, None where there are none. Raises UsageError as `found`."""
        require_layer(self.model, architecture.n_layers(settings), self.layer)
        n_bands = architecture.n_bands(settings, self.layer)
        if self.keep == "bands" and n_bands is None:
            with_bands = [name for name, of in ARCHITECTURES.items() if of.has_bands]
            raise UsageError(
                f"keep=bands: {self.model} has no bands of frequencies",
                f"leave keep=bands out, or take one that has them: {', '.join(with_bands)}",
            )
        return n_bands


@dataclass(frozen=True, eq=False)
class FoundCheckpoint:
    """`Pretrained` with the checkpoint that it names.

    Attributes:
        settings: of the encoder.
        n_bands: of the layer that is taken; None where it has none.
    """

    of: Pretrained
    checkpoint: Checkpoint
    architecture: Architecture
    ear: Ear
    settings: Config
    n_bands: int | None

    @property
    def made_of(self) -> dict[str, str]:
        """Role -> digest of each file of the checkpoint: vectors are of these."""
        return self.checkpoint.digests

    def bands(self, n_dims: int) -> np.ndarray | None:
        """(n_bands, n_dims / n_bands), the dimensions of each band; None where they were not kept."""
        if self.of.keep != "bands" or self.n_bands is None:
            return None
        return np.arange(n_dims).reshape(self.n_bands, -1)

    def loaded(self, device: torch.device, batch_size: int, progress: Progress) -> Frozen:
        """With its weights, on a device.

        Raises:
            BadArtifact: they are not those of such an encoder. AsdError: its library is not installed.
        """
        with named(self.of.checkpoint):
            encoder = self.architecture.load(self.settings, self.checkpoint.weights())
        if not self.checkpoint.preprocessor and self.ear.is_preprocessed:
            told = f"{self.of.model} hears what it was published with"
            progress.note(f"{self.of.checkpoint} has no preprocessor_config.json: {told}")
        return Frozen(self, encoder.to(device), device, batch_size)


@dataclass(frozen=True, eq=False)
class Frozen:
    """An encoder at work.

    Attributes:
        batch_size: clips at once, and windows; a CPU takes these a few at a time.
    """

    found: FoundCheckpoint
    encoder: Encoder
    device: torch.device
    batch_size: int

    features: ClassVar[str] = "waveform"
    trained: ClassVar[bool] = False
    in_blocks: ClassVar[bool] = True

    def embed(self, pack: WaveformPack, is_train: np.ndarray) -> Embedding:
        """One vector a clip, not normalised.

        Raises:
            BadData: the clips cannot be resampled to the encoder's rate.
        """
        found = self.found
        front = found.ear.front(found.settings, found.checkpoint.preprocessor, pack.sample_rate)
        pieces = Pieces.every(pack, front.window, front.window)
        pooling: Pooling = POOLINGS.build(found.of.pool)
        batches = []
        with torch.inference_mode():
            for waves, _ in pieces.batches(self.batch_size, self.device):
                for some in waves.split(_ON_CPU if self.device.type == "cpu" else len(waves)):
                    batches.append(self._pooled(self._tokens(front(some)), pooling).cpu())
        vectors = torch.cat(batches).numpy()
        first = np.flatnonzero(np.diff(pieces.clip, prepend=-1))
        counts = np.diff(np.append(first, len(vectors)))
        return Embedding.one_per_clip(np.add.reduceat(vectors.astype(np.float64), first) / counts[:, None])

    def _tokens(self, sound: torch.Tensor) -> torch.Tensor:
        """(batch, n_times, n_bands, n_dims) float32."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.found.of.precision == "bf16"):
            return self.encoder.tokens(sound, self.found.of.layer).float()

    def _pooled(self, tokens: torch.Tensor, pooling: Pooling) -> torch.Tensor:
        """(batch, n_dims), or with bands (batch, n_bands n_dims), band after band."""
        if self.found.of.keep != "bands":
            return pooling.pool(tokens.flatten(1, 2))
        by_band = tokens.transpose(1, 2)
        return pooling.pool(by_band.flatten(0, 1)).reshape(len(tokens), -1)
