"""The reference set X_ref: distances to it in blocks, its own neighbours, and what a clip may not be compared with.

D(x, y) = (1 - <x, y>) / 2 for unit-norm x and y (Matsumoto et al. 2025, Eq. 2), in float64. All work on distances goes
through `Reference.map` and `Reference.near`, block by block, so that memory does not grow with the product of queries
and references. BLAS runs on one thread within a block and the blocks are spread over threads: results do not depend on
how many. Where there are many references, `near` looks for those that matter in float32 (`candidates`) and computes
only their distances in float64: the results are those of all distances, bit for bit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from asdcli.scorers import candidates
from asdcli.scorers.backends import backend
from asdcli.scorers.candidates import Form, Pairs
from asdcli.scorers.columns import columns_of
from asdcli.scorers.groups import Groups
from asdcli.scorers.smallest import smallest
from asdcli.scorers.spread import spread

T = TypeVar("T")

NORM_FLOOR = 1e-12
_RESOLUTION = 1e-14  # float32 vectors resolve no smaller distance: below it two vectors count as the same
_BLOCK, _TALL = 1 << 18, 1 << 23  # entries of one block of distances: 2 MB where n_ref is small, at most 64 MB
_ROWS = 1 << 14  # brought to length one at a time
_KEEP = 1 << 26  # entries of the distance matrices that one reference set may keep for its next reader (512 MB)
_SEARCHES = 2  # of the same queries, before all distances are computed and kept

Weigh = Callable[[float], Form]
"""What is made small in place of D, from how far D in float64 may be from the true one."""
Also = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From clips (n,) to pairs (i, row), ascending by i."""


def plain(slack: float) -> Form:
    """D itself."""
    return Form(0.5, 0.5, slack)


