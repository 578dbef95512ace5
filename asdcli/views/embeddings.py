"""Embeddings as scorers need them: all windows in an order that does not depend on the file's, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import BadArtifact, BadData
from asdcli.views.timeline import Timeline
from asdcli.views.windows import of_clips
from asdcli.vocabulary import IMPORTED, OfWindows, Split

BANDS = "bands"
"""Under this name the diagnostics of embeddings say which dimensions each band of frequencies is in, lowest first."""
STANDARDISED = "standardised"
"""Under this name they say that each dimension was standardised with the training clips of its machine type."""
_ROUNDED = 1e-3  # a spread that is so much below 1 is that of a dimension which hardly differs at all


@dataclass(frozen=True, eq=False)
class Embedded:
    """All windows of a table of embeddings, sorted by clip_id and window.

    Attributes:
        clips: the label columns and `seen`, one row a clip.
        vectors: (n_windows, n_dims) float32 or float64, finite.
        clip: (n_windows,) the row of `clips` that each window belongs to.
        window: (n_windows,) its number there.
        timelines: of machine types whose groups are blocks of a length that their scores told.
    """

    clips: pa.Table
    vectors: np.ndarray
    clip: np.ndarray
    window: np.ndarray
    header: artifacts.Header
    timelines: Mapping[str, Timeline] = field(default_factory=dict)
    _columns: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def column(self, name: str) -> np.ndarray:
        """A label column as (n_clips,) objects, None where null; not to be written to."""
        if name not in self._columns:
            values = self.clips[name].to_pylist()  # lists among them stay lists, also where all are equally long
            self._columns[name] = np.fromiter(values, object, len(values))
        return self._columns[name]

    @property
    def bands(self) -> np.ndarray | None:
        """(n_bands, width) int64, the dimensions that each band of frequencies is in; None where nobody says it.

        Raises:
            BadArtifact: what the header says is no such layout.
        """
        said = self.header.diagnostics.get(BANDS)
        if said is None:
            return None
        try:
            layout = np.array(said)
        except ValueError:  # bands of different widths
            layout = np.empty(0)
        if layout.ndim != 2 or layout.dtype.kind != "i" or layout.min() < 0 or layout.max() >= self.vectors.shape[1]:
            raise BadArtifact(
                "the bands in the header of the embeddings are none", "make them again: asd embed --force"
            )
        return layout

    @property
    def brought(self) -> bool:
        """Whether the vectors are somebody's own: no embedder of asd made them."""
        return self.header.params.get("embedder", IMPORTED) == IMPORTED

    def without(self, clips: np.ndarray) -> Embedded:
        """The same as if `clips`, rows of `clips` of one machine type, had been no training clips of it.

        Where an embedder standardised the dimensions with the training clips, they are standardised again with the
        others: what is standardised with a clip in it lies nearer to the rest than a new clip does, the more the fewer
        there are. A dimension in which they hardly differ is not blown up.
        """
        if not self.header.diagnostics.get(STANDARDISED) or not len(clips):
            return self
        own = self.column("machine_type") == self.column("machine_type")[clips[0]]
        train = own & (self.column("split") == str(Split.TRAIN))
        rest = train.copy()
        rest[clips] = False
        rows, spread = own[self.clip], self.vectors[train[self.clip]].std(axis=0, dtype=np.float64)
        others = self.vectors[rest[self.clip]].astype(np.float64)
        least = np.where(spread < 1 - _ROUNDED, 1.0, _ROUNDED)
        mean = np.where(spread > 0, others.mean(axis=0), 0.0)  # one coordinate is the same of all
        vectors = self.vectors.copy()
        vectors[rows] = (vectors[rows] - mean) / np.maximum(others.std(axis=0), least)
        return replace(self, vectors=vectors)

    def of_clips(self, windows: np.ndarray, how: OfWindows = "mean") -> np.ndarray:
        """The mean or the highest of a value a window over each clip's windows: (n_clips,)."""
        return of_clips(windows, self.clip, how, len(self.clips))


def read_embeddings(path: Path) -> Embedded:
    """Read embeddings.

    Raises:
        MissingArtifact, BadArtifact: no embeddings there, or values that are none, with the clip's name.
        BadData: not one row.
    """
    table, header = artifacts.read_table(path, artifacts.EMBEDDINGS, headerless=True)
    if not len(table):
        raise BadData(f"{path} holds no embeddings", f"make them again: {artifacts.EMBEDDINGS.to_type}")
    return embedded_of(table, header)


def embedded_of(table: pa.Table, header: artifacts.Header) -> Embedded:
    """The same of the rows of a table of embeddings."""
    table = table.take(pc.sort_indices(table, [("clip_id", "ascending"), ("window", "ascending")])).combine_chunks()
    ids = table["clip_id"].to_pylist()
    vectors = matrix(table["vector"])
    first = np.array([i == 0 or ids[i] != ids[i - 1] for i in range(len(ids))])
    clips = table.select([*artifacts.CLIP_COLUMNS, "seen"]).filter(pa.array(first))
    return Embedded(clips, vectors, np.cumsum(first) - 1, table["window"].to_numpy(), header)


def matrix(column: pa.ChunkedArray) -> np.ndarray:
    """(n, n_dims) of a column of vectors."""
    values = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(column), len(values) // max(len(column), 1))
