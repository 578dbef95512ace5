"""Some columns of a float64 product, to the last bit as they stand in the whole one.

BLAS computes a product in tiles. Within whole tiles every entry is summed in one order; at the edges, where a tile is
cut, and in products that are small, in another. So the columns that are wanted are put into whole tiles, the rows that
stand at the edge of the whole product are put at the edge again, and small products are never made of large ones. That
this is so of the BLAS at hand is tried once for each shape on made-up numbers; where it is not, the whole product is
computed.
"""

from __future__ import annotations

import functools

import numpy as np

TILE = 192  # a multiple of the tiles that BLAS kernels work in (4 to 48 wide)
LARGE = 1 << 20  # multiplications of a product that OpenBLAS does not take the way of small ones (up to 10^6)


def columns_of(x: np.ndarray, y: np.ndarray, columns: np.ndarray) -> np.ndarray | None:
    """(x @ y.T)[:, columns], bit for bit; None where the whole product costs no more, or only it has those bits.

    Args:
        x: (n_x, n_dims) float64.
        y: (n_y, n_dims) float64.
        columns: (n,) ascending rows of y.
    """
    n, tail = len(y), len(y) % TILE
    inner = columns[: np.searchsorted(columns, n - tail)]
    work = max(x.size, 1)
    n_tiles = max(-(-len(inner) // TILE), -(-2 * LARGE // (work * TILE)), 2)
    if n_tiles * TILE + tail > n // 2 or not (x.flags.c_contiguous and y.flags.c_contiguous):
        return None
    if not _steady(*x.shape, tail):
        return None
    product = x @ y[_laid_out(inner, n_tiles, n)].T
    place = np.concatenate([np.arange(len(inner)), n_tiles * TILE + columns[len(inner) :] - (n - tail)])
    return product[:, place]


def _laid_out(inner: np.ndarray, n_tiles: int, n: int) -> np.ndarray:
    """Rows of whole tiles, the wanted ones first, and then those at the edge."""
    rows = np.zeros(n_tiles * TILE, np.intp)
    rows[: len(inner)] = inner
    return np.concatenate([rows, np.arange(n - n % TILE, n)])


@functools.lru_cache(maxsize=256)
def _steady(n_x: int, n_dims: int, tail: int) -> bool:
    """Whether products of this shape have bits that a column takes along."""
    n_tiles = max(-(-2 * LARGE // (max(n_x * n_dims, 1) * TILE)), 2)
    n = 2 * n_tiles * TILE + tail
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((n_x, n_dims)), rng.standard_normal((n, n_dims))
    inner = np.sort(rng.permutation(n - tail)[: n_tiles * TILE - 1])
    rows = _laid_out(inner, n_tiles, n)
    some = np.delete(np.arange(len(rows)), n_tiles * TILE - 1)
    return bool(((x @ y[rows].T)[:, some] == (x @ y.T)[:, rows[some]]).all())
