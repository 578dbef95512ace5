"""Whether `torch.compile` repays on this processor: `python -m tests.bench.compiled`. Needs a C++ compiler.

A training step of `dual-branch` on 64 ten-second clips, as it is and compiled, and how long compiling took.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from asdcli.pipeline import process

_BATCH, _RATE, _SECONDS, _TIMES = 64, 16_000, 10, 4


def main() -> None:
    process.settle(networks=True)
    import torch

    from asdcli.models.networks import NETWORKS
    from asdcli.training.precision import autocast

    cpu, n_samples = torch.device("cpu"), _SECONDS * _RATE
    network = NETWORKS.build("dual-branch", n_samples, _RATE).train()
    waves = torch.randn(_BATCH, n_samples, generator=torch.Generator().manual_seed(0)) / 10

    def step(forward: Callable[[torch.Tensor], torch.Tensor], precision: str) -> None:
        network.zero_grad()
        with autocast(cpu, precision):
            embeddings = forward(waves)
        embeddings.float().square().sum().backward()

    def best(forward: Callable[[torch.Tensor], torch.Tensor], precision: str) -> float:
        found = []
        for _ in range(_TIMES):
            start = time.perf_counter()
            step(forward, precision)
            found.append(time.perf_counter() - start)
        return min(found)

    for precision in ("bf16", "fp32"):
        step(network, precision)
        plain = best(network, precision)
        torch.compiler.reset()
        start = time.perf_counter()
        compiled = torch.compile(network)
        step(compiled, precision)
        took, fast = time.perf_counter() - start, best(compiled, precision)
        ratio = plain / fast
        print(f"{precision}: {plain:.2f} s; compiled {fast:.2f} s ({ratio:.2f}x), after {took:.0f} s of compiling")


if __name__ == "__main__":
    main()
