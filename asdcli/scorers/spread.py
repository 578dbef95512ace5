"""Blocks of work over threads: as many as BLAS would take, each with one-threaded products, so that no thread waits."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import ThreadpoolController

S = TypeVar("S")
T = TypeVar("T")


@contextlib.contextmanager
def spread(n_blocks: int) -> Iterator[Callable[[Callable[[S], T], Iterable[S]], Iterable[T]]]:
    """`map` over as many threads as there is work for; in this one, where there is a single block."""
    with _blas().limit(limits=1, user_api="blas"):
        if n_blocks < 2 or _workers() < 2:
            yield map
            return
        with ThreadPoolExecutor(min(n_blocks, _workers())) as pool:
            yield pool.map


@functools.cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


@functools.cache
def _workers() -> int:
    """As many threads as BLAS would have used (it honours OMP_NUM_THREADS and the cores at hand)."""
    return max([i["num_threads"] for i in _blas().info() if i["user_api"] == "blas"], default=1)
