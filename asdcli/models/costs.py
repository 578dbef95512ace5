"""What a network costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Cost:
    """Parameters of the networks that a clip passes through, and their multiply-accumulates for it."""

    parameters: int
    macs: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.macs + other.macs)


def n_parameters(network: torch.nn.Module) -> int:
    """Weights, frozen ones among them; running statistics are none."""
    return sum(p.numel() for p in network.parameters())


def multiply_accumulates(network: torch.nn.Module, call: Callable[[], object]) -> int:
    """The multiply-accumulates of all that passes through `network` in `call`, as torch's own counter has them.

    It counts convolutions, matrix products and attention, two operations for each multiply-accumulate; Fourier
    transforms, normalisations and activations count nothing. Nor do features that are made before the network.
    """
    passes: list[int] = []
    with _counting() as counter:
        before = network.register_forward_pre_hook(lambda *_: passes.append(-counter.get_total_flops()))
        after = network.register_forward_hook(lambda *_: passes.append(counter.get_total_flops()))
        try:
            call()
        finally:
            before.remove()
            after.remove()
    return sum(passes) // 2


def all_multiply_accumulates(call: Callable[[], object]) -> int:
    """The same of all that `call` does."""
    with _counting() as counter:
        call()
    return int(counter.get_total_flops() // 2)


@contextmanager
def _counting() -> Iterator[FlopCounterMode]:
    """Torch's counter; attention is taken apart into its matrix products, because not all of its kernels are known."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        yield counter
