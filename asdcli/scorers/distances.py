"""Distances to a set of rows, block by block, and what windows of a clip may not be compared with.

D(x, y) = (1 - <x, y>) / 2 for unit-norm x and y (Matsumoto et al. 2025, Eq. 2), in float64. All work on distances goes
through `Distances.map` and `Distances.near`, so that memory does not grow with the product of queries and rows. BLAS
runs on one thread within a block and the blocks are spread over threads: results do not depend on how many. Where there
are many rows, `near` looks for those that matter in float32 (`candidates`) and computes only their distances in
float64: the results are those of all distances, bit for bit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from asdcli.scorers import candidates
from asdcli.scorers.backends import backend
from asdcli.scorers.candidates import Form, Pairs
from asdcli.scorers.columns import columns_of
from asdcli.scorers.groups import Groups
from asdcli.scorers.spread import spread
from asdcli.scorers.vectors import Vectors

T = TypeVar("T")

_RESOLUTION = 1e-14  # float32 vectors resolve no smaller distance: below it two vectors count as the same
_BLOCK, _TALL = 1 << 18, 1 << 23  # entries of one block of distances: 2 MB where rows are few, at most 64 MB
_KEEP = 1 << 26  # entries of the distance matrices that one set of rows may keep for its next reader (512 MB)
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


class Distances:
    """Distances of windows to some rows.

    A row belongs to one clip or more. A query window is never compared with rows of its own clip: its distance to them
    is infinite. With `keep`, distance matrices of moderate size are remembered, for methods that read the same ones one
    after the other.

    Args:
        rows: (n_rows, n_dims).
        owners: (n_rows, n_owners) numbers of the clips that each belongs to.
        keep: see above.
        device: where float32 products are made, see `backends.backend`.
    """

    def __init__(self, rows: Vectors, owners: np.ndarray, *, keep: bool, device: str) -> None:
        self.rows, self.owners = rows, owners
        self._owned = Groups(owners.ravel(), np.repeat(np.arange(len(rows)), owners.shape[1]))
        self._room = _KEEP if keep else 0
        self._kept: dict[Vectors, np.ndarray] = {}
        self._asked: dict[Vectors, int] = {}
        self._backend = backend(device)
        self._plain: dict[float, candidates.Rows] = {}

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

    def _searched(self, queries: Vectors, m: int, weigh: Weigh | None) -> candidates.Rows | None:
        """What to search in; None where all distances cost less, or are there, or float32 cannot hold them."""
        worth = candidates.worth_while(len(queries), len(self), m)
        if weigh is None or not worth or queries in self._kept:
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
        d[self._owned.among(queries.clip[block], columns)] = np.inf
        return columns, d

    def _distances(self, queries: Vectors, block: slice) -> np.ndarray:
        d = _halved(queries.x[block] @ self.rows.x.T)
        d[self._owned.of(queries.clip[block])] = np.inf
        return d

    @functools.cached_property
    def _longest(self) -> float:
        return candidates.longest(self.rows.x)

    def _blocks(self, queries: Vectors) -> list[slice]:
        n = max(len(self), 1)
        step = max(_BLOCK // n, min(64, max(_TALL // n, 1)))
        return [slice(i, i + step) for i in range(0, max(len(queries), 1), step)]


def _halved(product: np.ndarray) -> np.ndarray:
    """D of products of unit vectors, written over them."""
    np.subtract(1.0, product, out=product)
    product *= 0.5
    product[product < _RESOLUTION] = 0.0
    return product
