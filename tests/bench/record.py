"""Runs of the benchmarks as JSON, and the last one that was committed of this kind of processor to compare with."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from asdcli import __version__
from tests.bench.jobs import Result

COMMITTED = Path(__file__).parent / "committed"


def machine() -> str:
    """The kind of processor, and how many cores: runs of one kind are compared."""
    said = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", said.read_text()) if said.exists() else None
    name = found[1].strip() if found else platform.processor() or platform.machine()
    wide = "avx512_bf16" in said.read_text() if said.exists() else False
    return f"{name}{' with AVX-512 BF16' if wide else ''}, {os.cpu_count()} cores"


def committed() -> Path:
    """Where the run of this kind of processor is kept."""
    return COMMITTED / f"{re.sub(r'[^a-z0-9]+', '-', machine().lower()).strip('-')}.json"


def last() -> dict[str, dict[str, Any]]:
    """The results of that run by name; none where there was none."""
    path = committed()
    return json.loads(path.read_text())["results"] if path.exists() else {}


def as_json(results: dict[str, Result]) -> str:
    """A run; results of the last one that were not measured again stay, each with its day."""
    day = time.strftime("%Y-%m-%d")
    load = os.getloadavg()[0]
    new = {name: {**asdict(result), "day": day, "load": round(load, 1)} for name, result in results.items()}
    kept = {name: result for name, result in last().items() if name not in new}
    whole = {"machine": machine(), "asdcli": __version__, "results": dict(sorted((kept | new).items()))}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
