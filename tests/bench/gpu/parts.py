"""The parts of `make bench-gpu`: each yields the lines that it prints, and notes what is worked with later."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asdcli.scorers.nearest import nearest_distance
from asdcli.scorers.reference import Reference
from asdcli.scorers.vectors import Vectors
from tests.bench.child import asd, python
from tests.bench.gpu import card, made
from tests.bench.gpu import checks as device_checks
from tests.bench.gpu import steps as device_steps
from tests.bench.gpu.made import SMALL, Shape

Notes = dict[str, Any]
"""`fails`: whether a check did; `edition`: command -> seconds of a whole edition."""

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


def checks(shape: Shape, device: torch.device, notes: Notes) -> Iterator[str]:
    """Whether it is right."""
    for check in device_checks.checks(shape, device):
        bound = "" if check.at_most is None else f"  at most {check.at_most:.1e}{'' if check.holds else '  FAILS'}"
        notes["fails"] = notes.get("fails", False) or not check.holds
        yield f"{check.what:<90}{check.found:>9.1e}{bound}"


def steps(shape: Shape, device: torch.device, _: Notes) -> Iterator[str]:
    """What a step costs."""
    size, times = (8192, 50) if shape is not SMALL else (256, 2)
    yield f"copy within memory: {card.copy_rate(device, size << 17) / 1e12:.2f} TB/s"
    for precision, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        rate = card.matmul_rate(dtype, device, size)
        found = device_steps.cost(shape, device, precision, times)
        share = found.operations / found.replayed / rate
        yield (
            f"{precision}: matrix products {rate / 1e12:.1f} TFLOP/s; a step of {shape.batch} x {shape.seconds:g} s "
            f"{1e3 * found.replayed:.2f} ms replayed, {1e3 * found.plain:.2f} ms as it is, its batch "
            f"{1e3 * found.batch:.2f} ms:"
        )
        yield (
            f"    {shape.batch / (found.replayed + found.batch):.0f} clips/s, {share:.1%} of the rate of matrix "
            f"products; peak {found.peak_gb:.1f} GB"
        )


def profile(shape: Shape, device: torch.device, _: Notes) -> Iterator[str]:
    """What a step spends its time on."""
    yield device_steps.profile(shape, device, "bf16")


def neighbours(shape: Shape, device: torch.device, notes: Notes) -> Iterator[str]:
    """The nearest of a million references: with the float32 products on the device, and by numpy."""
    n = 1_000_000 if shape is not SMALL else 10_000
    rng = np.random.default_rng(0)
    train = Vectors.of(rng.standard_normal((n, 128), dtype=np.float32), np.arange(n))
    test = Vectors.of(rng.standard_normal((1_000, 128), dtype=np.float32), n + np.arange(1_000))
    found = []
    for name in ("cpu", str(device), str(device)):
        began = time.perf_counter()
        found.append(nearest_distance(Reference(train, device=name), test))
        yield f"nearest of {n:,} x 128 for 1,000 queries, {name}: {time.perf_counter() - began:.2f} s"
    same = np.array_equal(found[0], found[1])
    notes["fails"] = notes.get("fails", False) or not same
    yield "the same bits" if same else "other bits: FAILS"


def whole(shape: Shape, device: torch.device, notes: Notes) -> Iterator[str]:
    """An edition through the command line, packs on disk to the model and to embeddings."""
    n_train, n = shape.machines * shape.train, shape.machines * (shape.train + shape.test)
    where = ("--dataset", "bench", "--device", str(device))
    with tempfile.TemporaryDirectory(prefix="asd-bench-") as folder:
        root = Path(folder)
        made.write_run(root, shape)
        start = python("-c", f"import torch; torch.zeros(1, device={str(device)!r})", cwd=root)
        yield f"torch and the device, before anything: {start.seconds:.1f} s"
        sizes = ("--batch-size", shape.batch, "--clip-length", shape.seconds)
        trained = asd("train", *where, *sizes, "--epochs", shape.epochs, cwd=root)
        rows = _metrics(root)
        yield (
            f"asd train, {shape.epochs} epochs of {n_train:,} clips: {trained.seconds:.1f} s, of which epochs "
            f"{sum(row['seconds'] for row in rows):.1f} s (the last {rows[-1]['clips_per_s']:.0f} clips/s); "
            f"{trained.peak_mb / 1000:.1f} GB of host memory"
        )
        embedded = asd("embed", *where, cwd=root)
        yield f"asd embed, {n:,} clips: {embedded.seconds:.1f} s, {embedded.peak_mb / 1000:.1f} GB of host memory"
        notes["edition"] = {"`train`": trained.seconds, "`embed`": embedded.seconds}
        python("-c", _SEEDS.format(batch=shape.batch, seconds=shape.seconds, device=device), cwd=root)
        first, second = (float((root / f"seed-{seed}").read_text()) for seed in range(2))
        yield f"one epoch each of two seeds in one process: {first:.1f} s, then {second:.1f} s"


def _metrics(root: Path) -> list[dict[str, Any]]:
    (path,) = (root / "runs" / "bench").rglob("metrics.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


PARTS: dict[str, Callable[[Shape, torch.device, Notes], Iterator[str]]] = {
    part.__name__: part for part in (checks, steps, profile, neighbours, whole)
}
