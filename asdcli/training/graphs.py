"""Steps of a training recorded on a CUDA device once and replayed: a single call instead of a thousand launches.

A step of the dual-branch network launches some thousand kernels of a few microseconds: the processor takes longer to
launch them than the card to compute them. A CUDA graph of the step holds them all. What is replayed is what was
recorded, whatever Python would do now: only what says of itself that its steps are alike (`steady`) may be recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

Tensors = tuple[torch.Tensor, ...]
Compute = Callable[..., Tensors]
"""Tensors in, tensors out; what else it changes (weights, statistics, an optimizer's state) it changes in place."""

WARM_UP = 3
"""Steps that are taken as they are before one is recorded: libraries choose their kernels, optimizers make state."""


class Replayed:
    """`compute`, recorded when it has been called `WARM_UP` times with tensors of these shapes, and replayed from then.

    What it returns is overwritten by the next call. Calls with other shapes (the last batch of an epoch) are taken as
    they are.

    Args:
        compute: to be done.
        record: (compute, inputs) -> what does it again with whatever stands in the inputs then.
    """

    def __init__(self, compute: Compute, record: Callable[[Compute, Tensors], Callable[[], Tensors]]) -> None:
        self._compute, self._record = compute, record
        self._inputs: Tensors = ()
        self._again: Callable[[], Tensors] | None = None
        self._taken = 0

    def __call__(self, *inputs: torch.Tensor) -> Tensors:
        if not self._inputs:
            self._inputs = tuple(torch.empty_like(x) for x in inputs)
        if [x.shape for x in inputs] != [x.shape for x in self._inputs]:
            return self._compute(*inputs)
        if self._again is None and self._taken < WARM_UP:
            self._taken += 1
            return self._compute(*inputs)
        for own, given in zip(self._inputs, inputs, strict=True):
            own.copy_(given, non_blocking=True)
        if self._again is None:
            self._again = self._record(self._compute, self._inputs)
        return self._again()


def recorded(compute: Compute, inputs: Tensors) -> Callable[[], Tensors]:
    """A CUDA graph of `compute` on `inputs`. Recording computes nothing."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # another thread may be making a batch
        outputs = compute(*inputs)

    def again() -> Tensors:
        graph.replay()
        return outputs

    return again


def replayed(compute: Compute, device: torch.device, parts: Sequence[object]) -> Compute:
    """`compute`, replayed where it runs on a CUDA device and all of its `parts` say that their steps are alike."""
    if device.type != "cuda" or not all(getattr(part, "steady", False) for part in parts):
        return compute
    return Replayed(compute, recorded)
