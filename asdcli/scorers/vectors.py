"""Vectors of windows, brought to unit length, with the clips that they are windows of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NORM_FLOOR = 1e-12
_ROWS = 1 << 14  # brought to length one at a time


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
