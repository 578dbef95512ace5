"""Waiting for what another process does: for the thing itself, with patience enough for a machine under load."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

PATIENCE_S = 900.0
"""After this long a process is taken to hang. It measures nothing: on an idle machine this takes seconds."""


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Return as soon as `reached`, asked again and again; fail when `process` ends before that."""
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert process.poll() is None, f"it ended with {process.returncode}: {process.communicate()}"
        assert time.monotonic() < deadline, f"nothing came of it in {PATIENCE_S:g} s"
        time.sleep(0.01)
