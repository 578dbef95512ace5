"""`asd embed --from FILE`: somebody's own vectors become an embeddings table like any other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import BadData
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.views.errors_table import is_whole, write_errors
from asdcli.views.fold_embeddings import beside
from asdcli.views.foreign import ForeignTable, read_foreign
from asdcli.views.foreign_vectors import HINT, numeric, vectors_of
from asdcli.views.joined_labels import joined
from asdcli.vocabulary import IMPORTED, Subset
from asdcli.wording import they_are
from asdcli.writing.locks import alone_with

_REQUIRED = ("clip_id", "machine_type", "split")
_OPTIONAL = ("section", "subset", "domain", "condition", "attribute_string")


@dataclass(frozen=True)
class BroughtFacts:
    """How many vectors came, of how many clips and dimensions."""

    clips: int
    vectors: int
    dimensions: int


def read(source: Path) -> ForeignTable:
    """What `run` reads. Errors as it has."""
    return read_foreign(source, numeric=numeric)


@alone_with("output")
def run(
    source: Path | ForeignTable,
    output: Path,
    *,
    errors: Path,
    dataset: str,
    labels: Path | None = None,
    on_error: Literal["fail", "skip"] = "fail",
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Check the vectors in `source` and write them to `output` as embeddings of `dataset`.

    Args:
        source: CSV or Parquet with the columns clip_id, machine_type, split, optionally section, domain, condition,
            subset (`dev` where absent), window (0 where absent), and v0, v1, … or one list column `vector`; or npz with
            arrays of those names and `vectors` (n, d). Names and words may be any that `asd index` takes; `filename`
            will do for clip_id. Or such a file, already read.
        output: embeddings.parquet.
        errors: table of the clips left out; removed when there are none.
        dataset: name for the header.
        labels: a table of the same formats, one row a clip, that says what `source` does not.
        on_error: `fail` stops at a vector that is not finite; `skip` leaves its clip out.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact, UsageError: no such file, or another format.
        BadData: a missing column, an unknown word, a duplicate (clip_id, window), ragged or non-finite vectors, a clip
            whose windows disagree about what it is, or `labels` that know no clip.
    """
    foreign = source if isinstance(source, ForeignTable) else read(source)
    said = None if labels is None else read_foreign(labels, numeric=numeric)
    brought = {"source": foreign, **({"labels": said} if said else {})}
    inputs = {role: artifacts.Header.foreign(table.digest) for role, table in brought.items()}
    params = {"embedder": IMPORTED}
    header = artifacts.Header.make(artifacts.EMBEDDINGS, dataset=dataset, params=params, inputs=inputs)
    if not force and is_whole(output, artifacts.EMBEDDINGS, header):
        return Outcome(output, "current")
    artifacts.claim(errors, artifacts.ERRORS, force=force)
    strangers: list[str] = []
    if said is not None:
        foreign, strangers = joined(foreign, said, progress)
        if strangers:
            progress.left_out(f"{they_are(strangers, 'clip')} not in {labels} and left out (all are named in {errors})")
    table = _table(foreign, vectors_of(foreign))
    table, broken = _finite(table, foreign.path, on_error)
    if broken:
        progress.left_out(f"{they_are(list(broken), 'clip')} not finite and left out (all are named in {errors})")
    left_out = [(c, c, f"{labels} has no such clip") for c in strangers] + [(c, c, why) for c, why in broken.items()]
    for name in ("section", "domain", "condition"):
        if table[name].null_count == len(table):
            progress.note(f"{labels or foreign.path} says no {name}")
    header = replace(header, diagnostics={"skipped": len(left_out)}) if left_out else header
    write_errors(errors, left_out, artifacts.Header.make(artifacts.ERRORS, dataset=dataset, inputs=inputs))
    beside(output).unlink(missing_ok=True)  # they are of a model
    artifacts.write_table(output, artifacts.EMBEDDINGS, table, header)
    n_clips = len(set(table["clip_id"].to_pylist()))
    n_dims = table.schema.field("vector").type.list_size
    return Outcome(output, skipped=len(left_out), facts=BroughtFacts(n_clips, len(table), n_dims))


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
    with np.errstate(over="ignore"):  # a value that float32 cannot hold becomes infinite, and is named as such
        flat = pa.array(vectors.astype(np.float32).reshape(-1), pa.float32())
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


def _finite(table: pa.Table, source: Path, on_error: Literal["fail", "skip"]) -> tuple[pa.Table, dict[str, str]]:
    """The clips of which every vector is finite, and what is wrong with the others."""
    vectors = table["vector"].combine_chunks()
    values = vectors.flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1)
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if not len(bad):
        return table, {}
    ids = table["clip_id"].to_pylist()
    if on_error == "fail":
        raise BadData(
            f"{source}: NaN, empty or infinite values in {len(bad)} vectors, the first of clip {ids[bad[0]]!r}",
            "repair the front-end that made them, or leave such clips out: --on-error skip",
        )
    broken = {ids[i]: "a vector holds NaN, empty or infinite values" for i in bad.tolist()}
    whole = table.filter(pc.invert(pc.is_in(table["clip_id"], pa.array(broken, pa.string()))))
    if not len(whole):
        raise BadData(f"{source}: not one clip has finite vectors, such as {ids[0]!r}")
    return whole, broken
