"""Which rows may be among the nearest: a search in float32 that counts on the worst its rounding can do.

What is made small is offset_y - weight_y <x, y> (see `Form`): the distance of unit vectors, the squared distance less
|x|^2, a distance divided by a scale. As a product it is one of vectors with a number more, x' = (x / a, 1) and
y' = (-weight_y a y, offset_y) / c, a and c powers of two that keep every number at most 1. In float32, with unit
roundoff u = 2^-24, n = n_dims + 1 terms and in whatever order a BLAS or a GPU adds them up, the product v' differs from
the true v = <x', y'> by at most

    |v' - v| <= gamma_(n+2) sum |x'_i| |y'_i| + 2^-120 n    with  gamma_k = k u / (1 - k u)

(n for products and sums, one for rounding each of x' and y' to float32: Higham, Accuracy and Stability, 3.1; the last
term for numbers below float32's normal range, also where they are flushed to zero), and as |x / a| <= 1, sum <= |y'| of
the first n_dims + |offset_y / c| by Cauchy-Schwarz. This e_y, and what the float64 value that decides may be off from
the true one (`slack`), is taken off the offset before the product is made: what comes out is a lower bound, and
2 e_y more is an upper one. A row whose lower bound is above the k-th smallest upper bound is not among the k nearest.
Everything else is a candidate, and float64 decides among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

MANY, FEW, SHARE = 4096, 128, 16  # rows and queries that a search is worth while for, and rows for each it wants
TILE = 2048  # rows of y at a time
QUERIES = 512  # of x at a time
_KEEP = 1 << 26  # numbers in float32 that are kept between queries (256 MB); of more, tiles are made again and again
_MOST = 1024  # candidates of a query; where there are more, distances in float64 cost less
_ROUNDOFF = 2.0**-24
_WIDE = 2.0**60  # a bound that says nothing any more, of numbers up to 1
_SMALLEST = 2.0**-900  # below, and above its inverse, float64 itself is at the end of its range


@dataclass(frozen=True, eq=False)
class Form:
    """offset_y - weight_y <x, y>, what a search makes small; (n,) each, or one number for all.

    `slack` is how far the float64 value that decides may be from it.
    """

    weight: np.ndarray | float
    offset: np.ndarray | float
    slack: np.ndarray | float


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs, such as those not to be compared: `query` and `row` (n_pairs,), ascending by query."""

    query: np.ndarray
    row: np.ndarray

    @staticmethod
    def joined(*parts: tuple[np.ndarray, np.ndarray]) -> Pairs:
        """Of pairs (query, row), each ascending by query."""
        query, row = (np.concatenate(side) for side in zip(*parts, strict=True))
        order = np.argsort(query, kind="stable")
        return Pairs(query[order], row[order])

    def of(self, start: int, stop: int) -> Pairs:
        """Those of some queries, counted from the first of these."""
        a, b = np.searchsorted(self.query, [start, stop])
        return Pairs(self.query[a:b] - start, self.row[a:b])


