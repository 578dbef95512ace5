"""Embeddings as scorers need them: all windows in an order that does not depend on the file's, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import BadArtifact, BadData
from asdcli.views.windows import mean_by_clip
from asdcli.vocabulary import Domain, Split


@dataclass(frozen=True, eq=False)
class Embedded:
    """All windows of a table of embeddings, sorted by clip_id and window.

    Attributes:
        clips: the label columns, one row a clip.
        vectors: (n_windows, n_dims) float32 or float64, finite.
        clip: (n_windows,) the row of `clips` that each window belongs to. window: (n_windows,) its number there.
    """

    clips: pa.Table
    vectors: np.ndarray
    clip: np.ndarray
    window: np.ndarray
    header: artifacts.Header
    _columns: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def column(self, name: str) -> np.ndarray:
        """A label column as (n_clips,) objects, None where null; not to be written to."""
        if name not in self._columns:
            self._columns[name] = np.array(self.clips[name].to_pylist(), dtype=object)
        return self._columns[name]

    def mean(self, windows: np.ndarray) -> np.ndarray:
        """The mean over each clip's windows of a value a window: (n_clips,)."""
        return mean_by_clip(windows, self.clip, len(self.clips))


def read_embeddings(path: Path) -> Embedded:
    """Read embeddings and check what a scorer relies on.

    Raises:
        MissingArtifact, BadArtifact: no embeddings there, or vectors of several lengths.
        BadData: a vector that is not finite, or a split or domain that is none, with the clip's name.
    """
    table, header = artifacts.read_table(path, artifacts.EMBEDDINGS, headerless=True)
    if not len(table):
        raise BadData(f"{path} holds no embeddings", f"make them again: {artifacts.EMBEDDINGS.made_by}")
    table = table.take(pc.sort_indices(table, [("clip_id", "ascending"), ("window", "ascending")])).combine_chunks()
    ids = table["clip_id"].to_pylist()
    vectors = matrix(table["vector"].combine_chunks(), path)
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(broken):
        raise BadData(
            f"{path}: the embedding of {ids[broken[0]]} is not finite ({len(broken)} of {len(ids)} rows)",
            "check its audio and features, then embed again: asd embed --force",
        )
    for name, words in (("split", Split), ("domain", Domain)):
        _check_words(table, name, [str(w) for w in words], path)
    first = np.array([i == 0 or ids[i] != ids[i - 1] for i in range(len(ids))])
    clips = table.select(list(artifacts.CLIP_COLUMNS)).filter(pa.array(first))
    return Embedded(clips, vectors, np.cumsum(first) - 1, table["window"].to_numpy(), header)


def matrix(column: pa.Array, path: Path) -> np.ndarray:
    """(n, n_dims) of a list column."""
    if not isinstance(column.type, (pa.ListType, pa.LargeListType, pa.FixedSizeListType)):
        raise BadArtifact(f"{path}: column 'vector' is {column.type}, not a list of numbers")
    lengths = pc.list_value_length(column)
    shortest, longest = (pc.min_max(lengths)[k].as_py() for k in ("min", "max"))
    if column.null_count or shortest != longest or not longest:
        raise BadArtifact(
            f"{path}: vectors have {shortest} to {longest} dimensions, {column.null_count} are missing",
            "every window needs a vector of the same length",
        )
    flat = column.flatten()
    if not (pa.types.is_floating(flat.type) or pa.types.is_integer(flat.type)):
        raise BadArtifact(f"{path}: column 'vector' is {column.type}, not a list of numbers")
    values = flat.to_numpy(zero_copy_only=False)  # null entries become NaN
    return values.reshape(len(column), longest)


def _check_words(table: pa.Table, name: str, words: list[str], path: Path) -> None:
    strange = pc.and_(pc.is_valid(table[name]), pc.invert(pc.is_in(table[name], pa.array(words))))
    row = pc.index(strange, True).as_py()
    if row >= 0:
        raise BadData(
            f"{path}: {table['clip_id'][row].as_py()} has {name} {table[name][row].as_py()!r}",
            f"known: {', '.join(words)}",
        )
