"""`asd embed --from FILE`: somebody's own vectors become an embeddings table like any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.embedders import IMPORTED
from asdcli.errors import BadData
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.views.foreign import ForeignTable, read_foreign
from asdcli.views.foreign_vectors import HINT, numeric, vectors_of
from asdcli.vocabulary import Subset

_REQUIRED = ("clip_id", "machine_type", "split")
_OPTIONAL = ("section", "subset", "domain", "condition", "attribute_string")


def run(source: Path, output: Path, *, dataset: str, force: bool = False, progress: Progress = SILENT) -> Outcome:
    """Check the vectors in `source` and write them to `output` as embeddings of `dataset`.

    Args:
        source: CSV or Parquet with the columns clip_id, machine_type, split, optionally section, domain, condition,
            subset (`dev` where absent), window (0 where absent), and v0, v1, … or one list column `vector`; or npz with
            arrays of those names and `vectors` (n, d). Names and words may be any that `asd index` takes.
        output: embeddings.parquet.
        dataset: name for the header.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact, UsageError: no such file, or another format.
        BadData: a missing column, an unknown word, a duplicate (clip_id, window), ragged or non-finite vectors, or a
            clip whose windows disagree about what it is.
    """
    foreign = read_foreign(source, numeric=numeric)
    upstream = artifacts.Header("foreign file", 1, asdcli="foreign", content=foreign.digest)
    params = {"embedder": IMPORTED}
    header = artifacts.Header.make(artifacts.EMBEDDINGS, dataset=dataset, params=params, inputs={"source": upstream})
    if not force and artifacts.is_current(output, artifacts.EMBEDDINGS, header):
        return Outcome(output, "current")
    table = _table(foreign, vectors_of(foreign))
    for name in ("section", "domain", "condition"):
        if table[name].null_count == len(table):
            progress.note(f"{source} says no {name}")
    artifacts.write_table(output, artifacts.EMBEDDINGS, table, header)
    n_clips = len(set(foreign.labels["clip_id"]))
    n_dims = table.schema.field("vector").type.list_size
    return Outcome(output, facts={"clips": n_clips, "vectors": len(table), "dimensions": n_dims})


def _table(foreign: ForeignTable, vectors: np.ndarray) -> pa.Table:
    source, n = foreign.path, len(foreign)
    missing = [name for name in _REQUIRED if name not in foreign.labels]
    if missing:
        has = ", ".join(foreign.table.column_names)
        raise BadData(f"{source}: column {missing[0]!r} is missing; it has: {has}", HINT)
    labels = {name: foreign.labels.get(name, [None] * n) for name in (*_REQUIRED, *_OPTIONAL)}
    if "subset" not in foreign.labels:
        labels["subset"] = [Subset.DEV.value] * n
    for name in (*_REQUIRED, "subset"):
        if None in labels[name]:
            raise BadData(f"{source}: {name} is empty in row {labels[name].index(None) + 1}")
    windows = _windows(source, foreign.labels.get("window"), n)
    _check_keys(source, labels, windows)
    vectors = _finite(source, vectors, labels["clip_id"])
    flat = pa.array(vectors.reshape(-1), pa.float32())
    return pa.table(
        {
            **{name: pa.array(values, pa.string()) for name, values in labels.items()},
            "window": pa.array(windows, pa.int32()),
            "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
        }
    )


def _windows(source: Path, column: list[str | None] | None, n: int) -> list[int]:
    if column is None:
        return [0] * n
    for row, value in enumerate(column, 1):
        if value is None or not value.isdecimal():
            raise BadData(f"{source}: window {value!r} in row {row} is not a number from 0")
    return [int(value or 0) for value in column]


def _check_keys(source: Path, labels: dict[str, list[str | None]], windows: list[int]) -> None:
    """No (clip_id, window) twice, and all windows of a clip of one mind about the clip."""
    told: dict[str | None, tuple[str | None, ...]] = {}
    seen: set[tuple[str | None, int]] = set()
    for row, (clip_id, window) in enumerate(zip(labels["clip_id"], windows, strict=True), 1):
        if (clip_id, window) in seen:
            raise BadData(
                f"{source}: clip {clip_id!r} stands twice with window {window}, again in row {row}",
                "one row a clip; several windows of a clip need a column window: 0, 1, …",
            )
        seen.add((clip_id, window))
        mine = tuple(values[row - 1] for values in labels.values())
        if told.setdefault(clip_id, mine) != mine:
            raise BadData(f"{source}: the windows of clip {clip_id!r} disagree about its labels, see row {row}")


def _finite(source: Path, vectors: np.ndarray, clip_ids: list[str | None]) -> np.ndarray:
    with np.errstate(over="ignore"):
        narrow = vectors.astype(np.float32)  # a value that float32 cannot hold becomes infinite, and is named below
    bad = np.flatnonzero(~np.isfinite(narrow).all(axis=1))
    if len(bad):
        raise BadData(
            f"{source}: NaN, empty or infinite values in {len(bad)} vectors, the first of clip {clip_ids[bad[0]]!r}",
            "leave such clips out or repair the front-end that made them",
        )
    return narrow
