"""Randomness of training: every stream a function of the seed and its name, so that a resumed run needs no state."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator

import torch


def derive(seed: int, *stream: str | int) -> int:
    """A 63-bit seed for the named stream."""
    name = "/".join(str(part) for part in (seed, *stream))
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, *stream: str | int) -> torch.Generator:
    """A CPU generator for the named stream, such as `generator(seed, "epoch", 3)`."""
    return torch.Generator().manual_seed(derive(seed, *stream))


@contextlib.contextmanager
def seeded(seed: int, *stream: str | int) -> Iterator[None]:
    """Give torch's initialisers, which take no generator, the named stream; the global state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, *stream))
        yield


@contextlib.contextmanager
def step_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """Give what a step draws on the CPU and on `device` that seed; the global states are left as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
