"""`make bench-gpu`, or `python -m tests.bench.gpu [--device cuda] [--small] [PART ...]`: checks, steps, whole.

`--small` is for trying it on a CPU. Exit code 1 says that a check does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from asdcli.training.devices import pick_device
from tests.bench.child import asd, python
from tests.bench.gpu import card, checks, made, steps
from tests.bench.gpu.made import SMALL, Shape

PARTS = ("checks", "steps", "profile", "whole")
_SEEDS = """
import time
from pathlib import Path
from asdcli.pipeline.steps import train
from asdcli.pipeline.workspace import Workspace
for seed in range(2):
    run = Workspace(Path("data"), Path("runs/bench"), "bench")
    began = time.perf_counter()
    train.run(run, seed=seed, epochs=1, batch_size={batch}, clip_length={seconds}, device="{device}", force=True)
    Path(f"seed-{{seed}}").write_text(str(time.perf_counter() - began))
"""


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gpu")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true")
    asked = parser.parse_args(words)
    device, shape = pick_device(asked.device), SMALL if asked.small else Shape()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor()
    print(f"{name}, torch {torch.__version__}, {os.cpu_count()} cores", flush=True)
    holds = True
    for part in asked.parts or PARTS:
        began = time.perf_counter()
        if part == "checks":
            holds = _checks(shape, device)
        else:
            {"steps": _steps, "profile": _profile, "whole": _whole}[part](shape, device)
        print(f"({part}: {time.perf_counter() - began:.0f} s)\n", flush=True)
    return 0 if holds else 1


def _checks(shape: Shape, device: torch.device) -> bool:
    holds = True
    for check in checks.checks(shape, device):
        bound = "" if check.at_most is None else f"  at most {check.at_most:.1e}{'' if check.holds else '  FAILS'}"
        print(f"{check.what:<90}{check.found:>9.1e}{bound}", flush=True)
        holds &= check.holds
    return holds


def _steps(shape: Shape, device: torch.device) -> None:
    size, times = (8192, 50) if shape is not SMALL else (256, 2)
    print(f"copy within memory: {card.copy_rate(device, size << 17) / 1e12:.2f} TB/s")
    for precision, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        rate = card.matmul_rate(dtype, device, size)
        found = steps.cost(shape, device, precision, times)
        share = found.operations / found.replayed / rate
        print(
            f"{precision}: matrix products {rate / 1e12:.1f} TFLOP/s; step of {shape.batch} x {shape.seconds:g} s "
            f"{1e3 * found.replayed:.2f} ms replayed, {1e3 * found.plain:.2f} ms as it is, its batch "
            f"{1e3 * found.batch:.2f} ms: {shape.batch / (found.replayed + found.batch):.0f} clips/s, "
            f"{share:.1%} of the rate of matrix products; peak {found.peak_gb:.1f} GB",
            flush=True,
        )


def _profile(shape: Shape, device: torch.device) -> None:
    print(steps.profile(shape, device, "bf16"))


def _whole(shape: Shape, device: torch.device) -> None:
    """An edition through the command line, packs on disk to the model and to embeddings."""
    n_train, n = shape.machines * shape.train, shape.machines * (shape.train + shape.test)
    where = ("--dataset", "bench", "--device", str(device))
    with tempfile.TemporaryDirectory(prefix="asd-bench-") as folder:
        root = Path(folder)
        made.write_run(root, shape)
        sizes = ("--batch-size", shape.batch, "--clip-length", shape.seconds)
        trained = asd("train", *where, *sizes, "--epochs", shape.epochs, cwd=root)
        rows = _metrics(root)
        print(
            f"asd train, {shape.epochs} epochs of {n_train:,} clips: {trained.seconds:.1f} s, of which epochs "
            f"{sum(row['seconds'] for row in rows):.1f} s (the last {rows[-1]['clips_per_s']:.0f} clips/s); "
            f"{trained.peak_mb / 1000:.1f} GB of host memory",
            flush=True,
        )
        embedded = asd("embed", *where, cwd=root)
        print(f"asd embed, {n:,} clips: {embedded.seconds:.1f} s, {embedded.peak_mb / 1000:.1f} GB of host memory")
        python("-c", _SEEDS.format(batch=shape.batch, seconds=shape.seconds, device=device), cwd=root)
        first, second = (float((root / f"seed-{seed}").read_text()) for seed in range(2))
        print(f"one epoch each of two seeds in one process: {first:.1f} s, then {second:.1f} s")


def _metrics(root: Path) -> list[dict[str, Any]]:
    (path,) = (root / "runs" / "bench").rglob("metrics.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
