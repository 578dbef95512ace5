"""What this machine can do at best, measured in the same run: products of matrices, copies, decoding."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Limit(NamedTuple):
    """Seconds below which the work of a benchmark cannot be done here, and what is the limit."""

    what: str
    seconds: float


def matmul(operations: float) -> Limit:
    """The time of so many floating-point operations in products of large float32 matrices, all cores."""
    return Limit("matmul", operations / _matmul_rate())


def copy(n_bytes: float) -> Limit:
    """The time to copy so many bytes within memory, read and written, all cores."""
    return Limit("copy", n_bytes / _copy_rate())


def decode(paths: Sequence[Path]) -> Limit:
    """The time to read these recordings with soundfile, in as many threads as there are cores, and nothing else."""
    import soundfile

    def read(some: Iterable[Path]) -> None:
        for path in some:
            soundfile.read(path, dtype="int16")

    n = os.cpu_count() or 1

    def all_of_them() -> None:
        with ThreadPoolExecutor(n) as threads:
            list(threads.map(read, [paths[i::n] for i in range(n)]))

    return Limit("decode", _best(all_of_them))


@functools.cache
def _matmul_rate() -> float:
    n = 3072
    a, b = (np.random.default_rng(i).standard_normal((n, n), np.float32) for i in range(2))
    return 2 * n**3 / _best(lambda: a @ b)


@functools.cache
def _copy_rate() -> float:
    n = 1 << 28
    a, b = np.ones(n, np.uint8), np.empty(n, np.uint8)
    parts = np.array_split(np.arange(0, n + 1, n // 64), os.cpu_count() or 1)
    spans = [slice(int(part[0]), int(part[-1])) for part in parts if len(part) > 1]

    def both() -> None:
        with ThreadPoolExecutor(len(spans)) as threads:
            list(threads.map(lambda span: np.copyto(b[span], a[span]), spans))

    return 2 * n / _best(both)


def _best(work: Callable[[], object], times: int = 5) -> float:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)
