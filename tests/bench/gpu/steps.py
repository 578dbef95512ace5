"""What a step costs, against what the card's matrix products would take for the same operations."""

from __future__ import annotations

from typing import NamedTuple

import torch

from asdcli.models.costs import multiply_accumulates
from asdcli.training.recipes.discriminative import DiscriminativeTask
from tests.bench.gpu import card, made
from tests.bench.gpu.made import Shape


class StepCost(NamedTuple):
    """Seconds of a step that is replayed, of one as it is, and of making a batch; operations of a step."""

    replayed: float
    plain: float
    batch: float
    operations: float
    peak_gb: float


def cost(shape: Shape, device: torch.device, precision: str, times: int) -> StepCost:
    """Of the default model on whole batches."""
    task = made.task(shape, 4 * shape.batch, device, precision)
    batch = next(iter(task.batches(0)))
    macs = multiply_accumulates(task.module.network, lambda: task.module.network(batch.waveforms[:2])) / 2
    plain = card.seconds(lambda: task.descend(batch.waveforms, batch.labels), device, times)
    for _ in range(5):
        task.learn(batch.waveforms, batch.labels)
    again = card.seconds(lambda: task.learn(batch.waveforms, batch.labels), device, times)
    epoch = card.seconds(lambda: sum(1 for _ in task.batches(0)), device, max(1, times // 4)) / 4
    peak = torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else 0.0
    return StepCost(again, plain, epoch, 3 * 2 * macs * shape.batch, peak)


def profile(shape: Shape, device: torch.device, precision: str) -> str:
    """What a step spends its time on, the dearest kernels first."""
    activity = torch.profiler.ProfilerActivity
    task: DiscriminativeTask = made.task(shape, shape.batch, device, precision)
    (batch,) = task.batches(0)
    for _ in range(3):
        task.descend(batch.waveforms, batch.labels)
    kinds = [activity.CPU, activity.CUDA] if device.type == "cuda" else [activity.CPU]
    with torch.profiler.profile(activities=kinds) as found:
        for _ in range(3):
            task.descend(batch.waveforms, batch.labels)
    by = "self_cuda_time_total" if device.type == "cuda" else "self_cpu_time_total"
    return found.key_averages().table(sort_by=by, row_limit=40, max_name_column_width=90)
