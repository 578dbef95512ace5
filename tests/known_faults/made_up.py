"""Recordings of a made-up machine with faults of which band, beginning and rate are known, rendered by numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RATE = 16_000


@dataclass(frozen=True)
class BandFault:
    """Noise in a band (Hz) from a time (s) on, so many dB over what the machine has there."""

    low_hz: float
    high_hz: float
    from_s: float
    over_db: float


@dataclass(frozen=True)
class PulseFault:
    """Blows at a rate (Hz) that let something at a frequency (Hz) ring; in that octave as loud as the machine + dB."""

    rate_hz: float
    rings_hz: float
    over_db: float


def machine(seed: int, seconds: float = 6.0) -> np.ndarray:
    """(n_samples,) float64 of one healthy recording: flow noise that varies a little, shaft orders, hum.

    Its noise breathes with the shaft, as that of a fan does, so that healthy recordings pulse, too.
    """
    rng = np.random.default_rng([7, seed])
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    shaft = 24.0 * (1 + 0.004 * rng.standard_normal())
    hz = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20.0)
    wiggle = np.interp(np.log(hz), np.log(np.geomspace(20, 8000, 9)), rng.normal(0.0, 0.7, 9))
    shape = 10 ** ((-9 * np.log2(hz / 500.0).clip(0) * 0.6 + wiggle) / 20)
    flow = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * shape, n)
    flow *= 1 + 0.2 * np.cos(2 * np.pi * 7 * shaft * t + rng.uniform(0, 6))
    tones = sum(a * np.sin(2 * np.pi * shaft * o * t + rng.uniform(0, 6)) for o, a in ((1, 0.3), (7, 0.6), (14, 0.3)))
    hum = 0.2 * np.sin(2 * np.pi * 100 * t + rng.uniform(0, 6))
    return flow * 10 ** (rng.normal(0.0, 0.3) / 20) + tones + hum


def with_fault(sound: np.ndarray, fault: BandFault | PulseFault, seed: int) -> np.ndarray:
    """The same recording with a fault."""
    rng = np.random.default_rng([11, seed])
    n = len(sound)
    t = np.arange(n) / RATE
    if isinstance(fault, BandFault):
        low, high = fault.low_hz, fault.high_hz
        added = _band(rng.standard_normal(n), low, high)
        added *= t >= fault.from_s
        own = t >= fault.from_s
    else:
        low, high = _octave(fault.rings_hz)
        times = np.cumsum(rng.normal(1.0, 0.01, int(n / RATE * fault.rate_hz) + 2) / fault.rate_hz)
        blows = np.zeros(n)
        at = (times[times < n / RATE - 0.01] * RATE).astype(int)
        np.add.at(blows, at, rng.lognormal(0.0, 0.15, len(at)))
        ring_t = np.arange(int(0.02 * RATE)) / RATE
        ring = np.exp(-ring_t / 0.003) * np.sin(2 * np.pi * fault.rings_hz * ring_t)
        added = np.convolve(blows, ring)[:n]
        own = np.ones(n, bool)
    power = np.mean(_band(sound, low, high)[own] ** 2) / np.mean(_band(added, low, high)[own] ** 2)
    return sound + added * np.sqrt(power) * 10 ** (fault.over_db / 20)


def pcm(sound: np.ndarray) -> np.ndarray:
    """int16, at a level at which nothing clips."""
    return np.clip(np.rint(sound * 1500), -32768, 32767).astype(np.int16)


def _band(x: np.ndarray, low: float, high: float) -> np.ndarray:
    spectrum = np.fft.rfft(x)
    hz = np.fft.rfftfreq(len(x), 1 / RATE)
    spectrum[(hz < low) | (hz >= high)] = 0
    return np.fft.irfft(spectrum, len(x))


def _octave(hz: float) -> tuple[float, float]:
    low = 8000.0 / 2 ** np.ceil(np.log2(8000.0 / hz))
    return low, 2 * low
