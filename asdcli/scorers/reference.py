"""The reference set X_ref: distances to it in blocks, its own neighbours, and what a clip may not be compared with.

D(x, y) = (1 - <x, y>) / 2 for unit-norm x and y (Matsumoto et al. 2025, Eq. 2), in float64. All work on distances goes
through `Reference.map`, block by block, so that memory does not grow with the product of queries and references.
BLAS runs on one thread within a block and the blocks are spread over threads: results do not depend on how many.

numpy rather than torch, by measurement (`python -m tests.bench neighbours`, two cores): the nearest 17 of 20,000
references take 3.1 s against 5.5 s with torch's matmul and topk, and importing torch would cost 2.5 s more.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

T = TypeVar("T")

NORM_FLOOR = 1e-12
_RESOLUTION = 1e-14  # float32 vectors resolve no smaller distance: below it two vectors count as the same
_BLOCK, _TALL = 1 << 18, 1 << 23  # entries of one block of distances: 2 MB where n_ref is small, at most 64 MB
_KEEP = 1 << 26  # entries of the distance matrices that one reference set may keep for its next reader (512 MB)


def unit_norm(x: np.ndarray) -> np.ndarray:
    """`x` (n, n_dims) as float64 rows of length one; a row shorter than 1e-12 stays (nearly) zero."""
    x = np.asarray(x, dtype=np.float64)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), NORM_FLOOR)


@dataclass(frozen=True, eq=False)
class Vectors:
    """Windows of clips: `x` (n, n_dims) unit-norm float64, `clip` (n,) the number of the clip each is a window of.

    `norm` (n,) is the length that each row had before, None where it does not matter.
    """

    x: np.ndarray
    clip: np.ndarray
    norm: np.ndarray | None = None

    @staticmethod
    def of(raw: np.ndarray, clip: np.ndarray) -> Vectors:
        """Vectors (n, n_dims) as an embedder made them, windows of the clips `clip` (n,)."""
        return Vectors(unit_norm(raw), clip, np.linalg.norm(raw.astype(np.float64), axis=1))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def has_zero(self) -> bool:
        """Whether a vector is too short to have a direction."""
        return self.norm is not None and bool((self.norm < NORM_FLOOR).any())

    def take(self, rows: np.ndarray) -> Vectors:
        return Vectors(self.x[rows], self.clip[rows], None if self.norm is None else self.norm[rows])

    def of_columns(self, columns: np.ndarray) -> Vectors:
        """The same windows with these of their dimensions alone."""
        return Vectors.of(self.raw[:, columns], self.clip)

    @property
    def raw(self) -> np.ndarray:
        """(n, n_dims) the vectors with their length, for methods that model it."""
        return self.x if self.norm is None else self.x * self.norm[:, None]


class Groups:
    """An inverted index: the values that stand under each key."""

    def __init__(self, keys: np.ndarray, values: np.ndarray) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys, self._values = keys[order], values[order]

    def of(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All pairs (i, value) where `value` stands under `wanted[i]`."""
        start = np.searchsorted(self._keys, wanted, side="left")
        count = np.searchsorted(self._keys, wanted, side="right") - start
        i = np.repeat(np.arange(len(wanted)), count)
        within = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
        return i, self._values[start[i] + within]


