"""Where the network can run, and where there is room to write."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from asdcli import cores
from asdcli.pipeline.diagnosis.finding import Finding, State
from asdcli.training.crowd import crowd

_AREA = "machine"
_LOW_BYTES = 5e9  # less than one edition's development set
_TIMEOUT_S = 120
_PROBE = """
import json, torch
cuda = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
print(json.dumps({
    "threads": torch.get_num_threads(),
    "cuda": [f"{p.name}, {p.total_memory / 2**30:.0f} GiB" for p in cuda],
    "built_for_cuda": torch.version.cuda,
    "mps": torch.backends.mps.is_available(),
}))
"""


def look(data: Path, run: Path | None) -> Iterator[Finding]:
    """Devices (asked of torch in a process of its own, so that a broken one cannot take us along) and disks."""
    yield from _devices()
    yield _place("data root", data, "--data")
    yield _place("run", run or Path("runs"), "--run")


def _devices() -> Iterator[Finding]:
    try:
        probe = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        yield Finding(_AREA, "torch", State.PROBLEM, f"does not answer within {_TIMEOUT_S} s")
        return
    if probe.returncode:
        told = (probe.stderr.strip().splitlines() or [f"exit code {probe.returncode}"])[-1]
        fix = f"{sys.executable} -m pip install --force-reinstall torch torchvision"
        yield Finding(_AREA, "torch", State.PROBLEM, f"cannot be imported: {told}", fix)
        return
    found = json.loads(probe.stdout.splitlines()[-1])
    yield Finding(_AREA, "cpu", State.OK, _cores(found["threads"]))
    for i, card in enumerate(found["cuda"]):
        yield Finding(_AREA, f"cuda:{i}", State.OK, card)
    if found["mps"]:
        yield Finding(_AREA, "mps", State.OK, "available")
    if not found["cuda"] and not found["mps"]:
        built = (
            f"torch is built for CUDA {found['built_for_cuda']}" if found["built_for_cuda"] else "a CPU build of torch"
        )
        yield Finding(_AREA, "gpu", State.NOTE, f"none to be seen ({built}): everything runs on the CPU")


def _cores(threads: int) -> str:
    granted = cores.quota()
    paid = "" if granted is None else f", of which this container has {granted:.3g}"
    at_work = crowd(threads)
    return f"{os.cpu_count()} cores{paid}, torch uses {threads} threads" + (f"; {at_work}" if at_work else "")


def _place(name: str, folder: Path, option: str) -> Finding:
    there = folder.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return Finding(_AREA, name, State.PROBLEM, f"{there} is a file, not a folder", f"choose another {option}")
    if not os.access(there, os.W_OK):
        return Finding(_AREA, name, State.PROBLEM, f"{folder} cannot be written", f"choose another {option}")
    free = shutil.disk_usage(there).free
    low = free < _LOW_BYTES
    return Finding(_AREA, name, State.NOTE if low else State.OK, f"{folder}: {free / 1e9:.1f} GB free")
