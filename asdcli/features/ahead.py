"""What comes next is made while the last is being worked on: what waits for a disk, or for a copy, is hidden."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

T = TypeVar("T")

_END = object()


def one_ahead(items: Iterable[T]) -> Iterator[T]:
    """`items` in their order, each made in a thread while whoever asks works on the one before; never more than one.

    They must not depend on what is done with those before, nor draw from torch's own generator. The thread computes by
    itself: a second team of threads would be in the way of those that work.
    """
    source = iter(items)
    with ThreadPoolExecutor(1, "ahead", _by_itself) as thread:
        coming = thread.submit(next, source, _END)
        while (item := coming.result()) is not _END:
            coming = thread.submit(next, source, _END)
            yield cast(T, item)


def _by_itself() -> None:
    if "torch" in sys.modules:  # and no need to wait for its import where it is not used
        sys.modules["torch"].set_num_threads(1)
