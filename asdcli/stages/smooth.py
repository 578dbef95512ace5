"""smooth: scores of one run and embeddings of another in, smoothed scores out; all K from one neighbour search.

`run` smooths what is observed now. `append` keeps the pool of everything observed so far, with its neighbours, adds the
clips that are new and smooths all of them, exactly as if they had been observed together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadData
from asdcli.progress import SILENT, Progress
from asdcli.scorers import smoothing
from asdcli.scorers.smoothing import SMOOTHERS, Neighbours, Smooth
from asdcli.stages import observed
from asdcli.stages.observed import Observed
from asdcli.stages.outcome import Outcome


def run(
    samples: Observed,
    output: Callable[[str], Path],
    *,
    smooth: Smooth,
    ks: Sequence[int],
    force: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Outcome]:
    """Smooth the samples with every K of `ks` and write one table of clip scores a K.

    Args:
        samples: from `observed.read`.
        output: spelling of a smoothed method -> its file.
        smooth: everything but K.

    Returns:
        spelling -> outcome.

    Raises:
        BadData: a source pool is asked for where domains are hidden.
    """
    methods = {spelled(samples, dataclasses.replace(smooth, k=k)): k for k in ks}
    headers = {spelling: _header(samples, spelling) for spelling in methods}
    outcomes = {
        spelling: Outcome(output(spelling), "current")
        for spelling, header in headers.items()
        if not force and artifacts.is_current(output(spelling), artifacts.SCORES, header)
    }
    todo = {spelling: k for spelling, k in methods.items() if spelling not in outcomes}
    if todo:
        groups = observed.pools(samples.table, smooth.pool)
        for k in todo.values():
            _warn_small(k, smooth, samples, groups.values(), progress)
        smoothed = np.empty((len(todo), len(samples.table)))
        for rows, found in search(samples, smooth, max(todo.values()), progress):
            smoothed[:, rows] = smoothing.smooth(samples.scores[rows], found, list(todo.values()))
        for spelling, scores in zip(todo, smoothed, strict=True):
            table = observed.per_clip(samples.table, scores, spelling)
            artifacts.write_table(output(spelling), artifacts.SCORES, table, headers[spelling])
            facts = {"clips": len(table), "samples": len(samples.table), "pools": len(groups)}
            outcomes[spelling] = Outcome(output(spelling), facts=facts)
    return {spelling: outcomes[spelling] for spelling in methods}


def search(
    samples: Observed, smooth: Smooth, k: int, progress: Progress = SILENT
) -> Iterator[tuple[np.ndarray, Neighbours]]:
    """The rows of each pool and the K - 1 nearest neighbours of each of its samples."""
    members = observed.in_pool(samples.table, smooth.data)
    groups = observed.pools(samples.table, smooth.pool).values()
    for rows in progress.track(groups, total=len(samples.table), label="neighbours", unit="samples"):
        yield rows, neighbours(samples, rows, members[rows], smooth, k - 1)
        progress.advance(len(rows))


def neighbours(samples: Observed, rows: np.ndarray, members: np.ndarray, smooth: Smooth, width: int) -> Neighbours:
    """The `width` samples whose scores each of the samples `rows` is averaged with.

    Args:
        rows: of one pool. members: (n_rows,) bool, which of them may be neighbours.
    """
    x = smoothing.prepare(samples.vectors[rows], smooth.metric)
    apart = observed.apart(samples.table.take(pa.array(rows)), smooth.own_windows)
    found = smoothing.neighbours(x, width, members, apart)
    return smoothing.alone(found, ~members) if smooth.outside == "keep" else found


def append(
    samples: Observed,
    pool: Path,
    output: Path,
    *,
    smooth: Smooth,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Add the samples that `pool` does not hold yet and smooth all of them.

    Costs the distances of the new samples to the pool. Without a pool, or with `force`, one is begun.

    Args:
        samples: what is observed now: new clips alone, or old and new together.
        pool: table of everything observed so far. output: table of clip scores, of all of them.

    Raises:
        BadArtifact: `pool` is no pool, or one of another method or smoothing.
        BadData: a clip is known with another score or vector, or embeddings have another width.
    """
    spelling = spelled(samples, smooth)
    before = None if force or not pool.exists() else _Pool.read(pool, spelling)
    old = samples.table.slice(0, 0) if before is None else before.table
    is_new = _strangers(samples, before, pool)
    if before is not None and not is_new.any():
        made = _header_of_pooled(before.header, spelling, before.header.dataset)
        if artifacts.is_current(output, artifacts.SCORES, made):  # not so where a run was killed between the two files
            return Outcome(output, "current")
    table = pa.concat_tables([old.select(samples.table.column_names), samples.table.filter(pa.array(is_new))])
    vectors = samples.vectors[is_new].astype(np.float64)
    vectors = vectors if before is None else np.concatenate([before.vectors, vectors])
    order = pc.sort_indices(table, [("clip_id", "ascending"), ("window", "ascending")]).to_numpy().astype(np.int64)
    joined = dataclasses.replace(samples, table=table.take(pa.array(order)).combine_chunks(), vectors=vectors[order])
    place_in_old = np.where(order < len(old), order, -1)

    members, apart = observed.in_pool(joined.table, smooth.data), observed.apart(joined.table, smooth.own_windows)
    groups = observed.pools(joined.table, smooth.pool)
    _warn_small(smooth.k, smooth, joined, groups.values(), progress)
    smoothed = np.empty(len(table))
    index: list[np.ndarray] = [np.empty(0, np.int32)] * len(table)
    distance: list[np.ndarray] = [np.empty(0)] * len(table)
    for rows in progress.track(groups.values(), total=len(table), label="neighbours", unit="samples"):
        x = smoothing.prepare(joined.vectors[rows], smooth.metric)
        known = np.flatnonzero(place_in_old[rows] >= 0)
        others = members[rows], None if apart is None else apart[rows]
        if before is None or not len(known):
            found = smoothing.neighbours(x, smooth.k - 1, *others)
        else:
            state = before.neighbours(place_in_old[rows][known])
            found = smoothing.append(x, state, known, smooth.k - 1, *others)
        used = smoothing.alone(found, ~members[rows]) if smooth.outside == "keep" else found
        smoothed[rows] = smoothing.smooth(joined.scores[rows], used, [smooth.k])[0]
        for i, row in enumerate(rows):
            index[row], distance[row] = found.index[i, : found.count[i]], found.distance[i, : found.count[i]]
        progress.advance(len(rows))
    inputs = samples.inputs | ({} if before is None else {"pool": before.header})
    header = _write_pool(pool, joined, index, distance, spelling, inputs)
    clips = observed.per_clip(joined.table, smoothed, spelling)
    artifacts.write_table(output, artifacts.SCORES, clips, _header_of_pooled(header, spelling, joined.dataset))
    return Outcome(output, facts={"clips": len(clips), "new_samples": int(is_new.sum()), "samples": len(table)})


