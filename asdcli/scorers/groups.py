"""An inverted index: which values stand under a key."""

from __future__ import annotations

import numpy as np


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

    def among(self, wanted: np.ndarray, some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All pairs (i, j) where `some[j]` stands under `wanted[i]`; `some` is ascending, and not empty."""
        i, value = self.of(wanted)
        j = np.minimum(np.searchsorted(some, value), len(some) - 1)
        there = some[j] == value
        return i[there], j[there]
