"""Run one `asd` command line and print, on the last line, which share of its time went into digests and checksums."""

from __future__ import annotations

import functools
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

_NAMES = ("digest_table", "digest_arrays", "digest_bytes", "seal_of", "verify")
"""What makes and compares digests; `verify` reads a whole file for that, before another takes its place."""


class Clock:
    """Seconds that threads spend in what it watches; what is called within is not counted twice."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()
        self._of = threading.local()

    def watch(self, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._of, "inside", False):
                return work(*args, **kwargs)
            self._of.inside = True
            began = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                self._of.inside = False
                with self._lock:
                    self.seconds += time.perf_counter() - began

        return watched


def main(words: list[str]) -> int:
    began = time.perf_counter()
    from asdcli import artifacts  # noqa: F401 (later imports take the names from its modules)
    from asdcli.cli import call

    clock = Clock()
    for module in (zipfile, zlib):  # the one keeps the other's function under a name of its own
        module.crc32 = clock.watch(module.crc32)  # type: ignore[attr-defined]
    for name, module in list(sys.modules.items()):
        for known in _NAMES:
            if name.startswith("asdcli.artifacts") and (found := vars(module).get(known)):
                setattr(module, known, clock.watch(found))
    code = call(words)
    print(clock.seconds / (time.perf_counter() - began))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
