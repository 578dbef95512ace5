"""Whether a device computes what the CPU does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch

from asdcli.embedders.trained import Trained
from asdcli.models.losses import LOSSES
from asdcli.models.networks import NETWORKS
from asdcli.scorers.nearest import nearest_distance
from asdcli.scorers.reference import Reference
from asdcli.scorers.vectors import Vectors
from asdcli.training.graphs import Compute, Replayed, Tensors, recorded
from asdcli.training.seeds import generator, step_randomness
from tests.bench.gpu import made
from tests.bench.gpu.made import RATE, Shape

STEPS = 8  # of a training that is replayed: more than are taken as they are


class Check(NamedTuple):
    """What was found, and what it may be at most; None where it is only told."""

    what: str
    found: float
    at_most: float | None

    @property
    def holds(self) -> bool:
        return self.at_most is None or self.found <= self.at_most


def checks(shape: Shape, device: torch.device) -> Iterator[Check]:
    """All of them, one after the other, on smaller batches of shorter clips: the CPU has to follow."""
    shape = replace(shape, batch=min(shape.batch, 16), seconds=min(shape.seconds, 6.0))
    cpu = torch.device("cpu")
    here, there = (made.task(shape, 4 * shape.batch, where, "fp32", mixup=0.5) for where in (cpu, device))
    pairs = zip(here.batches(0), there.batches(0), strict=True)
    yield Check("batches (crops, mixup): largest difference", max(_off(a[0], b[0]) for a, b in pairs), 1e-7)
    yield Check("batches of short clips", _short(shape, device), 0.0)
    yield from _embeddings(shape, device)
    yield from _gradients(shape, device)
    yield from _replays(shape, device)
    yield Check("nearest neighbours: other bits than by numpy", _neighbours(str(device)), 0.0)


def _off(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.cpu().double() - b.cpu().double()).abs().max())


def _share(a: torch.Tensor, b: torch.Tensor) -> float:
    """How far `b` is from `a`, as a share of its length."""
    return float((b.cpu().double() - a.cpu().double()).norm() / a.cpu().double().norm())


def _short(shape: Shape, device: torch.device) -> float:
    banks = [made.task(shape, 8, where, "fp32").bank for where in (torch.device("cpu"), device)]
    at = torch.linspace(0, 0.99, 8, dtype=torch.float64)
    return _off(*(bank.crop(torch.arange(8), 2 * shape.n_samples + 1, at) for bank in banks))


def _embeddings(shape: Shape, device: torch.device) -> Iterator[Check]:
    torch.manual_seed(0)
    network = NETWORKS.build("dual-branch", shape.n_samples, RATE).eval()
    pack = made.pack(shape, made.rows("m0", 2 * shape.batch), 1)
    found = [
        torch.from_numpy(Trained({None: network.to(where)}, where).embed(pack, np.ones(len(pack), bool)).vectors)
        for where in (torch.device("cpu"), device)
    ]
    yield Check("embeddings in float32, the worst of the clips", max(map(_share, *found)), 1e-5)


def _gradients(shape: Shape, device: torch.device) -> Iterator[Check]:
    """Of the worst tensor, off those of float64 on the CPU."""
    exact = _of_one_step(shape, torch.device("cpu"), torch.float64)
    for name, where in (("the CPU", torch.device("cpu")), ("the device", device)):
        found = _of_one_step(shape, where, torch.float32)
        worst = max(_share(a, b) for a, b in zip(exact, found, strict=True))
        yield Check(f"gradients in float32 on {name}, the worst tensor", worst, None)


def _of_one_step(shape: Shape, device: torch.device, dtype: torch.dtype) -> list[torch.Tensor]:
    task = made.task(shape, shape.batch, device, "fp32")
    (batch,) = task.batches(0)
    network = task.module.network.to(dtype)
    embeddings = network(batch.waveforms.to(dtype)).double()
    aims = torch.randn(embeddings.shape, generator=generator(0, "aims"), dtype=torch.float64).to(device)
    torch.cosine_similarity(embeddings, aims).mean().backward()
    return [p.grad for p in network.parameters() if p.grad is not None]


def _replays(shape: Shape, device: torch.device) -> Iterator[Check]:
    """Trainings that are replayed against those that are taken as they are: by what share their losses differ.

    Twice as they are tells what sums of another order do by themselves.
    """
    names = itertools.product(("dual-branch", "multi-resolution"), ("scac", "scac:scale=dynamic", *_others()))
    plans: list[dict[str, Any]] = [{"network": network, "loss": loss} for network, loss in names]
    plans.append({"network": "dual-branch:specaugment=0.5"})
    for plan in plans:
        plain, again, replay = (_losses(shape, device, plan, replays=r) for r in (False, False, True))
        words = " ".join(plan.values())
        differ = [float(((x - plain).abs() / plain.abs()).max()) for x in (again, replay)]
        yield Check(f"{words}: replayed (as they are, twice: {differ[0]:.1e})", differ[1], max(10 * differ[0], 1e-4))


def _others() -> list[str]:
    return [name for name in LOSSES.entries if name != "scac"]


def _losses(shape: Shape, device: torch.device, plan: dict[str, Any], *, replays: bool) -> torch.Tensor:
    task = made.task(shape, STEPS * shape.batch, device, "fp32", **plan)
    learn = task.descend
    if replays:
        learn = Replayed(learn, recorded if device.type == "cuda" else _again)
    losses = []
    for batch in task.batches(0):
        with step_randomness(batch.seed, device):
            losses.append(learn(batch.waveforms, batch.labels)[0].clone())
    return torch.stack(losses).cpu()


def _again(compute: Compute, inputs: Tensors) -> Callable[[], Tensors]:
    """Recording where nothing can be recorded: it is computed again."""
    return lambda: compute(*inputs)


def _neighbours(device: str) -> float:
    rng = np.random.default_rng(0)
    train = Vectors.of(rng.standard_normal((20_000, 128), dtype=np.float32), np.arange(20_000))
    test = Vectors.of(rng.standard_normal((1_000, 128), dtype=np.float32), 20_000 + np.arange(1_000))
    plain, other = (nearest_distance(Reference(train, device=d), test) for d in ("cpu", device))
    return float((plain != other).sum())
