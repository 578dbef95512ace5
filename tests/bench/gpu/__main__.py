"""`make bench-gpu`, or `python -m tests.bench.gpu [--device cuda] [--small] [--json FILE] [PART ...]`.

`--small` is for trying it on a CPU. Exit code 1 says that a check does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

import torch

from asdcli.training.devices import pick_device
from tests.bench.gpu.made import SMALL, Shape
from tests.bench.gpu.parts import PARTS, Notes


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gpu")
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)}; all but the profile by default")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true")
    parser.add_argument(
        "--json",
        type=Path,
        help="write what is printed to this file: docs/performance.md takes tests/bench/committed/gpu-*.json",
    )
    asked = parser.parse_args(words)
    device, shape = pick_device(asked.device), SMALL if asked.small else Shape()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    machine = f"{name}, {os.cpu_count()} cores, torch {torch.__version__}"
    print(machine, flush=True)
    notes: Notes = {}
    lines = []
    for part in asked.parts or [name for name in PARTS if name != "profile"]:
        began = time.perf_counter()
        for line in PARTS[part](shape, device, notes):
            print(line, flush=True)
            lines.append(line)
        print(f"({part}: {time.perf_counter() - began:.0f} s)\n", flush=True)
        if asked.json:
            run = {"machine": machine, "day": time.strftime("%Y-%m-%d"), "edition": notes.get("edition", {})}
            asked.json.write_text(json.dumps({**run, "lines": lines}, indent=1) + "\n", encoding="utf-8")
    return 1 if notes.get("fails") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
