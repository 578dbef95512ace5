"""SerialOE's batches: as many outliers as normal clips, every normal clip once an epoch; its mixup and its schedule."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np


def batches(
    positives: np.ndarray, negatives: np.ndarray, half: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of equally long lists of clips, at most `half` of each kind, that cover every positive exactly once.

    Negatives are drawn without repetition as long as there are any left, then all over again.

    Args:
        positives: (n,) clip numbers, not empty.
        negatives: (m,) clip numbers, not empty.
        half: most of each kind in a batch.
        rng: draws the order.
    """
    order = rng.permutation(positives)
    rounds = -(-len(order) // len(negatives))
    others = np.concatenate([rng.permutation(negatives) for _ in range(rounds)])
    for start in range(0, len(order), half):
        mine = order[start : start + half]
        yield mine, others[start : start + len(mine)]


def steps(n_positives: int, half: int) -> int:
    """Batches of one epoch."""
    return -(-n_positives // half)


def mixup_probability(step: int, total: int) -> float:
    """How likely batch number `step` of `total` is mixed: rises from 0 to 1 over the first half, then stays 1."""
    return 0.5 * (1 - math.cos(min(math.pi, 2 * math.pi * step / total)))


def one_cycle(step: int, total: int, max_lr: float) -> tuple[float, float]:
    """Learning rate and Adam's first beta of batch `step` of `total`: torch's OneCycleLR as a function of the step.

    Cosine from max_lr / 25 up over the first 30 %, then down to max_lr / 250,000; the beta from 0.95 to 0.85 and back.
    """
    up = 0.3 * total - 1  # never 0: `total` is whole
    down = total - 1 - up
    if step <= up:
        share, a, b = step / up, (max_lr / 25, 0.95), (max_lr, 0.85)
    else:
        share, a, b = (step - up) / down, (max_lr, 0.85), (max_lr / 25e4, 0.95)
    weight = (1 + math.cos(math.pi * share)) / 2
    return b[0] + (a[0] - b[0]) * weight, b[1] + (a[1] - b[1]) * weight
