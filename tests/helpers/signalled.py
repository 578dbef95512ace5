"""`asd` in a process of its own that sends itself a signal at a stated place of its work, however fast that is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from signal import Signals

from tests.helpers.waiting import PATIENCE_S

_PROGRAM = """
import importlib, itertools, os, sys
from asdcli.cli import main

module, name, nth, number, *sys.argv[1:] = sys.argv[1:]
home = importlib.import_module(module)
original, calls = getattr(home, name), itertools.count(1)

def signalling(*given, **options):
    if next(calls) == int(nth):
        os.kill(os.getpid(), int(number))
    return original(*given, **options)

setattr(home, name, signalling)
main()
"""


def asd(
    *words: str, number: Signals, call: str, nth: int, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `asd WORDS`; when `call` ("module:function") is called for the `nth` time, `number` comes before it."""
    module, _, name = call.partition(":")
    command = [sys.executable, "-c", _PROGRAM, module, name, str(nth), str(int(number)), *words]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE_S)
