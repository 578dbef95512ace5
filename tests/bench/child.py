"""Run one `asd` command line in a child process and measure its wall time and peak resident memory."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


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
    peak = Peak(child.pid)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{said}")
    return Usage(seconds, peak.mb(), usage.ru_utime + usage.ru_stime)


class Peak:
    """Looks again and again at how much memory a process has had; what `wait` says begins with that of its parent."""

    def __init__(self, process: int | str) -> None:
        self._status, self._most = Path(f"/proc/{process}/status"), 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        with contextlib.suppress(OSError):  # it has ended
            while found := peak_of(self._status):
                self._most = found
                time.sleep(0.01)

    def mb(self) -> float:
        """The most, in MB, of a process that has ended."""
        self._thread.join()
        return self._most / 1024


def peak_of(status: Path = Path("/proc/self/status")) -> int:
    """The most memory that a process has had until now, in kB; 0 of one that has ended."""
    found = re.search(r"VmHWM:\s*(\d+)", status.read_text())
    return int(found[1]) if found else 0