class Reference:
    """A reference set: training windows, and points that were made of them (centroids, interpolations).

    A row belongs to its clip, or to nobody, and to the clips that it was interpolated between. A query window is never
    compared with rows that belong to its own clip: its distance to them is infinite. Nobody's rows carry negative clip
    numbers of their own. With `keep`, distance matrices of moderate size are remembered, for methods that read the same
    ones one after the other.

    Args:
        train: the training windows.
        chosen: (n_ref,) the rows in order: the number of a training window, or -1 - i for the i-th point of `made`.
            None: all training windows.
        made: (n_made, n_dims) points of unit length (or as they are meant to be).
        parents: (n_made, n_parents) numbers of the training windows between which a point was interpolated.
    """

    def __init__(
        self,
        train: Vectors,
        chosen: np.ndarray | None = None,
        made: np.ndarray | None = None,
        parents: np.ndarray | None = None,
        *,
        keep: bool = False,
    ) -> None:
        self._chosen = np.arange(len(train)) if chosen is None else chosen
        self._made = np.empty((0, train.x.shape[1])) if made is None else made
        self._parents = np.empty((len(self._made), 0), np.int64) if parents is None else parents
        self.rows = train if chosen is None else _rows(train, self._chosen, self._made)
        self.owners = np.repeat(self.rows.clip[:, None], 1 + self._parents.shape[1], axis=1)
        is_made = self._chosen < 0
        self.owners[is_made, 1:] = train.clip[self._parents[-1 - self._chosen[is_made]]]
        n, n_owners = self.owners.shape
        self._owned = Groups(self.owners.ravel(), np.repeat(np.arange(n), n_owners))
        self._most_owned = int(np.unique(self.owners, return_counts=True)[1].max(initial=0))
        self._room = _KEEP if keep else 0
        self._kept: dict[Vectors, np.ndarray] = {}
        self._neighbours: tuple[np.ndarray, np.ndarray] | None = None

    def state(self) -> dict[str, np.ndarray]:
        """What it is made of, as arrays that stand for training windows by number and hold none of them.

        `windows` are the numbers of the training windows that it needs, ascending; `chosen`, `made` and `parents` are
        as in the initialiser, with numbers that count in `windows`.
        """
        windows = np.unique(np.concatenate([self._chosen[self._chosen >= 0], self._parents.ravel()]))
        chosen = np.where(self._chosen < 0, self._chosen, np.searchsorted(windows, self._chosen))
        parents = np.searchsorted(windows, self._parents)
        return {"windows": windows, "chosen": chosen, "made": self._made, "parents": parents}

    @staticmethod
    def from_state(state: Mapping[str, np.ndarray], windows: Callable[[np.ndarray], Vectors]) -> Reference:
        """What `state` was made of, `windows` giving the training windows of given numbers."""
        return Reference(windows(state["windows"]), state["chosen"], state["made"], state["parents"])

    def __len__(self) -> int:
        return len(self.rows)

    def map(self, queries: Vectors, function: Callable[[slice, np.ndarray], T]) -> list[T]:
        """`function(slice, D)` for each block of queries, in order; D (n_block, n_ref) must not be written to."""
        blocks = self._blocks(queries)
        with _blas().limit(limits=1, user_api="blas"), _threads(len(blocks)) as each:
            if queries not in self._kept and len(queries) * len(self) <= self._room:
                matrix = np.empty((len(queries), len(self)))
                self._room -= matrix.size

                def fill(block: slice) -> None:
                    matrix[block] = self._distances(queries, block)

                list(each(fill, blocks))
                self._kept[queries] = matrix
            kept = self._kept.get(queries)

            def work(block: slice) -> T:
                return function(block, kept[block] if kept is not None else self._distances(queries, block))

            return list(each(work, blocks))

    def nearest(self, queries: Vectors) -> tuple[np.ndarray, np.ndarray]:
        """y*(z) of Eq. 6 as row numbers (n_queries,) and the distances to them (n_queries,); ties: the lowest row."""
        if queries is self.rows:
            rows, distances = self.neighbours(1)
            return rows[:, 0], distances[:, 0]
        return _concatenate(self.map(queries, lambda _, d: (d.argmin(axis=1), d.min(axis=1))))

    def neighbours(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest rows of each row, those of its own clip left out, as row numbers and distances, nearest first.

        There are enough columns for k neighbours after any one clip's rows are struck out; missing ones are infinite.
        """
        wanted = min(k + self._most_owned, len(self))
        if self._neighbours is None or self._neighbours[0].shape[1] < wanted:
            m = min(max(k, 16) + self._most_owned, len(self))  # 16: the paper's larger K, so that K = 8 pays for both
            self._neighbours = _concatenate(self.map(self.rows, lambda _, d: smallest(d, m)))
        return self._neighbours

    def places(self, windows: Vectors) -> np.ndarray:
        """(n_windows,) the row that each window is, -1 of windows of other clips: the i-th of its clip is the i-th."""
        order = np.argsort(self.rows.clip, kind="stable")
        first = np.searchsorted(self.rows.clip[order], windows.clip, "left")
        place = first + _nth_of_each(windows.clip)
        inside = place < np.searchsorted(self.rows.clip[order], windows.clip, "right")
        return np.where(inside, order[np.minimum(place, len(order) - 1)], -1)

    def _distances(self, queries: Vectors, block: slice) -> np.ndarray:
        d = queries.x[block] @ self.rows.x.T
        np.subtract(1.0, d, out=d)
        d *= 0.5
        d[d < _RESOLUTION] = 0.0
        i, own = self._owned.of(queries.clip[block])
        d[i, own] = np.inf
        return d

    def _blocks(self, queries: Vectors) -> list[slice]:
        n = max(len(self), 1)
        step = max(_BLOCK // n, min(64, max(_TALL // n, 1)))
        return [slice(i, i + step) for i in range(0, max(len(queries), 1), step)]


def _nth_of_each(keys: np.ndarray) -> np.ndarray:
    """(n,) how many of the same key stand before each."""
    order = np.argsort(keys, kind="stable")
    nth = np.empty(len(keys), np.int64)
    nth[order] = np.arange(len(keys)) - np.searchsorted(keys[order], keys[order], "left")
    return nth


def _rows(train: Vectors, chosen: np.ndarray, made: np.ndarray) -> Vectors:
    place = np.where(chosen < 0, len(train) - 1 - chosen, chosen)  # what was made stands after the windows
    clip = np.concatenate([train.clip, -1 - np.arange(len(made))])
    norm = None if train.norm is None else np.concatenate([train.norm, np.ones(len(made))])[place]
    return Vectors(np.concatenate([train.x, made])[place], clip[place], norm)


def smallest(d: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values (n, m) of the m smallest entries of each row, ascending; ties: the lowest column."""
    # Few candidates need sorting: the m-th smallest minimum of disjoint tiles bounds the m-th smallest entry. On
    # 100,000 columns this is 15 times faster than argpartition. Where tiles would be narrow, an entry is its own tile.
    width = d.shape[1] // (4 * m)
    minima = d[:, : 4 * m * width].reshape(len(d), 4 * m, width).min(axis=2) if width >= 8 else d
    bound = np.partition(minima, m - 1, axis=1)[:, m - 1]
    columns = np.empty((len(d), m), dtype=np.intp)
    for i, row in enumerate(d):
        near = np.flatnonzero(row <= bound[i])
        columns[i] = near[np.argsort(row[near], kind="stable")[:m]]
    return columns, np.take_along_axis(d, columns, axis=1)


def _concatenate(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


@contextlib.contextmanager
def _threads(n_blocks: int) -> Iterator[Callable[[Callable[[slice], T], Iterable[slice]], Iterable[T]]]:
    """`map` over as many threads as there is work for; in this one, where there is a single block."""
    if n_blocks < 2:
        yield map
        return
    with ThreadPoolExecutor(min(n_blocks, _workers())) as pool:
        yield pool.map


@functools.cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


@functools.cache
def _workers() -> int:
    """As many threads as BLAS would have used (it honours OMP_NUM_THREADS and the cores at hand)."""
    return max([i["num_threads"] for i in _blas().info() if i["user_api"] == "blas"], default=1)
