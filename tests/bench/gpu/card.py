"""The limits of a device, measured: matrix products and copies."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch


def seconds(work: Callable[[], object], device: torch.device, times: int = 10) -> float:
    """Of one call, on average, after two that are not counted."""
    for _ in range(2):
        work()
    _wait(device)
    began = time.perf_counter()
    for _ in range(times):
        work()
    _wait(device)
    return (time.perf_counter() - began) / times


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matmul_rate(dtype: torch.dtype, device: torch.device, n: int) -> float:
    """Operations a second of products of two n x n matrices of noise."""
    a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    return 2 * n**3 / seconds(lambda: a @ b, device)


def copy_rate(device: torch.device, n_bytes: int) -> float:
    """Bytes read and written a second by a copy within the device's memory."""
    a, b = (torch.empty(n_bytes, dtype=torch.uint8, device=device) for _ in range(2))
    return 2 * n_bytes / seconds(lambda: b.copy_(a), device)
