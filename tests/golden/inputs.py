"""The stored inputs, made from nothing but whole numbers, so that no other package's generator has a say in them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any


def _draws(seed: int) -> Iterator[int]:
    """Whole numbers in [0, 1000): the upper digits of a congruential generator (Knuth's MMIX constants)."""
    state = seed
    while True:
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        yield state // 2**32 % 1000


def _bells(seed: int) -> Iterator[float]:
    """Numbers of mean 0 and deviation 1, nearly normal, with two decimals: sums of twelve draws."""
    draws = _draws(seed)
    while True:
        yield round((sum(islice(draws, 12)) - 6000) / 1000, 2)


def _matrix(seed: int, n_rows: int, n_columns: int, shift: float = 0.0) -> list[list[float]]:
    bells = _bells(seed)
    return [[round(next(bells) + shift, 2) for _ in range(n_columns)] for _ in range(n_rows)]


def _sections() -> list[dict[str, Any]]:
    """Four sections of scored clips: both domains, ties, one section perfect and one below chance."""
    found = []
    for number, shift in enumerate((1.0, 0.5, 20.0, -0.5)):
        bells = _bells(100 + number)
        clips = [
            {"domain": domain, "anomalous": anomalous, "score": round(next(bells) + shift * anomalous, 1)}
            for domain, count in (("source", 12), ("target", 7))
            for anomalous in (False, True)
            for _ in range(count)
        ]
        found.append({"machine_type": ("fan", "valve")[number % 2], "section": f"0{number // 2}", "clips": clips})
    return found


def inputs() -> dict[str, Any]:
    """What all cases read.

    Keys: `sections`, scored clips by machine type and section; `training_scores`, scores of normal clips; `train` and
    `test`, vectors of 24 and 8 clips, the last four training clips of the target domain; `residuals`, of an
    autoencoder (n_clips, n_vectors, n_frames, n_mels); `samples`, int16.
    """
    noise = _bells(7)
    return {
        "sections": _sections(),
        "training_scores": [round(next(noise) ** 2 + 0.5, 2) for _ in range(40)],
        "train": _matrix(1, 20, 5, shift=1.0) + _matrix(2, 4, 5, shift=-0.5),
        "test": _matrix(3, 5, 5, shift=1.0) + _matrix(4, 3, 5, shift=-1.5),
        "residuals": [[_matrix(10 * clip + vector + 1000, 2, 4) for vector in range(3)] for clip in range(6)],
        "samples": [round(3000 * next(noise)) for _ in range(3000)],
    }
