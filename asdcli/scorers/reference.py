"""The reference set X_ref: what it is made of, its own neighbours, and which of its rows a window is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from asdcli.scorers.distances import Distances
from asdcli.scorers.smallest import smallest
from asdcli.scorers.vectors import Vectors


class Reference(Distances):
    """A reference set: training windows, and points that were made of them (centroids, interpolations).

    A row belongs to its clip, or to nobody, and to the clips that it was interpolated between. Nobody's rows carry
    negative clip numbers of their own.

    Args:
        train: the training windows.
        chosen: (n_ref,) the rows in order: the number of a training window, or -1 - i for the i-th point of `made`.
            None: all training windows.
        made: (n_made, n_dims) points of unit length (or as they are meant to be).
        parents: (n_made, n_parents) numbers of the training windows between which a point was interpolated.
        keep: as in `Distances`.
        device: as in `Distances`.
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
        rows = train if chosen is None else _rows(train, self._chosen, self._made)
        owners = np.repeat(rows.clip[:, None], 1 + self._parents.shape[1], axis=1)
        is_made = self._chosen < 0
        owners[is_made, 1:] = train.clip[self._parents[-1 - self._chosen[is_made]]]
        super().__init__(rows, owners, keep=keep, device=device)
        self._most_owned = int(np.unique(owners, return_counts=True)[1].max(initial=0))
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


def _concatenate(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