def spelled(samples: Observed, smooth: Smooth) -> str:
    """Spelling of the smoothed method: `mse+smooth:k=128,data=source`."""
    return f"{samples.method}+{SMOOTHERS.spell(dataclasses.replace(smooth, level=samples.level))}"


def _header(samples: Observed, spelling: str) -> Header:
    return Header.make(artifacts.SCORES, dataset=samples.dataset, params={"method": spelling}, inputs=samples.inputs)


def _header_of_pooled(pool: Header, spelling: str, dataset: str) -> Header:
    return Header.make(artifacts.SCORES, dataset=dataset, params={"method": spelling}, inputs={"pool": pool})


def _warn_small(k: int, smooth: Smooth, samples: Observed, groups: Iterable[np.ndarray], progress: Progress) -> None:
    members = observed.in_pool(samples.table, smooth.data)
    sizes = [int(members[rows].sum()) for rows in groups]
    small = [n for n in sizes if n < k]
    if small:
        progress.warn(
            f"k = {k} is larger than {len(small)} of {len(sizes)} pools (the smallest has {min(small)} samples): "
            "there the whole pool is averaged"
        )


@dataclasses.dataclass(frozen=True)
class _Pool:
    """A pool as it lies on disk: samples by (clip_id, window), their vectors, and their neighbours in their group."""

    table: pa.Table
    vectors: np.ndarray
    header: Header

    @staticmethod
    def read(path: Path, spelling: str) -> _Pool:
        table, header = artifacts.read_table(path, artifacts.POOL)
        if header.params.get("method") != spelling:
            raise BadData(
                f"{path} is the pool of {header.params.get('method')}, not of {spelling}",
                "name another with -o, or begin anew with --force",
            )
        column = table["vector"].combine_chunks()
        vectors = column.flatten().to_numpy().reshape(len(table), column.type.list_size)
        return _Pool(table, vectors, header)

    def neighbours(self, rows: np.ndarray) -> Neighbours:
        """Of the samples `rows`, which are one group."""
        part = self.table.take(pa.array(rows))
        lists = part["neighbours"].combine_chunks(), part["distances"].combine_chunks()
        count = pc.list_value_length(lists[0]).to_numpy().astype(np.int64)
        width = int(count.max(initial=0))
        index, distance = np.zeros((len(rows), width), np.int32), np.full((len(rows), width), np.inf)
        filled = np.arange(width) < count[:, None]
        index[filled], distance[filled] = (one.flatten().to_numpy() for one in lists)
        return Neighbours(index, distance, count)


