"""One training step of the dual-branch network, and one batch embedded: seconds, share of the matmul rate, and by kind.

`python -m tests.bench.step_profile` prints one JSON object; `python -m tests.bench step` shows it.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from asdcli.models.losses import LOSSES
from asdcli.models.networks import NETWORKS
from asdcli.pipeline import process
from asdcli.training.precision import autocast
from asdcli.training.uncompiled import uncompiled

CLIPS, SECONDS, RATE, CLASSES = 64, 10, 16_000, 40
STEPS, TRIES, SIDE = 3, 5, 2048
CPU = torch.device("cpu")
FORMATS = {"fp32": torch.float32, "bf16": torch.bfloat16}
KINDS = {
    "optimizer": ("Optimizer.step",),
    "normalisation": ("batch_norm", "Normalised"),
    "convolution": ("convolution",),
    "spectrum": ("fft", "stft", "spectra"),
    "matmul": ("aten::mm", "aten::addmm", "aten::bmm"),
    "pooling": ("max_pool", "aten::amax"),
    "excitation": ("Excited",),
}
"""Kind of operation -> parts of the names of operations, or of what they are done within; others are the rest."""


@dataclass(frozen=True)
class Taken:
    """Least seconds of several tries, by the clock and of all cores."""

    wall: float
    cores: float

    @staticmethod
    def by(work: Callable[[], object]) -> Taken:
        work()
        found = []
        for _ in range(STEPS):
            wall, cores = time.perf_counter(), time.process_time()
            work()
            found.append((time.perf_counter() - wall, time.process_time() - cores))
        return Taken(min(wall for wall, _ in found), min(cores for _, cores in found))


class Training:
    """The network of the paper on noise, as `asd train` trains it."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.network = NETWORKS.build("dual-branch", SECONDS * RATE, RATE)
        self.loss = LOSSES.build("scac", self.network.n_dims, CLASSES)
        weights = [p for module in (self.network, self.loss) for p in module.parameters() if p.requires_grad]
        self.optimizer = uncompiled(torch.optim.AdamW)(weights, lr=1e-3)
        self.waves = 0.1 * torch.randn(CLIPS, SECONDS * RATE)
        self.labels = torch.nn.functional.one_hot(torch.arange(CLIPS) % CLASSES, CLASSES).float()

    def step(self, precision: str) -> None:
        self.optimizer.zero_grad()
        with autocast(CPU, precision):
            embeddings = self.network(self.waves)
        self.loss(embeddings, self.labels)[0].backward()
        self.optimizer.step()

    def embed(self, precision: str) -> None:
        self.network.eval()
        with torch.inference_mode(), autocast(CPU, precision):
            self.network(self.waves)
        self.network.train()


def matmul(kind: torch.dtype) -> Taken:
    """Of a product of 2048 x 2048 numbers, per floating point operation."""
    a = torch.randn(SIDE, SIDE).to(kind)
    taken = Taken.by(lambda: a @ a)
    return Taken(taken.wall / (2 * SIDE**3), taken.cores / (2 * SIDE**3))


def by_kind(work: Callable[[], object]) -> dict[str, float]:
    """Share of the time of each kind of operation: of every operation the fastest of several tries."""
    tries = []
    for _ in range(TRIES):
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiled:
            work()
        tries.append(sorted(profiled.events(), key=lambda event: event.time_range.start))
    spent: dict[str, float] = defaultdict(float)
    for alike in zip(*tries, strict=False):
        spent[_kind(alike[0])] += min(event.self_cpu_time_total for event in alike)
    return {kind: spent[kind] / sum(spent.values()) for kind in (*KINDS, "rest")}


def _kind(event: Any) -> str:
    names = []
    while event is not None:
        names.append(event.name)
        event = event.cpu_parent
    for kind, parts in KINDS.items():
        if any(part in name for part in parts for name in names):
            return kind
    return "rest"


def main() -> None:
    process.settle(networks=True)
    training = Training()
    with FlopCounterMode(display=False) as counted:
        training.step("fp32")
    operations = counted.get_total_flops()
    found = {}
    for name, kind in FORMATS.items():
        step, embedded, limit = (
            Taken.by(lambda name=name: training.step(name)),
            Taken.by(lambda name=name: training.embed(name)),
            matmul(kind),
        )
        found[name] = {
            "step_s": step.wall,
            "step_core_s": step.cores,
            "gflop_per_core_s": 1e-9 / limit.cores,
            "share": operations * limit.wall / step.wall,
            "share_of_cores": operations * limit.cores / step.cores,
            "embed_per_core_s": CLIPS / embedded.cores,
            "kinds": by_kind(lambda name=name: training.step(name)),
        }
    print(json.dumps({"threads": torch.get_num_threads(), "gflop": operations * 1e-9, "formats": found}))


if __name__ == "__main__":
    main()
