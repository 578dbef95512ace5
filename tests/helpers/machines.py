"""Wavs of made-up machines in folders as engineers have them, a quarter of a second each: hum, an octave and noise."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

RATE = 16_000


def sound(rng: np.random.Generator, *, hum: float = 400.0, whine: float = 0.0, n: int = RATE // 4) -> np.ndarray:
    """(n,) int16; `whine` is the amplitude of a tone at 3.1 kHz that a healthy machine has not."""
    t = np.arange(n) / RATE
    x = 0.1 * np.sin(2 * np.pi * hum * (1 + 0.01 * rng.normal()) * t) + 0.05 * rng.normal(size=n)
    x += 0.05 * np.sin(4 * np.pi * hum * t) + whine * np.sin(2 * np.pi * 3100 * t)
    return (x * 16_000).astype(np.int16)


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    """A wav of `samples` (n,) or (n, n_channels) int16."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(samples, "<i2").tobytes())
    return path


def healthy(folder: Path, n: int = 40, *, hum: float = 400.0, seed: int = 0, days: int = 4) -> Path:
    """A folder of `n` recordings of a healthy machine, on as many days as are said."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        day = 1 + i * days // n
        write(folder / f"2024-10-{day:02d}_{i:04d}.wav", sound(rng, hum=hum))
    return folder