def _strangers(samples: Observed, before: _Pool | None, path: Path) -> np.ndarray:
    """(n,) bool, the samples that the pool does not hold."""
    if before is None:
        return np.ones(len(samples.table), bool)
    if before.vectors.shape[1] != samples.vectors.shape[1]:
        raise BadData(
            f"{path} holds vectors of {before.vectors.shape[1]} dimensions, "
            f"the new ones have {samples.vectors.shape[1]}",
            "embed the new clips with the same model, or begin anew with --force",
        )
    keys = [zip(t["clip_id"].to_pylist(), t["window"].to_pylist(), strict=True) for t in (before.table, samples.table)]
    known = {key: row for row, key in enumerate(keys[0])}
    place = np.array([known.get(key, -1) for key in keys[1]], dtype=np.int64)
    seen = np.flatnonzero(place >= 0)
    of_pool = before.table["anomaly_score"].to_numpy()[place[seen]]
    same = (of_pool == samples.scores[seen]) & (before.vectors[place[seen]] == samples.vectors[seen]).all(axis=1)
    if not same.all():
        row = int(seen[int(np.argmin(same))])
        raise BadData(
            f"{samples.table['clip_id'][row].as_py()} is in {path} with another score or embedding",
            "a pool is of one model: begin anew with --force",
        )
    return place < 0


def _write_pool(
    path: Path,
    joined: Observed,
    index: Sequence[np.ndarray],
    distance: Sequence[np.ndarray],
    spelling: str,
    inputs: dict[str, Header],
) -> Header:
    offsets = np.cumsum([0, *(len(i) for i in index)], dtype=np.int64)
    flat = pa.array(np.ascontiguousarray(joined.vectors, np.float64).reshape(-1))
    empty = np.empty(0)
    table = (
        joined.table.append_column("vector", pa.FixedSizeListArray.from_arrays(flat, joined.vectors.shape[1]))
        .append_column(
            "neighbours",
            pa.LargeListArray.from_arrays(offsets, pa.array(np.concatenate([empty, *index]).astype(np.int32))),
        )
        .append_column(
            "distances", pa.LargeListArray.from_arrays(offsets, pa.array(np.concatenate([empty, *distance])))
        )
    )
    header = Header.make(artifacts.POOL, dataset=joined.dataset, params={"method": spelling}, inputs=inputs)
    return artifacts.write_table(path, artifacts.POOL, table, header)
