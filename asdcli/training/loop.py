"""The training loop: epochs of batches, a checkpoint after each, resumed where it stopped."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import torch

from asdcli import artifacts
from asdcli.errors import AsdError, BadArtifact
from asdcli.files import CHECKPOINT, METRICS
from asdcli.progress import SILENT, Progress
from asdcli.training import checkpoint

CHECKPOINT_SHARE = 0.02  # of the time, at most, goes into checkpoints: short epochs are not written one by one
_LOOK_EVERY_S = 0.25  # how often the loss is fetched from the device to be shown


Batch = TypeVar("Batch")


class Step(NamedTuple):
    """What a step of an optimizer came from.

    Attributes:
        loss: mean loss of the batch, a scalar without gradients.
        right: number of right answers, a scalar; None where nothing is asked.
        items: of the batch.
    """

    loss: torch.Tensor
    right: torch.Tensor | None
    items: int


class Task(Protocol):
    """What is trained. All randomness of an epoch follows from its number.

    Attributes:
        module: everything that has weights.
        optimizers: over the trainable ones.
        epoch_size: items seen in one epoch.
        unit: what an item is called.
    """

    module: torch.nn.Module
    optimizers: Sequence[torch.optim.Optimizer]
    epoch_size: int
    unit: str

    def steps(self, epoch: int) -> Iterator[Step]:
        """Train an epoch, numbered from 0: every step is done when it is yielded."""
        ...

    def card(self) -> dict[str, Any]:
        """What a reader of the weights needs to know, as JSON values."""
        ...


def fit(
    task: Task, *, epochs: int, folder: Path, header: artifacts.Header, progress: Progress = SILENT
) -> list[dict[str, Any]]:
    """Train until `epochs` are done and return one row of metrics an epoch.

    Goes on from `folder`'s checkpoint if that was made as `header` says; the checkpoint stays until the caller, having
    saved the weights, removes it. It is written after the first and the last epoch and, between them, as often as takes
    `CHECKPOINT_SHARE` of the time: a kill loses at most 50 times what a save takes, and the epoch it falls into.
    metrics.jsonl grows by a row an epoch, and is not begun before there is a checkpoint: alone it would be nobody's.

    Raises:
        AsdError: the loss or a weight is no longer finite.
    """
    path = folder / CHECKPOINT
    history = _go_on(path, task, header, epochs, progress)
    task.module.train()
    if history:
        _write_metrics(folder / METRICS, history)
    begun = len(history)
    due = 0.0
    for epoch in progress.track(
        range(len(history), epochs), total=(epochs - len(history)) * task.epoch_size, label="train", unit=task.unit
    ):
        row = _epoch(task, epoch, epochs, progress)
        history.append(row)
        began = time.perf_counter()
        if began >= due or len(history) == epochs:
            checkpoint.save(path, task.module, task.optimizers, header, history)
            ended = time.perf_counter()
            due = ended + (ended - began) / CHECKPOINT_SHARE
        if len(history) == begun + 1:
            _write_metrics(folder / METRICS, history)
        else:
            with (folder / METRICS).open("a") as file:
                file.write(json.dumps(row) + "\n")
    return history


def _go_on(path: Path, task: Task, header: artifacts.Header, epochs: int, progress: Progress) -> list[dict[str, Any]]:
    """Bring `task` to where an interrupted training stood and return its rows: none where a new one begins."""
    try:
        history = checkpoint.restore(path, task.module, task.optimizers, header)
    except BadArtifact as error:
        progress.warn(f"{error.message}; starting anew")
        return []
    if history is None:
        if path.exists():
            progress.warn(f"{path} is of another training (other parameters, seed or clips): starting anew")
        return []
    progress.note(f"going on after epoch {len(history)} of {epochs}")
    return history


def descend(
    optimizer: torch.optim.Optimizer,
    batches: Iterable[Batch],
    loss: Callable[[Batch], tuple[torch.Tensor, torch.Tensor | None, int]],
) -> Iterator[Step]:
    """A step of `optimizer` for each batch, one after the other; `loss` gives what a `Step` holds, with gradients."""
    for batch in batches:
        optimizer.zero_grad()
        mean, right, items = loss(batch)
        mean.backward()
        optimizer.step()
        yield Step(mean.detach(), right, items)


def _epoch(task: Task, epoch: int, epochs: int, progress: Progress) -> dict[str, Any]:
    started = looked = time.perf_counter()
    device = next(task.module.parameters()).device
    total = torch.zeros(2, dtype=torch.float64 if device.type != "mps" else torch.float32, device=device)
    n = steps = 0
    answers = False
    for loss, right, items in task.steps(epoch):
        total += torch.stack([loss * items, loss.new_zeros(()) if right is None else right.to(loss.dtype)])
        answers = right is not None
        steps += 1
        n += items
        now = time.perf_counter()
        if now - looked > _LOOK_EVERY_S:  # .item() waits for the device: not at every step
            looked = now
            progress.advance(items, epoch=f"{epoch + 1}/{epochs}", loss=_finite(total[0].item() / n, epoch))
        else:
            progress.advance(items)
    mean_loss = _finite(total[0].item() / n, epoch)
    seconds = time.perf_counter() - started
    progress.advance(task.epoch_size - n, epoch=f"{epoch + 1}/{epochs}", loss=mean_loss)
    return {
        "epoch": epoch + 1,
        "loss": mean_loss,
        **({"accuracy": total[1].item() / n} if answers else {}),
        f"{task.unit}_per_s": n / seconds,
        "step_ms": 1000 * seconds / steps,
        "seconds": seconds,
    }


def _finite(loss: float, epoch: int) -> float:
    if not math.isfinite(loss):
        raise AsdError(
            f"the loss is {loss} in epoch {epoch + 1}: training has diverged",
            checkpoint.DIVERGED,
        )
    return loss


def _write_metrics(path: Path, history: list[dict[str, Any]]) -> None:
    """metrics.jsonl as of the checkpoint: a killed run may have written a row more."""
    with artifacts.atomic(path) as temporary:
        temporary.write_text("".join(json.dumps(row) + "\n" for row in history))