def nobody(_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """No pairs."""
    return np.empty(0, np.intp), np.empty(0, np.intp)


def unit_norm(x: np.ndarray) -> np.ndarray:
    """`x` (n, n_dims) as float64 rows of length one; a row shorter than 1e-12 stays (nearly) zero."""
    return _directions(np.asarray(x))[0]


def _directions(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`unit_norm` of `x`, and the length of each row (n,); a part at a time, so that memory holds the result once."""
    unit, norm = np.empty(x.shape), np.empty(len(x))
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        part = x[rows].astype(np.float64)
        norm[rows] = np.linalg.norm(part, axis=1)
        np.divide(part, np.maximum(norm[rows, None], NORM_FLOOR), out=unit[rows])
    return unit, norm


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
        unit, norm = _directions(raw)
        return Vectors(unit, clip, norm)

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
        keep: see above.
        device: where float32 products are made, see `backends.backend`.
    """

    def __init__(
        self,
        train: Vectors,
        chosen: np.ndarray | None = None,
        made: np.ndarray | None = None,
        parents: np.ndarray | None = None,
        *,
        keep: bool = False,
        device: str = "cpu",
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
        self._asked: dict[Vectors, int] = {}
        self._neighbours: tuple[np.ndarray, np.ndarray] | None = None
        self._backend = backend(device)
        self._plain: dict[float, candidates.Rows] = {}

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
        with spread(len(blocks)) as each:
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

    def near(
        self,
        queries: Vectors,
        m: int,
        function: Callable[[slice, np.ndarray, np.ndarray], T],
        weigh: Weigh | None = plain,
        also: Also = nobody,
    ) -> list[T]:
        """`function(slice, columns, D)` for each block of queries, in order, as `map`, D (n_block, n_columns).

        Args:
            queries: windows.
            m: the columns (ascending row numbers) hold the m least of each query; all, where there are few.
            function: must not write to D.
            weigh: what they are the least of; None of what is no `Form`, which looks at all.
            also: pairs that the m least are not looked for among, but whose columns are there too.
        """
        rows = self._searched(queries, m, weigh)
        if rows is None:
            every = np.arange(len(self))
            return self.map(queries, lambda block, d: function(block, every, d))
        blocks = self._blocks(queries)
        size = max(candidates.QUERIES // blocks[0].stop, 1)

        def work(of: list[slice]) -> list[T]:
            part = slice(of[0].start, of[-1].stop)
            own, more = self._owned.of(queries.clip[part]), also(queries.clip[part])
            struck = Pairs.joined(own, more)
            pairs = rows.candidates(queries.x[part], m, struck)
            near = None if pairs is None else Pairs.joined(pairs, more)
            done = []
            for block in of:
                wanted = np.arange(len(self))
                if near is not None:
                    wanted = np.unique(near.of(block.start - part.start, block.stop - part.start).row)
                columns, d = self._some_distances(queries, block, wanted)
                done.append(function(block, columns, d))
            return done

        groups = [blocks[i : i + size] for i in range(0, len(blocks), size)]
        with spread(len(groups)) as each:
            return [result for part in each(work, groups) for result in part]

    def nearest(self, queries: Vectors) -> tuple[np.ndarray, np.ndarray]:
        """y*(z) of Eq. 6 as row numbers (n_queries,) and the distances to them (n_queries,); ties: the lowest row."""
        if queries is self.rows:
            rows, distances = self.neighbours(1)
            return rows[:, 0], distances[:, 0]
        return _concatenate(self.near(queries, 1, lambda _, columns, d: (columns[d.argmin(axis=1)], d.min(axis=1))))

    def neighbours(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest rows of each row, those of its own clip left out, as row numbers and distances, nearest first.

        There are enough columns for k neighbours after any one clip's rows are struck out; missing ones are infinite.
        """
        wanted = min(k + self._most_owned, len(self))
        if self._neighbours is None or self._neighbours[0].shape[1] < wanted:
            m = min(max(k, 16) + self._most_owned, len(self))  # 16: the paper's larger K, so that K = 8 pays for both

            def least(_: slice, columns: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
                places, distances = smallest(d, m)
                return columns[places], distances

            self._neighbours = _concatenate(self.near(self.rows, m, least))
        return self._neighbours

    def places(self, windows: Vectors) -> np.ndarray:
        """(n_windows,) the row that each window is, -1 of windows of other clips: the i-th of its clip is the i-th."""
        order = np.argsort(self.rows.clip, kind="stable")
        first = np.searchsorted(self.rows.clip[order], windows.clip, "left")
        place = first + _nth_of_each(windows.clip)
        inside = place < np.searchsorted(self.rows.clip[order], windows.clip, "right")
        return np.where(inside, order[np.minimum(place, len(order) - 1)], -1)

    def _searched(self, queries: Vectors, m: int, weigh: Weigh | None) -> candidates.Rows | None:
        """What to search in; None where all distances cost less, or are there, or float32 cannot hold them."""
        few = len(self) < max(candidates.MANY, candidates.SHARE * m) or len(queries) < candidates.FEW
        if weigh is None or few or queries in self._kept:
            return None
        self._asked[queries] = self._asked.get(queries, 0) + 1
        if self._asked[queries] > _SEARCHES and len(queries) * len(self) <= self._room:
            return None
        longest = self._longest if queries is self.rows else candidates.longest(queries.x)
        if weigh is plain and longest in self._plain:
            return self._plain[longest]
        n_dims = self.rows.x.shape[1]
        slack = _RESOLUTION + (n_dims + 8) * np.finfo(np.float64).eps * (1 + longest * self._longest)
        rows = candidates.Rows(self.rows.x, weigh(slack), longest, self._backend)
        if not rows.usable:
            return None
        if weigh is plain:
            self._plain[longest] = rows
        return rows

    def _some_distances(self, queries: Vectors, block: slice, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns of `_distances`, to the bit; all, where that costs no more."""
        product = columns_of(queries.x[block], self.rows.x, columns)
        if product is None:
            return np.arange(len(self)), self._distances(queries, block)
        d = _halved(product)
        i, own = self._owned.of(queries.clip[block])
        place = np.minimum(np.searchsorted(columns, own), len(columns) - 1)
        there = columns[place] == own
        d[i[there], place[there]] = np.inf
        return columns, d

    def _distances(self, queries: Vectors, block: slice) -> np.ndarray:
        d = _halved(queries.x[block] @ self.rows.x.T)
        i, own = self._owned.of(queries.clip[block])
        d[i, own] = np.inf
        return d

    @functools.cached_property
    def _longest(self) -> float:
        return candidates.longest(self.rows.x)

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


def _halved(product: np.ndarray) -> np.ndarray:
    """D of products of unit vectors, written over them."""
    np.subtract(1.0, product, out=product)
    product *= 0.5
    product[product < _RESOLUTION] = 0.0
    return product


def _rows(train: Vectors, chosen: np.ndarray, made: np.ndarray) -> Vectors:
    place = np.where(chosen < 0, len(train) - 1 - chosen, chosen)  # what was made stands after the windows
    clip = np.concatenate([train.clip, -1 - np.arange(len(made))])
    norm = None if train.norm is None else np.concatenate([train.norm, np.ones(len(made))])[place]
    return Vectors(np.concatenate([train.x, made])[place], clip[place], norm)


def _concatenate(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
