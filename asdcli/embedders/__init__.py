"""Embedders: features of the clips of one machine type in, embeddings out.

A newcomer is a frozen dataclass (its fields are its parameters) with the attributes and the method of `Embedder`, and
one line in `EMBEDDERS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, get_args

from asdcli.models.encoders import EncoderName
from asdcli.spec import Registry

if TYPE_CHECKING:
    import numpy as np

EMBEDDERS = Registry(
    "embedder",
    {
        "trained": "asdcli.embedders.trained:Trained",
        "discriminative": "asdcli.embedders.trained:Trained",
        "serial-oe": "asdcli.embedders.trained:Trained",
        "logmel": "asdcli.embedders.logmel:LogMel",
        "pretrained": "asdcli.embedders.pretrained:Pretrained",
    },
    group="asdcli.embedders",
    needs=("features", "trained", "embed"),
    short={model: f"pretrained:model={model}" for model in get_args(EncoderName)},
)

TRAINED = "trained"
"""The embedder that rebuilds any trained network."""


@dataclass(frozen=True)
class Embedding:
    """What an embedder returns.

    Attributes:
        vectors: (n_windows, n_dims) float32.
        clip: (n_windows,) int64, index in the pack of the clip that a row belongs to, ascending.
    """

    vectors: np.ndarray
    clip: np.ndarray

    @classmethod
    def one_per_clip(cls, vectors: np.ndarray) -> Embedding:
        """Row i is the one vector of clip i."""
        import numpy as np

        return cls(np.ascontiguousarray(vectors, dtype=np.float32), np.arange(len(vectors), dtype=np.int64))

    @property
    def window(self) -> np.ndarray:
        """(n_windows,) int64, number of a row within its clip, from 0."""
        import numpy as np

        first = np.searchsorted(self.clip, self.clip, side="left")
        return np.arange(len(self.clip), dtype=np.int64) - first

    def of_clips(self, clip_ids: np.ndarray) -> Embedding:
        """The channels of a clip, which stand side by side in the pack, as its windows, one after the other.

        Args:
            clip_ids: of the pack. `clip` becomes the first of the clip's rows there.
        """
        import numpy as np

        first = np.flatnonzero(np.append(True, clip_ids[1:] != clip_ids[:-1]))
        return Embedding(self.vectors, first[np.searchsorted(first, self.clip, side="right") - 1])


class Embedder(Protocol):
    """Turns a pack into vectors. Machine types are embedded one by one, so a pack holds exactly one of them.

    Attributes:
        features: the kind it reads, `features/<kind>/<machine_type>.npz`.
        trained: whether it is made by `asd train`; such a one is loaded from `model/`, the others from their spelling.

    One that has a network for each machine type also has `of_machine_type(name)`, which gives the embedder of one. One
    that looks at `is_train` also has `fitted(pack, is_train)`, which gives the embedder with the statistics of these
    training clips: it embeds new clips as if they had stood in that pack. One with `in_blocks` = True embeds each block
    of `batch_size` clips of a pack, counted from the first, by itself, and looks at no other: a machine type can be cut
    there, and the pack's `part(start, stop)` be embedded elsewhere. One whose dimensions belong to bands of frequencies
    has `bands(n_dims)`, a static method: an (n_bands, width) int64 array of the dimensions that each band is in, lowest
    frequencies first; a dimension may be in several. One that brings each dimension to mean 0 and spread 1 over the
    training clips has `standardises` = True: a training clip is then as if new only where that was done without it.

    One with weights of its own has in place of `embed` a method `found(progress)`, which looks for them and gives an
    object with `made_of` (role -> digest of each of their files), `bands(n_dims)`, which may be None, and
    `loaded(device, batch_size, progress)`, which reads them and gives the embedder: see `embedders.pretrained`.
    """

    features: ClassVar[str]
    trained: ClassVar[bool]

    def embed(self, pack: Any, is_train: np.ndarray) -> Embedding:
        """Embed the clips of one machine type.

        Args:
            pack: `features.pack.WaveformPack` or `VectorPack`, as `features` says.
            is_train: (n_clips,) bool, the clips whose statistics may be used: the training split, normal by definition.
        """
        ...
