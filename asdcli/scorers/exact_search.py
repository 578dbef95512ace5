"""Exact nearest neighbours in an order that rounding cannot change."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from asdcli.vocabulary import Distance


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest pool members of every sample, nearest first, the sample itself left out.

    Attributes:
        index: (n, width) int32 row of each neighbour.
        distance: (n, width) squared distance to it.
        count: (n,) how many of the columns hold neighbours: the rest of a row means nothing.
    """

    index: np.ndarray
    distance: np.ndarray
    count: np.ndarray

    def __len__(self) -> int:
        return len(self.index)


def neighbours(
    x: np.ndarray, width: int, in_pool: np.ndarray | None = None, apart: np.ndarray | None = None
) -> Neighbours:
    """The `width` nearest pool members of every sample; fewer where the pool has fewer.

    Args:
        x: (n, n_dims) from `prepare`, finite.
        width: neighbours wanted, K - 1.
        in_pool: (n,) bool, the samples that may be neighbours; None for all. The others have neighbours too.
        apart: (n,) numbers; samples of one number are no neighbours of one another. None: each has its own.
    """
    pool = np.arange(len(x)) if in_pool is None else np.flatnonzero(in_pool)
    return _search(x, np.arange(len(x)), pool, width, np.arange(len(x)) if apart is None else apart)


def append(
    x: np.ndarray,
    found: Neighbours,
    old: np.ndarray,
    width: int,
    in_pool: np.ndarray | None = None,
    apart: np.ndarray | None = None,
) -> Neighbours:
    """The neighbours of all samples when those of the `old` ones among themselves are known.

    Equals `neighbours(x, width, in_pool, apart)` exactly. Costs the distances of the new samples to all, none between
    old ones.

    Args:
        x: (n, n_dims) from `prepare`, old and new samples.
        found: neighbours of the old samples, searched with the same `width`, their indices counting old samples only.
        old: (n_old,) ascending rows of `x` that hold the old samples, in the order in which `found` has them.
        width: as in `neighbours`.
        in_pool: as in `neighbours`.
        apart: as in `neighbours`.
    """
    is_new = np.ones(len(x), bool)
    is_new[old] = False
    pool = np.ones(len(x), bool) if in_pool is None else np.asarray(in_pool, bool)
    new = np.flatnonzero(is_new)
    apart = np.arange(len(x)) if apart is None else apart
    of_new = _search(x, new, np.flatnonzero(pool), width, apart)
    among_new = _search(x, old, np.flatnonzero(pool & is_new), width, apart)
    # an old sample keeps the nearest of its old and its new neighbours
    column = np.arange(found.index.shape[1])
    distance = np.where(column < found.count[:, None], found.distance, np.inf)
    candidates = np.concatenate([old.astype(np.int32)[found.index], among_new.index], axis=1)
    column = np.arange(among_new.index.shape[1])
    added = np.where(column < among_new.count[:, None], among_new.distance, np.inf)
    distance = np.concatenate([distance, added], axis=1)
    wanted = min(width, int(pool.sum()))
    index, distance = _nearest(x, old, candidates, distance, wanted, _uncertainty(x, old))
    result = Neighbours(
        np.empty((len(x), wanted), np.int32), np.empty((len(x), wanted)), np.empty(len(x), found.count.dtype)
    )
    result.count[:] = np.minimum(wanted, pool.sum() - _kin(apart, np.arange(len(x)), np.flatnonzero(pool)))
    result.index[new], result.distance[new] = of_new.index, of_new.distance
    result.index[old], result.distance[old] = index, distance
    return result


def restrict(found: Neighbours, keep: np.ndarray) -> Neighbours:
    """What `neighbours` would find if only the samples `keep` (n,) bool had been observed.

    Exact when `found` is complete (its width is that of the pool); else the neighbours that are left of those found.
    """
    if keep.all():
        return found
    rows = np.flatnonzero(keep)
    seen = keep[found.index[rows]] & (np.arange(found.index.shape[1]) < found.count[rows, None])
    count = seen.sum(axis=1)
    # what is seen moves to the left, in its order
    left = np.arange(int(count.max(initial=0))) < count[:, None]
    index, distance = np.zeros(left.shape, np.int32), np.full(left.shape, np.inf)
    number = (np.cumsum(keep) - 1).astype(np.int32)
    index[left], distance[left] = number[found.index[rows][seen]], found.distance[rows][seen]
    return Neighbours(index, distance, count)


def alone(found: Neighbours, rows: np.ndarray) -> Neighbours:
    """`found` with no neighbours for the samples `rows` (n,) bool: their scores stay as they are."""
    return replace(found, count=np.where(rows, 0, found.count))


