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
_WIDE = {"amx_bf16": "AMX BF16", "avx512_bf16": "AVX-512 BF16"}
"""What of a processor multiplies bfloat16, the fastest first: as Linux spells it -> in words."""


def machine() -> str:
    """The kind of processor, and how many cores: runs of one kind are compared."""
    file = Path("/proc/cpuinfo")
    said = file.read_text() if file.exists() else ""
    found = re.search(r"model name\s*: (.+)", said)
    name = re.sub(r"\((R|TM)\)", "", found[1].strip()) if found else platform.processor() or platform.machine()
    wide = next((f" with {words}" for flag, words in _WIDE.items() if flag in said), "")
    return f"{name}{wide}, {os.cpu_count()} cores"


def committed() -> Path:
    """Where the run of this kind of processor is kept."""
    return COMMITTED / f"{slug(machine())}.json"


def slug(name: str) -> str:
    """The name of a machine as that of a file."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


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
