"""Run one `asd` command line in a child process and measure its wall time and peak resident memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """Wall seconds, peak resident memory in MB, and seconds of processors, which a busy machine stretches less."""

    seconds: float
    peak_mb: float
    cpu_s: float


def asd(*arguments: object, cwd: object, more: Mapping[str, str] | None = None) -> Usage:
    """Run `asd ARGUMENTS` in `cwd`. Raises RuntimeError with the child's words when it fails."""
    return python("-m", "asdcli", *map(str, arguments), cwd=cwd, more=more)


def python(*words: str, cwd: object, more: Mapping[str, str] | None = None) -> Usage:
    """Run Python with these words in `cwd`, and `more` in its environment. Raises as `asd`."""
    command = [sys.executable, *words]
    start = time.perf_counter()
    own = {**os.environ, **(more or {})}
    child = subprocess.Popen(
        command, cwd=str(cwd), env=own, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert child.stderr is not None
    words = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{words}")
    return Usage(seconds, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)