def _search(x: np.ndarray, queries: np.ndarray, pool: np.ndarray, width: int, apart: np.ndarray) -> Neighbours:
    """The `width` nearest of the samples `pool` (rows of x, ascending) to each of the samples `queries`."""
    wanted = max(min(width, len(pool)), 0)
    index = np.empty((len(queries), wanted), np.int32)
    distance = np.empty((len(queries), wanted))
    count = np.minimum(wanted, len(pool) - _kin(apart, queries, pool))
    if wanted and len(queries):
        members = x[pool]
        members_norm, norm = _squared(members), _squared(x[queries])
        candidates, error = pool.astype(np.int32)[None], _uncertainty(x, queries)
        order = np.argsort(apart[pool], kind="stable")
        first, last = (np.searchsorted(apart[pool][order], apart[queries], side) for side in ("left", "right"))

        def work(rows: slice) -> None:
            d = x[queries[rows]] @ members.T
            d *= -2
            d += members_norm
            d += norm[rows, None]
            for i in range(int((last[rows] - first[rows]).max())):  # the i-th of a sample's own
                has = np.flatnonzero(first[rows] + i < last[rows])
                d[has, order[first[rows][has] + i]] = np.inf
            index[rows], distance[rows] = _nearest(x, queries[rows], candidates, d, wanted, error[rows])

        step = max(_BLOCK // len(pool), 1)
        _spread(work, [slice(start, start + step) for start in range(0, len(queries), step)])
    return Neighbours(index, distance, count)


def _kin(apart: np.ndarray, queries: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """(n_queries,) how many pool members have the number of each of the queries, itself included."""
    numbers = np.sort(apart[pool])
    return np.searchsorted(numbers, apart[queries], "right") - np.searchsorted(numbers, apart[queries], "left")


def _spread(work: Callable[[slice], None], blocks: list[slice]) -> None:
    """Do the blocks on as many threads as torch would take, each with one-threaded products: no thread waits."""
    import torch
    from threadpoolctl import threadpool_limits

    workers = min(len(blocks), torch.get_num_threads())
    with threadpool_limits(1, user_api="blas"):
        if workers < 2:
            for block in blocks:
                work(block)
            return
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as threads:
            list(threads.map(work, blocks))


def _nearest(
    x: np.ndarray, queries: np.ndarray, candidates: np.ndarray, d: np.ndarray, wanted: int, error: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The `wanted` smallest of each row of `d` in the order of (exact distance, row of x), with their rows of x.

    Args:
        x: (n, n_dims) from `prepare`.
        queries: (n_queries,) rows of x.
        candidates: (1 or n_queries, n_candidates) rows of x that the columns of `d` stand for.
        d: (n_queries, n_candidates) squared distances, inf where there is nobody.
        wanted: how many of each row, at most n_candidates.
        error: (n_queries,) what each of them may be off by.
    """
    import torch

    m = min(wanted + 1, d.shape[1])  # one more, to see whether the last place is disputed
    values, columns = torch.from_numpy(d).topk(m, dim=1, largest=False, sorted=True)
    nearest, place = values.numpy(), columns.numpy()
    rows = np.broadcast_to(candidates, d.shape)
    index = np.take_along_axis(rows, place[:, :wanted], axis=1)
    distance = nearest[:, :wanted].copy()
    with np.errstate(invalid="ignore"):  # inf - inf: nobody is nobody's neighbour
        disputed = (np.diff(nearest, axis=1) <= 2 * error[:, None]).any(axis=1)
    for i in np.flatnonzero(disputed):
        finite = nearest[i, :wanted][np.isfinite(nearest[i, :wanted])]
        near = np.flatnonzero(d[i] <= finite[-1] + 2 * error[i])
        near = near[np.argsort(rows[i, near], kind="stable")]
        exact = ((x[rows[i, near]] - x[queries[i]]) ** 2).sum(axis=1)
        order = np.argsort(exact, kind="stable")[: len(finite)]
        index[i, : len(finite)], distance[i, : len(finite)] = rows[i, near[order]], exact[order]
    return index, distance


def _squared(x: np.ndarray) -> np.ndarray:
    return (x * x).sum(axis=1)


def _uncertainty(x: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """(n_queries,) bound on the rounding error of |x|^2 + |y|^2 - 2 <x, y> for any y among the samples.

    A product of n_dims terms is off by at most n_dims units in the last place of sum |x_i y_i| <= (|x|^2 + |y|^2) / 2;
    the norms and the sums add as much again.
    """
    norm = _squared(x)
    unit = np.finfo(np.float64).eps
    return 2 * (x.shape[1] + 4) * unit * (norm[queries] + norm.max(initial=0.0))


_BLOCK = 1 << 22  # distances that a thread holds at a time: 32 MB


def prepare(vectors: np.ndarray, metric: Distance = "euclidean") -> np.ndarray:
    """`vectors` (n, n_dims) in float64; for cosine of length one, where |x - y|^2 has the order of the cosine."""
    x = np.ascontiguousarray(vectors, dtype=np.float64)
    if metric == "cosine":
        x = x / np.maximum(np.sqrt((x * x).sum(axis=1, keepdims=True)), _NORM_FLOOR)
    return x


_NORM_FLOOR = 1e-12
