"""A pool on disk: everything observed so far, with the neighbours of every sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadData
from asdcli.scorers.exact_search import Neighbours
from asdcli.views.embeddings import matrix
from asdcli.views.samples import Samples
from asdcli.vocabulary import Data


@dataclasses.dataclass(frozen=True)
class PoolFile:
    """A pool as it lies on disk: samples by (clip_id, window), their vectors, and their neighbours in their group."""

    path: Path
    table: pa.Table
    vectors: np.ndarray
    header: Header

    @staticmethod
    def read(path: Path, spelling: str) -> PoolFile:
        table, header = artifacts.read_table(path, artifacts.POOL)
        if header.params.get("method") != spelling:
            raise BadData(
                f"{path} is the pool of {header.params.get('method')}, not of {spelling}",
                "name another with -o, or begin anew with --force",
            )
        return PoolFile(path, table, matrix(table["vector"]), header)

    def is_made_of(self, samples: Samples) -> bool:
        """Whether what was added last came from the same tables."""
        return all(self.header.inputs.get(role) == header.content for role, header in samples.inputs.items())

    def relabelled(self, samples: Samples, data: Data) -> pa.Table:
        """Its samples with the labels that these clips have now.

        Raises:
            BadData: one is of another machine type or section now, or (`source`) domain: its neighbours hang on that.
        """
        rows = _places(samples.table, self.table)  # of each sample of the pool in `samples`
        known = np.flatnonzero(rows >= 0)
        before, after = self.table.take(pa.array(known)), samples.table.take(pa.array(rows[known]))
        for name in ("machine_type", "section", *(["domain"] if data == "source" else [])):
            was, now = before[name].to_pylist(), after[name].to_pylist()
            if was != now:
                i = next(i for i, (a, b) in enumerate(zip(was, now, strict=True)) if a != b)
                clip_id = before["clip_id"][i].as_py()
                text = f"{clip_id} is in {self.path} with {name} {was[i]}, and is {now[i]} now"
                raise BadData(text, "begin anew with --force")
        both = pa.concat_tables([self.table.select(samples.table.column_names), samples.table])
        return both.take(pa.array(np.where(rows >= 0, len(self.table) + rows, np.arange(len(self.table)))))

    def neighbours(self, rows: np.ndarray) -> Neighbours:
        """Of the samples `rows`, which are one group. Raises BadArtifact for neighbours that are not in it."""
        part = self.table.take(pa.array(rows))
        lists = part["neighbours"].combine_chunks(), part["distances"].combine_chunks()
        count, other = (pc.list_value_length(one).to_numpy().astype(np.int64) for one in lists)
        of, at = (one.flatten().to_numpy(zero_copy_only=False) for one in lists)
        if not (count == other).all() or not ((of >= 0) & (of < len(rows))).all() or np.isnan(at).any():
            raise artifacts.damaged(self.path, artifacts.POOL, "its neighbours are not those of its samples")
        width = int(count.max(initial=0))
        index, distance = np.zeros((len(rows), width), np.int32), np.full((len(rows), width), np.inf)
        filled = np.arange(width) < count[:, None]
        index[filled], distance[filled] = of, at
        return Neighbours(index, distance, count)


def strangers(samples: Samples, before: PoolFile | None, path: Path) -> np.ndarray:
    """(n,) bool, the samples that the pool does not hold."""
    if before is None:
        return np.ones(len(samples.table), bool)
    if before.vectors.shape[1] != samples.vectors.shape[1]:
        raise BadData(
            f"{path} holds vectors of {before.vectors.shape[1]} dimensions, "
            f"the new ones have {samples.vectors.shape[1]}",
            "embed the new clips with the same model, or begin anew with --force",
        )
    place = _places(before.table, samples.table)
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


def _places(table: pa.Table, others: pa.Table) -> np.ndarray:
    """(n,) the row in `table` of each sample of `others`, -1 where it has none."""
    keys = [zip(t["clip_id"].to_pylist(), t["window"].to_pylist(), strict=True) for t in (table, others)]
    known = {key: row for row, key in enumerate(keys[0])}
    return np.array([known.get(key, -1) for key in keys[1]], dtype=np.int64)


def write_pool(
    path: Path,
    joined: Samples,
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
