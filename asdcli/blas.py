"""Matrix products of numpy: how many threads they would take, and on one thread where the work itself is spread.

Threads of BLAS that wait for one another spin, which takes processor time and brings nothing. Here nothing but numpy is
imported or held back; around fits of scikit-learn stands `scorers.threads.one_thread`, which needs its import.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

from threadpoolctl import ThreadpoolController


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """numpy's products on one thread, in the whole process: enter it around threads, not within them."""
    workers()
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@functools.cache
def workers() -> int:
    """As many threads as BLAS would take (it honours OMP_NUM_THREADS and the cores at hand)."""
    return max([i["num_threads"] for i in _libraries().info() if i["user_api"] == "blas"], default=1)


@functools.cache
def _libraries() -> ThreadpoolController:
    import numpy  # noqa: F401  # brings the library that is looked for

    return ThreadpoolController()
