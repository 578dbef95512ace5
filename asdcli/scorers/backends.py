"""Where the float32 products of a search are made: by numpy, or by torch on a device."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from asdcli.scorers.candidates import Backend, Tile

_PIECES = 4  # pieces a row is cut into for each of its smallest that are wanted


def backend(device: str) -> Backend:
    """numpy for `cpu` and `auto` (whose start costs nothing), torch for any other, such as `cuda`, `cuda:1` or `mps`.

    `torch:cpu` is torch on the CPU: the same results, for tests and for comparison.
    """
    return Numpy() if device in ("cpu", "auto") else Torch(device.removeprefix("torch:"))


class Numpy:
    """Products by the BLAS of numpy; a thread writes each over its last one, which spares it fresh memory."""

    def __init__(self) -> None:
        self._local = threading.local()

    def put(self, numbers: np.ndarray) -> Any:
        return numbers

    def product(self, x: Any, y: Any) -> Tile:
        shape = len(x), y.shape[1]
        if getattr(self._local, "shape", None) != shape:
            self._local.shape, self._local.low, self._local.is_near = (
                shape,
                np.empty(shape, np.float32),
                np.empty(shape, bool),
            )
        return _NumpyTile(np.matmul(x, y, out=self._local.low), self._local.is_near)


class _NumpyTile:
    def __init__(self, low: np.ndarray, is_near: np.ndarray) -> None:
        self._low, self._is_near = low, is_near

    def strike(self, query: np.ndarray, row: np.ndarray) -> None:
        self._low[query, row] = np.inf

    def quantile(self, m: int) -> np.ndarray:
        width = self._low.shape[1] // (_PIECES * m)
        whole = self._low[:, : width * _PIECES * m]
        least = whole.reshape(len(whole), _PIECES * m, width).min(axis=2) if width > 1 else self._low
        bound: np.ndarray = np.partition(least, m - 1, axis=1)[:, m - 1].astype(np.float64)
        return bound

    def below(self, bound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = np.flatnonzero(np.less_equal(self._low, bound[:, None], out=self._is_near))
        return place, self._low.ravel()[place]


class Torch:
    """Products by torch on a device, in float32 and no coarser: TF32 and bfloat16 would break the bound."""

    def __init__(self, device: str) -> None:
        import torch

        self._torch, self._device = torch, torch.device(device)

    def put(self, numbers: np.ndarray) -> Any:
        return self._torch.from_numpy(numbers).to(self._device)

    def product(self, x: Any, y: Any) -> Tile:
        before = self._torch.get_float32_matmul_precision()
        self._torch.set_float32_matmul_precision("highest")
        try:
            return _TorchTile(self._torch, x @ y)
        finally:
            self._torch.set_float32_matmul_precision(before)


class _TorchTile:
    def __init__(self, torch: Any, low: Any) -> None:
        self._torch, self._low = torch, low

    def strike(self, query: np.ndarray, row: np.ndarray) -> None:
        if len(query):
            q, r = (self._torch.from_numpy(np.ascontiguousarray(part)).to(self._low.device) for part in (query, row))
            self._low[q, r] = np.inf

    def quantile(self, m: int) -> np.ndarray:
        least = self._low.topk(m, dim=1, largest=False, sorted=True).values[:, -1]
        bound: np.ndarray = least.cpu().numpy().astype(np.float64)
        return bound

    def below(self, bound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        limit = self._torch.from_numpy(bound).to(self._low.device)[:, None]
        place = (self._low <= limit).ravel().nonzero().ravel()
        return place.cpu().numpy(), self._low.ravel()[place].cpu().numpy()
