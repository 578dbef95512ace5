"""Between machine and file: the room's impulse response, the microphone's colour, the factory in the background."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from asdcli.synthesis.seeds import generator
from asdcli.synthesis.signals import (
    SR,
    Array,
    Curve,
    gains,
    impulses,
    mains,
    merged,
    noise,
    orders,
    revolutions,
    ring,
    series,
)

RIR_S = 0.25


@dataclass(frozen=True)
class Microphone:
    """A microphone and where it stands: colour, direct-to-reverberant ratio, reverberation time."""

    colour: Curve
    direct_db: float
    rt60_s: float


@dataclass(frozen=True)
class Background:
    """A factory hall without the machine: noise, mains hum, a neighbouring machine, clanks.

    `neighbour` is (shaft Hz, level in dB); levels are relative to the noise; clanks come `clanks_per_s` on average.
    """

    curve: Curve
    hum_db: float
    neighbour: tuple[float, float]
    clanks_per_s: float


MICROPHONES = {
    "1": Microphone(((50, -6), (120, 0), (3000, 0), (8000, -2)), 4.0, 0.25),
    "2": Microphone(((50, -3), (200, 0), (1200, 0), (2000, 3), (3200, 0), (8000, -1)), 1.0, 0.3),
    "3": Microphone(((50, -8), (250, -2), (500, 2), (900, 0), (4000, 2), (5500, -2), (8000, -2)), 0.0, 0.35),
}
BACKGROUNDS = {
    "A": Background(((40, 0), (100, 2), (160, -3), (1000, -9), (3000, -17), (8000, -27)), -8.0, (23.5, -10.0), 0.3),
    "B": Background(
        ((40, 0), (250, -5), (500, -4), (750, -5), (1300, -12), (3000, -17), (8000, -27)), -12.0, (31.0, -8.0), 0.5
    ),
    "C": Background(
        ((40, 0), (250, -5), (1000, -10), (1600, -10), (2200, -13), (3000, -17), (8000, -27)), -10.0, (27.2, -9.0), 0.4
    ),
}
CLANK = ((640.0, 0.05, 1.0), (1730.0, 0.03, 0.7), (3100.0, 0.015, 0.5))


@lru_cache(maxsize=128)
def path(machine_type: str, section: str, microphone: str, n: int) -> NDArray[np.complex64]:
    """Frequency response from machine to file for signals padded to `padded(n)`: housing, room, microphone.

    The same for every seed: the seed draws recordings, it does not rebuild the factory.
    """
    rng = generator("path", machine_type, section, microphone)
    mic = MICROPHONES[microphone]
    t = np.arange(int(RIR_S * SR)) / SR
    tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / mic.rt60_s)
    tail[: int(0.004 * SR)] = 0.0
    early = impulses(len(t), rng.uniform(0.004, 0.03, 5) * SR, rng.uniform(-0.4, 0.4, 5))
    reverberant = tail / np.sqrt(np.sum(tail**2)) + early
    direct = 10 ** (mic.direct_db / 20)
    reverberant[0] += direct
    response = reverberant / np.sqrt(1 + direct**2 + np.sum(early**2))
    housing = tuple(
        (float(hz), float(db)) for hz, db in zip(np.geomspace(80, 7500, 9), rng.uniform(-4, 4, 9), strict=True)
    )
    spectrum = fft.rfft(response, padded(n))
    return (spectrum * gains(housing, padded(n)) * gains(mic.colour, padded(n))).astype(np.complex64)


def padded(n: int) -> int:
    """FFT length at which a clip of `n` samples and the room's tail do not overlap."""
    return int(fft.next_fast_len(n + int(RIR_S * SR), real=True))


def hear(dry: Array, response: NDArray[np.complex64]) -> Array:
    """`dry` through the path."""
    n = len(dry)
    return fft.irfft(fft.rfft(dry.astype(np.float32), padded(n)) * response, padded(n))[:n]


def background(name: str, n: int, rng: np.random.Generator) -> Array:
    """The factory hall `name` at the microphone; all but its clanks has unit RMS on average."""
    hall = BACKGROUNDS[name]
    hum, tone = 10 ** (hall.hum_db / 20), 10 ** (hall.neighbour[1] / 20)
    mains_table = {1: 0.3 * hum, 2: hum, 4: 0.5 * hum, 6: 0.2 * hum}
    neighbour_table = merged(series(1, tone / 2, 4, 0.3), {11: tone, 22: tone / 2})
    power = 1.0 + sum(rms**2 for rms in (*mains_table.values(), *neighbour_table.values()))
    hz = hall.neighbour[0] * rng.normal(1.0, 0.01)
    steady = (
        noise(n, rng, hall.curve, tilt_db=0.15 * rng.standard_normal())
        + mains(n, rng, mains_table) * rng.lognormal(0.0, 0.2)
        + orders(revolutions(n, hz, rng), neighbour_table) * rng.lognormal(0.0, 0.3)
    )
    count = rng.poisson(hall.clanks_per_s * n / SR)
    blows = impulses(n, rng.uniform(0, n, count), rng.lognormal(-0.3, 0.5, count))
    return steady / np.sqrt(power) + ring(blows, CLANK, scale=rng.uniform(0.7, 1.4))