class Tile(Protocol):
    """Lower bounds (n_queries, n_rows) in float32 of some queries and a tile of rows, where they were computed."""

    def strike(self, query: np.ndarray, row: np.ndarray) -> None:
        """Make these infinite."""

    def quantile(self, m: int) -> np.ndarray:
        """(n_queries,) a number that at least m of each row do not exceed; infinite where there are fewer."""

    def below(self, bound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places in the raveled tile of what does not exceed `bound` (n_queries,), ascending, and the values."""


class Backend(Protocol):
    """Where products are made."""

    def put(self, numbers: np.ndarray) -> Any:
        """An array of float32 in the memory that it computes from."""

    def product(self, x: Any, y: Any) -> Tile:
        """x (n_queries, n) times y (n, n_rows), each from `put`, in float32 and nothing coarser."""


class Rows:
    """The rows y, ready to be searched by one form."""

    def __init__(self, y: np.ndarray, form: Form, longest: float, backend: Backend) -> None:
        """Args: y (n, n_dims) float64; the form; no query is longer than `longest`; where products are made."""
        n, n_dims = y.shape
        self._y, self._backend = y, backend
        self._weight = np.broadcast_to(np.asarray(form.weight, np.float64), n)
        offset = np.broadcast_to(np.asarray(form.offset, np.float64), n)
        self._a = _power_of_two(longest)
        length = np.abs(self._weight) * self._a * lengths(y)
        self._c = _power_of_two(max(float(length.max(initial=0)), float(np.abs(offset).max(initial=0))))
        slack = np.broadcast_to(np.asarray(form.slack, np.float64), n)
        k = n_dims + 3
        gamma = k * _ROUNDOFF / (1 - k * _ROUNDOFF) if 4 * k * _ROUNDOFF < 1 else float("nan")
        error = (1.01 + gamma) * gamma * (length + np.abs(offset) + slack) / self._c + 2.0**-120 * (n_dims + 1)
        self._error = error + slack / self._c
        self._offset = offset / self._c - self._error
        self.usable = bool((self._error < _WIDE).all())
        self._kept: dict[int, Any] | None = {} if n * (n_dims + 1) <= _KEEP else None

    def __len__(self) -> int:
        return len(self._y)

    def candidates(self, x: np.ndarray, m: int, struck: Pairs) -> tuple[np.ndarray, np.ndarray] | None:
        """Pairs (query, row), ascending, among which are the m nearest of each query (and all that tie with them).

        None where a query has fewer than m rows to be compared with, and where so many are alike that float32 cannot
        tell them apart.
        """
        queries = self._backend.put(np.concatenate([x / self._a, np.ones((len(x), 1))], axis=1).astype(np.float32))
        best = np.full((len(x), m), np.inf)  # the m smallest upper bounds
        found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        n_new, n_found = 0, 0
        bound = np.full(len(x), np.inf)
        by_row = np.argsort(struck.row, kind="stable")
        for start, stop in self._tiles(m):
            tile = self._backend.product(queries, self._tile(start, stop))
            of = by_row[slice(*np.searchsorted(struck.row, [start, stop], sorter=by_row))]
            tile.strike(struck.query[of], struck.row[of] - start)
            if not found:
                bound = tile.quantile(m) + 2 * self._error[start:stop].max()
            place, low = tile.below(_up(bound))
            query, row = np.divmod(place, stop - start)
            found.append((query, row + start, low))
            n_new, n_found = n_new + len(query), n_found + len(query)
            if n_found > len(x) * max(64 * m, _MOST):
                return None
            if 2 * n_new > n_found or n_new > len(x) * m:
                best = self._best(best, found[-_since(found, n_new) :])
                bound, n_new = np.minimum(bound, best[:, -1]), 0
        if n_new:
            best = self._best(best, found[-_since(found, n_new) :])
            bound = np.minimum(bound, best[:, -1])
        if not np.isfinite(bound).all():
            return None
        query, row, low = (np.concatenate(part) for part in zip(*found, strict=True))
        near = low <= _up(bound)[query]
        query, row = query[near], row[near]
        order = np.lexsort((row, query))
        return query[order], row[order]

    def _best(self, best: np.ndarray, found: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> np.ndarray:
        """The smallest upper bounds of each query, those that were found since among them."""
        query, row, low = (np.concatenate(part) for part in zip(*found, strict=True))
        order = np.argsort(query, kind="stable")
        query, row = query[order], row[order]
        count = np.bincount(query, minlength=len(best))
        new = np.full((len(best), int(count.max(initial=0))), np.inf)
        new[query, np.arange(len(query)) - np.repeat(np.cumsum(count) - count, count)] = (
            low[order].astype(np.float64) + 2 * self._error[row]
        )
        m = best.shape[1]
        return np.sort(np.partition(np.concatenate([best, new], axis=1), m - 1, axis=1)[:, :m], axis=1)

    def _tiles(self, m: int) -> Iterator[tuple[int, int]]:
        """Tiles of rows, none far from those before it for long: what lies together is often alike."""
        width = max(TILE, 8 * m)
        n = max(len(self) // width, 1)
        step = next(s for s in range(max(round(0.618 * n), 1), 2 * n + 1) if np.gcd(s, n) == 1)
        for i in range(n):
            j = i * step % n
            yield j * width, len(self) if j == n - 1 else (j + 1) * width

    def _tile(self, start: int, stop: int) -> Any:
        if self._kept is not None and start in self._kept:
            return self._kept[start]
        made = np.empty((self._y.shape[1] + 1, stop - start), np.float32)
        made[:-1] = (self._y[start:stop] * (self._weight[start:stop] * (-self._a / self._c))[:, None]).T
        made[-1] = self._offset[start:stop]
        tile = self._backend.put(made)
        if self._kept is not None:
            self._kept[start] = tile
        return tile


def worth_while(n_queries: int, n_rows: int, m: int) -> bool:
    """Whether a search for the m nearest costs less than all distances."""
    return n_queries >= FEW and n_rows >= max(MANY, SHARE * m)


def lengths(x: np.ndarray) -> np.ndarray:
    """(n,) an upper bound on the length of each row."""
    found: np.ndarray = np.sqrt(np.einsum("nd,nd->n", x, x)) * (1 + 1e-9)
    return found


def longest(x: np.ndarray) -> float:
    """A power of two that no row is longer than; NaN where there is none that float64 goes well with."""
    return _power_of_two(float(lengths(x).max(initial=0)))


def _power_of_two(number: float) -> float:
    """The least power of two that is not below a number; NaN where float64 itself is near the end of its range."""
    if not _SMALLEST < number < 1 / _SMALLEST:
        return float("nan")
    return float(2.0 ** np.ceil(np.log2(number)))


def _up(bound: np.ndarray) -> np.ndarray:
    """In float32, not below it."""
    return np.nextafter(bound.astype(np.float32), np.float32(np.inf))


def _since(found: list[tuple[np.ndarray, np.ndarray, np.ndarray]], n_new: int) -> int:
    """How many of the last parts hold the last `n_new` pairs."""
    parts = 0
    while n_new > 0:
        parts += 1
        n_new -= len(found[-parts][0])
    return max(parts, 1)
