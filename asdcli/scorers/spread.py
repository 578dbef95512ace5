"""Blocks of work over threads: as many as BLAS would take, each with one-threaded products, so that no thread waits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from asdcli.blas import single_threaded, workers

S = TypeVar("S")
T = TypeVar("T")


@contextlib.contextmanager
def spread(n_blocks: int) -> Iterator[Callable[[Callable[[S], T], Iterable[S]], Iterable[T]]]:
    """`map` over as many threads as there is work for; in this one, where there is a single block."""
    with single_threaded():
        if n_blocks < 2 or workers() < 2:
            yield map
            return
        with ThreadPoolExecutor(min(n_blocks, workers())) as pool:
            yield pool.map
