"""What a shorter number format does to scores, beside what another seed does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.bench.child import asd
from tests.bench.jobs import Result

SEEDS, EPOCHS = 5, 2
FORMATS = ("fp32", "bf16")


def formats(folder: Path) -> Result:
    """The official score of `nn` by networks of five seeds that embed in fp32 and in bf16: synthetic machines."""
    asd("download", "synthetic", "--size", "small", cwd=folder)
    asd("extract-features", "--dataset", "synthetic", cwd=folder)
    asd("train", "--dataset", "synthetic", "--seeds", f"0-{SEEDS - 1}", "--epochs", EPOCHS, cwd=folder)
    runs = [f"runs/synthetic/seed-{seed}" for seed in range(SEEDS)]
    found = np.array([[_official(folder, run, name) for name in FORMATS] for run in runs])
    fp32, bf16 = found.T
    off = np.abs(bf16 - fp32).max()
    return Result(
        f"bf16 changes {off:.4f} at most",
        f"seeds spread {fp32.std(ddof=1):.4f}",
        "> 1x",
        fp32.std(ddof=1) / off,
        (
            f"  official scores by seed, fp32: {'  '.join(f'{x:.4f}' for x in fp32)}",
            f"  {'the same networks in bf16:':>30} {'  '.join(f'{x:.4f}' for x in bf16)}",
        ),
    )


def _official(folder: Path, run: str, precision: str) -> float:
    asd("embed", "--run", run, "--precision", precision, cwd=folder)
    asd("score", "--run", run, "-m", "nn", cwd=folder)
    command = [sys.executable, "-m", "asdcli", "evaluate", "--run", run, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["facts"]["results"][0]["official"])


ALL: list[Callable[[Path], Result]] = [formats]
