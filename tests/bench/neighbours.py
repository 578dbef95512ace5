"""How the cost of nearest neighbours grows with the references."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.jobs import Result
from tests.bench.limits import Limit

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def neighbours(_folder: Path) -> Result:
    """The 17 nearest of 1,000 to 1,000,000 references x 128 for 1,000 queries: against all distances in float64."""
    found = [_of(n) for n in SIZES]
    lines = [
        f"{'references':>12}{'nn':>9}{'b(y)':>9}{'float64':>10}{'matmul':>9}{'float64/b':>11}{'matmul/b':>10}{'peak':>10}"
    ]
    lines += [
        f"{f['n']:>12,}{f['nn']:>7.3f} s{f['b']:>7.3f} s{f['float64']:>8.3f} s{f['matmul']:>7.3f} s"
        f"{f['float64'] / f['b']:>10.1f}x{f['matmul'] / f['b']:>10.2f}{f['peak_mb']:>7.0f} MB"
        for f in found
    ]
    last = found[-1]
    return Result(
        f"{last['nn_wall']:.1f} s, {last['peak_mb']:.0f} MB (nn, 1,000,000)",
        f"all in float64 {last['float64']:.0f} s",
        "< 5 s, < 2 GB",
        last["float64"] / last["b"],
        tuple(lines),
        seconds=last["b"],
        limit=Limit("matmul", last["matmul"]),
    )


def _of(n: int) -> dict[str, float]:
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "tests.bench.neighbour_curve", str(n)]
    done = subprocess.run(command, env=paths, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


ALL: list[Callable[[Path], Result]] = [neighbours]
