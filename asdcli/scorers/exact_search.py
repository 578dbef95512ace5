"""Exact nearest neighbours in an order that rounding cannot change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from asdcli.scorers import candidates
from asdcli.scorers.backends import backend
from asdcli.scorers.candidates import Form, Pairs
from asdcli.scorers.columns import columns_of
from asdcli.scorers.groups import Groups
from asdcli.scorers.smallest import smallest
from asdcli.scorers.spread import spread
from asdcli.scorers.vectors import NORM_FLOOR
from asdcli.vocabulary import Distance

BLOCK = 1 << 22  # distances that a thread holds at a time: 32 MB


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
    near = np.concatenate([old.astype(np.int32)[found.index], among_new.index], axis=1)
    column = np.arange(among_new.index.shape[1])
    added = np.where(column < among_new.count[:, None], among_new.distance, np.inf)
    distance = np.concatenate([distance, added], axis=1)
    wanted = min(width, int(pool.sum()))
    index, distance = _nearest(x, old, near, distance, wanted, _uncertainty(x, old))
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
        search = _Search(x, queries, pool, wanted, apart)

        def work(rows: slice) -> None:
            for block, found in search.of(rows):
                index[block], distance[block] = found

        with spread(len(search.parts)) as each:
            list(each(work, search.parts))
    return Neighbours(index, distance, count)


class _Search:
    """Squared distances of samples to those of a pool, and the nearest by them."""

    def __init__(self, x: np.ndarray, queries: np.ndarray, pool: np.ndarray, wanted: int, apart: np.ndarray) -> None:
        self._x, self._queries, self._pool, self._wanted = x, queries, pool, wanted
        self._members = x[pool]
        self._members_norm, self._norm = _squared(self._members), _squared(x[queries])
        self._error = _uncertainty(x, queries)
        self._own, self._number = Groups(apart[pool], np.arange(len(pool))), apart[queries]
        self._step = max(BLOCK // len(pool), 1)
        self._rows = self._searched()
        size = self._step if self._rows is None else max(candidates.QUERIES // self._step, 1) * self._step
        self.parts = [slice(start, start + size) for start in range(0, len(queries), size)]

    def _searched(self) -> candidates.Rows | None:
        """What to search in in float32; None where all distances cost less, or float32 cannot hold them."""
        if not candidates.worth_while(len(self._queries), len(self._pool), self._wanted + 1):
            return None
        slack = 4 * float(self._error.max())  # so that those that `_nearest` calls disputed are among them
        form = Form(2.0, self._members_norm, slack)
        rows = candidates.Rows(self._members, form, candidates.longest(self._x[self._queries]), backend("cpu"))
        return rows if rows.usable else None

    def of(self, part: slice) -> Iterator[tuple[slice, tuple[np.ndarray, np.ndarray]]]:
        """Rows of x and distances (n_block, n_wanted) of the nearest, for each block of some queries."""
        stop = min(part.stop, len(self._queries))
        pairs = None
        if self._rows is not None:
            own = Pairs(*self._own.of(self._number[part]))
            found = self._rows.candidates(self._x[self._queries[part]], self._wanted + 1, own)
            pairs = None if found is None else Pairs(*found)
        for start in range(part.start, stop, self._step):
            block = slice(start, min(start + self._step, stop))
            columns = np.arange(len(self._pool))
            if pairs is not None:
                columns = np.unique(pairs.of(block.start - part.start, block.stop - part.start).row)
            columns, d = self._distances(block, columns)
            near = self._pool[columns].astype(np.int32)[None]
            yield block, _nearest(self._x, self._queries[block], near, d, self._wanted, self._error[block])

    def _distances(self, block: slice, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Squared distances (n_block, n_columns) to members of the pool; to all, where that costs no more."""
        x = self._x[self._queries[block]]
        d = columns_of(x, self._members, columns)
        if d is None:
            columns, d = np.arange(len(self._pool)), x @ self._members.T
        d *= -2
        d += self._members_norm[columns]
        d += self._norm[block, None]
        d[self._own.among(self._number[block], columns)] = np.inf
        return columns, d


def _kin(apart: np.ndarray, queries: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """(n_queries,) how many pool members have the number of each of the queries, itself included."""
    numbers = np.sort(apart[pool])
    return np.searchsorted(numbers, apart[queries], "right") - np.searchsorted(numbers, apart[queries], "left")


def _nearest(
    x: np.ndarray, queries: np.ndarray, near: np.ndarray, d: np.ndarray, wanted: int, error: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The `wanted` smallest of each row of `d` in the order of (exact distance, row of x), with their rows of x.

    Args:
        x: (n, n_dims) from `prepare`.
        queries: (n_queries,) rows of x.
        near: (1 or n_queries, n_candidates) rows of x that the columns of `d` stand for.
        d: (n_queries, n_candidates) squared distances, inf where there is nobody.
        wanted: how many of each row, at most n_candidates.
        error: (n_queries,) what each of them may be off by.
    """
    m = min(wanted + 1, d.shape[1])  # one more, to see whether the last place is disputed
    place, nearest = smallest(d, m)
    rows = np.broadcast_to(near, d.shape)
    index = np.take_along_axis(rows, place[:, :wanted], axis=1)
    distance = nearest[:, :wanted].copy()
    with np.errstate(invalid="ignore"):  # inf - inf: nobody is nobody's neighbour
        disputed = (np.diff(nearest, axis=1) <= 2 * error[:, None]).any(axis=1)
    for i in np.flatnonzero(disputed):
        finite = nearest[i, :wanted][np.isfinite(nearest[i, :wanted])]
        close = np.flatnonzero(d[i] <= finite[-1] + 2 * error[i])
        close = close[np.argsort(rows[i, close], kind="stable")]
        exact = ((x[rows[i, close]] - x[queries[i]]) ** 2).sum(axis=1)
        order = np.argsort(exact, kind="stable")[: len(finite)]
        index[i, : len(finite)], distance[i, : len(finite)] = rows[i, close[order]], exact[order]
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


def prepare(vectors: np.ndarray, metric: Distance = "euclidean") -> np.ndarray:
    """`vectors` (n, n_dims) in float64; for cosine of length one, where |x - y|^2 has the order of the cosine."""
    x = np.ascontiguousarray(vectors, dtype=np.float64)
    if metric == "cosine":
        x = x / np.maximum(np.sqrt((x * x).sum(axis=1, keepdims=True)), NORM_FLOOR)
    return x
