"""Embeddings as scorers need them: all windows in an order that does not depend on the file's, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import BadData
from asdcli.views.timeline import Timeline
from asdcli.views.windows import of_clips
from asdcli.vocabulary import OfWindows


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
            self._columns[name] = np.array(self.clips[name].to_pylist(), dtype=object)
        return self._columns[name]

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
