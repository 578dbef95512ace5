"""smooth: scores of one run and embeddings of another in, smoothed scores out; all K from one neighbour search.

`run` smooths what is observed now. `append` keeps the pool of everything observed so far, with its neighbours, adds the
clips that are new and smooths all of them, exactly as if they had been observed together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.scorers import exact_search, smoothing
from asdcli.scorers.smooth import SMOOTHERS, Smooth
from asdcli.views.pool_file import PoolFile, strangers, write_pool
from asdcli.views.pools import in_pool, kept_apart, pools_of, search_pools
from asdcli.views.samples import Samples
from asdcli.views.windows import per_clip
from asdcli.writing.locks import alone_with


@dataclass(frozen=True)
class SmoothFacts:
    """How many clips got scores of how many samples, in how many pools; of a pool that grows, the new samples too."""

    clips: int
    new_samples: int | None = None
    samples: int = 0
    pools: int | None = None


@alone_with(lambda given: given["output"](given["samples"].method).with_suffix(""))
def run(
    samples: Samples,
    output: Callable[[str], Path],
    *,
    smooth: Smooth,
    ks: Sequence[int],
    force: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Outcome]:
    """Smooth the samples with every K of `ks` and write one table of clip scores a K.

    Args:
        samples: from `views.samples.read_samples`.
        output: spelling of a smoothed method -> its file.
        smooth: everything but K.
        ks: every K, at least 1.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Returns:
        spelling -> outcome.

    Raises:
        BadData: a source pool is asked for where domains are hidden.
    """
    methods = {spelled(samples, dataclasses.replace(smooth, k=k)): k for k in ks}
    headers = {spelling: _header(samples, spelling) for spelling in methods}
    outcomes: dict[str, Outcome] = {
        spelling: Outcome(output(spelling), "current")
        for spelling, header in headers.items()
        if not force and artifacts.is_current(output(spelling), artifacts.SCORES, header)
    }
    todo = {spelling: k for spelling, k in methods.items() if spelling not in outcomes}
    if todo:
        groups = pools_of(samples.table, smooth.pool)
        for k in todo.values():
            _warn_small(k, smooth, samples, groups.values(), progress)
        smoothed = np.empty((len(todo), len(samples.table)))
        for rows, found in search_pools(samples, smooth, max(todo.values()), progress):
            smoothed[:, rows] = smoothing.smooth(samples.scores[rows], found, list(todo.values()))
        for spelling, scores in zip(todo, smoothed, strict=True):
            table = per_clip(samples.table, scores, spelling)
            artifacts.write_table(output(spelling), artifacts.SCORES, table, headers[spelling])
            facts = SmoothFacts(len(table), samples=len(samples.table), pools=len(groups))
            outcomes[spelling] = Outcome(output(spelling), facts=facts)
    return {spelling: outcomes[spelling] for spelling in methods}


@alone_with(lambda given: [given["pool"], given["output"]])
def append(
    samples: Samples,
    pool: Path,
    output: Path,
    *,
    smooth: Smooth,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Add the samples that `pool` does not hold yet and smooth all of them.

    Costs the distances of the new samples to the pool. Without a pool, or with `force`, one is begun. Other labels of
    clips that the pool holds are taken over; where nothing is new the pool is as it was, of the tables that lie there
    now.

    Args:
        samples: what is observed now: new clips alone, or old and new together.
        pool: table of everything observed so far.
        output: table of clip scores, of all of them.
        smooth: as the pool was smoothed, where there is one.
        force: begin the pool anew.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        BadArtifact: `pool` is no pool, or one of another method or smoothing.
        BadData: a clip is known with another score or vector or in another place, or embeddings have another width.
    """
    spelling = spelled(samples, smooth)
    artifacts.claim(output, artifacts.SCORES, force=force)
    before = None if force or not pool.exists() else PoolFile.read(pool, spelling)
    is_new = strangers(samples, before, pool)
    old = samples.table.slice(0, 0) if before is None else before.relabelled(samples, smooth.data)
    if before is not None and not is_new.any() and before.is_made_of(samples):
        made = _header_of_pooled(before.header, spelling, before.header.dataset)
        if artifacts.is_current(output, artifacts.SCORES, made):  # not so where a run was killed between the two files
            return Outcome(output, "current")
    table = pa.concat_tables([old, samples.table.filter(pa.array(is_new))])
    vectors = samples.vectors[is_new].astype(np.float64)
    vectors = vectors if before is None else np.concatenate([before.vectors, vectors])
    order = pc.sort_indices(table, [("clip_id", "ascending"), ("window", "ascending")]).to_numpy().astype(np.int64)
    joined = dataclasses.replace(samples, table=table.take(pa.array(order)).combine_chunks(), vectors=vectors[order])
    place_in_old = np.where(order < len(old), order, -1)

    members, apart = in_pool(joined.table, smooth.data), kept_apart(joined.table, smooth.own_windows)
    groups = pools_of(joined.table, smooth.pool)
    _warn_small(smooth.k, smooth, joined, groups.values(), progress)
    smoothed = np.empty(len(table))
    index: list[np.ndarray] = [np.empty(0, np.int32)] * len(table)
    distance: list[np.ndarray] = [np.empty(0)] * len(table)
    for rows in progress.track(groups.values(), total=len(table), label="neighbours", unit="samples"):
        x = exact_search.prepare(joined.vectors[rows], smooth.metric)
        known = np.flatnonzero(place_in_old[rows] >= 0)
        others = members[rows], None if apart is None else apart[rows]
        if before is None or not len(known):
            found = exact_search.neighbours(x, smooth.k - 1, *others)
        else:
            state = before.neighbours(place_in_old[rows][known])
            found = exact_search.append(x, state, known, smooth.k - 1, *others)
        used = exact_search.alone(found, ~members[rows]) if smooth.outside == "keep" else found
        smoothed[rows] = smoothing.smooth(joined.scores[rows], used, [smooth.k])[0]
        for i, row in enumerate(rows):
            index[row], distance[row] = found.index[i, : found.count[i]], found.distance[i, : found.count[i]]
        progress.advance(len(rows))
    inputs = samples.inputs | ({} if before is None else {"pool": before.header})
    header = write_pool(pool, joined, index, distance, spelling, inputs)
    clips = per_clip(joined.table, smoothed, spelling)
    artifacts.write_table(output, artifacts.SCORES, clips, _header_of_pooled(header, spelling, joined.dataset))
    return Outcome(output, facts=SmoothFacts(len(clips), int(is_new.sum()), len(table)))


def spelled(samples: Samples, smooth: Smooth) -> str:
    """Spelling of the smoothed method: `mse+smooth:k=128,data=source`."""
    return f"{samples.method}+{SMOOTHERS.spell(dataclasses.replace(smooth, level=samples.level))}"


def _header(samples: Samples, spelling: str) -> Header:
    return Header.make(artifacts.SCORES, dataset=samples.dataset, params={"method": spelling}, inputs=samples.inputs)


def _header_of_pooled(pool: Header, spelling: str, dataset: str) -> Header:
    return Header.make(artifacts.SCORES, dataset=dataset, params={"method": spelling}, inputs={"pool": pool})


def _warn_small(k: int, smooth: Smooth, samples: Samples, groups: Iterable[np.ndarray], progress: Progress) -> None:
    members = in_pool(samples.table, smooth.data)
    sizes = [int(members[rows].sum()) for rows in groups]
    small = [n for n in sizes if n < k]
    if small:
        progress.warn(
            f"k = {k} is larger than {len(small)} of {len(sizes)} pools (the smallest has {min(small)} samples): "
            "there the whole pool is averaged"
        )
