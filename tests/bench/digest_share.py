"""Run one `asd` command line; print last which shares of its processor time went into digests.

Two numbers: what went into checking those of files that are read, and into making those of files that are written.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from asdcli.artifacts.blocks import BlockDigests

_DIGESTS = ("digest_table", "digest_arrays", "digest_bytes", "seal_of", "verify")
"""What makes and compares digests; `verify` reads a whole file for that, before another takes its place."""

_WRITERS = ("write_table", "write_arrays", "write_model", "save", "write_files")
"""Digests and checksums made within these are those of a file that is being written; all others are checks."""


class Clock:
    """Processor seconds of threads in what it watches, while checking and while writing; nothing is counted twice."""

    def __init__(self) -> None:
        self.checking = 0.0
        self.making = 0.0
        self._lock = threading.Lock()
        self._of = threading.local()

    def writer(self, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def writing(*args: Any, **kwargs: Any) -> Any:
            before, self._of.writing = getattr(self._of, "writing", False), True
            try:
                return work(*args, **kwargs)
            finally:
                self._of.writing = before

        return writing

    def watch(self, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._of, "inside", False):
                return work(*args, **kwargs)
            self._of.inside = True
            began = time.thread_time()
            try:
                return work(*args, **kwargs)
            finally:
                self._of.inside = False
                self._add(time.thread_time() - began)

        return watched

    def in_threads(self, *, written: bool) -> type[BlockDigests]:
        """Digests block by block, in threads that are watched; of a file that is `written`, or as who asks for them."""
        clock = self

        class Watched(BlockDigests):
            def __init__(self, **how: bool) -> None:
                super().__init__(**how)
                submit = self._pool.submit
                is_writing = written or getattr(clock._of, "writing", False)

                def watched(work: Callable[..., Any], *args: Any) -> Any:
                    return submit((clock.writer if is_writing else lambda it: it)(clock.watch(work)), *args)

                self._pool.submit = watched  # type: ignore[assignment, method-assign]

        return Watched

    def _add(self, seconds: float) -> None:
        with self._lock:
            if getattr(self._of, "writing", False):
                self.making += seconds
            else:
                self.checking += seconds


def main(words: list[str]) -> int:
    from asdcli import artifacts  # noqa: F401 (later imports take the names from its modules)
    from asdcli.artifacts import digest, growing
    from asdcli.cli import call

    clock = Clock()
    for module in (zipfile, zlib):  # the one keeps the other's function under a name of its own
        module.crc32 = clock.watch(module.crc32)  # type: ignore[attr-defined]
    _replace("asdcli.artifacts", _DIGESTS, clock.watch)
    if words[0] == "train":
        from asdcli.training import checkpoint, model_files  # noqa: F401
    _replace("asdcli", _WRITERS, clock.writer)
    for name in ("append", "finish"):
        setattr(growing.GrowingArrays, name, clock.writer(getattr(growing.GrowingArrays, name)))
    digest.BlockDigests = clock.in_threads(written=False)  # type: ignore[misc]
    growing.BlockDigests = clock.in_threads(written=True)  # type: ignore[misc]
    code = call(words)
    whole = time.process_time()
    print(clock.checking / whole, clock.making / whole)
    return code


def _replace(package: str, names: Sequence[str], by: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith(package):
            for known in names:
                if callable(found := vars(module).get(known)):
                    setattr(module, known, by(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
