"""Building blocks of machine sound: order spectra of a turning shaft, impacts, resonances, shaped noise.

Every function returns float64 or float32 arrays of shape `(n_samples,)` at `SR`. Amplitudes are root mean square
values relative to the machine's own scale. All randomness comes from the generator that is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.signal import lfilter

SR = 16_000
NYQUIST_GUARD_HZ = 7_600.0
TABLE = 8_192

Array = NDArray[np.floating]
Curve = tuple[tuple[float, float], ...]
"""A spectrum as (Hz, dB) points, straight lines over log-frequency between them, flat outside."""
Resonance = tuple[float, float, float]
"""A damped mode: frequency in Hz, decay time to 1/e in seconds, gain."""


def slow_noise(n: int, rng: np.random.Generator, rate_hz: float) -> Array:
    """A random curve with unit variance at its knots, `rate_hz` knots a second, straight lines between them."""
    knots = rng.standard_normal(int(n / SR * rate_hz) + 3)
    return np.interp(np.arange(n) * (rate_hz / SR) + rng.random(), np.arange(knots.size), knots)


def revolutions(n: int, hz: float, rng: np.random.Generator, jitter: float = 0.003) -> Array:
    """Turns made since the start (float64, random starting angle) by a shaft at `hz` with relative speed `jitter`."""
    speed = hz * (1.0 + jitter * slow_noise(n, rng, 4.0))
    return np.cumsum(speed) / SR + rng.random()


def orders(revs: Array, table: Mapping[float, float]) -> Array:
    """The periodic sound of a shaft: `table` maps whole orders (cycles a turn) to RMS amplitudes.

    Orders above the Nyquist frequency are left out. Phases are fixed (quadratic, as in a chirp), so the crest factor
    stays low and only the amplitudes decide how it sounds.
    """
    turns = max(float(revs[-1] - revs[0]), 1e-9)
    highest = NYQUIST_GUARD_HZ * len(revs) / SR / turns
    spectrum = np.zeros(TABLE // 2 + 1, complex)
    for order, rms in table.items():
        if order <= min(highest, TABLE / 16):
            spectrum[int(order)] += rms * np.sqrt(2.0) * np.exp(2.4j * order * order) * TABLE / 2
    wave = fft.irfft(spectrum, TABLE)
    wave = np.append(wave, wave[0])
    at = (revs % 1.0) * TABLE
    low = at.astype(np.int64)
    return wave[low] + (at - low) * (wave[low + 1] - wave[low])


def series(order: float, rms: float, count: int, decay: float) -> dict[float, float]:
    """Harmonics 1 … `count` of `order`, the h-th at `rms * h**-decay`."""
    return {order * h: rms * h**-decay for h in range(1, count + 1)}


def with_sidebands(table: Mapping[float, float], spacing: float, depth: float, count: int = 3) -> dict[float, float]:
    """`table` with `count` sidebands on each side of each order, the j-th at `depth / j` of its carrier."""
    out = dict(table)
    for order, rms in table.items():
        for j in range(1, count + 1):
            for side in (order - j * spacing, order + j * spacing):
                if side > 0:
                    out[side] = float(np.hypot(out.get(side, 0.0), rms * depth / j))
    return out


def passings(revs: Array, per_rev: float, rng: np.random.Generator, slip: float = 0.0) -> Array:
    """Sample positions (float) at which something happens `per_rev` times a turn.

    Each interval varies by the relative amount `slip`, as rolling elements do.
    """
    first, last = float(revs[0]), float(revs[-1])
    count = int((last - first) * per_rev * (1 + 4 * slip)) + 4
    steps = (1.0 + slip * rng.standard_normal(count)) / per_rev
    at = first + rng.random() / per_rev + np.cumsum(np.maximum(steps, 0.1 / per_rev)) - steps[0]
    return np.interp(at[at < last], revs, np.arange(len(revs)))


def impulses(n: int, at: Array, strength: Array | float = 1.0) -> Array:
    """An impulse train: each of `at` (sample positions) shared between its two neighbouring samples."""
    strength = np.broadcast_to(np.asarray(strength, float), at.shape)
    inside = (at >= 0) & (at < n - 1)
    at, strength = at[inside], strength[inside]
    low = at.astype(np.int64)
    part = at - low
    return np.bincount(low, strength * (1 - part), n) + np.bincount(low + 1, strength * part, n)


def ring(blows: Array, modes: Sequence[Resonance], scale: float = 1.0) -> Array:
    """What a body with these modes does when struck by `blows`: each impulse becomes `gain * exp(-t/decay) sin(…)`."""
    out = np.zeros(len(blows))
    for hz, decay_s, gain in modes:
        hz = min(hz * scale, NYQUIST_GUARD_HZ)
        r, w = np.exp(-1.0 / (decay_s * SR)), 2 * np.pi * hz / SR
        out += lfilter([0.0, gain * r * np.sin(w)], [1.0, -2 * r * np.cos(w), r * r], blows)
    return out


@lru_cache(maxsize=512)
def gains(curve: Curve, n: int) -> NDArray[np.float32]:
    """The amplitude of `curve` at the `n // 2 + 1` frequencies of a real FFT of `n` samples."""
    hz, db = np.array(curve).T
    at = np.log(np.maximum(fft.rfftfreq(n, 1 / SR), 1.0))
    return (10 ** (np.interp(at, np.log(hz), db) / 20)).astype(np.float32)


def noise(n: int, rng: np.random.Generator, curve: Curve, tilt_db: float = 0.0) -> Array:
    """Stationary noise of unit RMS whose spectrum is `curve`, tilted by `tilt_db` an octave about 1 kHz."""
    shape = gains(curve, n)
    if tilt_db:
        shape = shape * gains(((31.25, -5 * tilt_db), (8000.0, 3 * tilt_db)), n)
    parts = rng.standard_normal((2, len(shape)), dtype=np.float32)
    spectrum = (parts[0] + 1j * parts[1]) * (shape * np.float32(n / 2 / np.sqrt(np.sum(shape**2))))
    return fft.irfft(spectrum, n)


def swell(revs: Array, order: float, depth: float) -> Array:
    """A multiplier that breathes `order` times a turn: `1 + depth cos`."""
    return 1.0 + depth * np.cos(2 * np.pi * order * revs)


def pulses(phase: Array, width: float) -> Array:
    """Smooth bumps of height 1 once per unit of `phase`, about `width` of a period wide."""
    away = np.abs((phase % 1.0) - 0.5) / width
    return np.exp(-0.5 * (2.0 * away) ** 2)


def gate(n: int, opens: Array, closes: Array, ramp_s: float) -> Array:
    """0 … 1: open between each pair of sample positions, with exponential ramps of `ramp_s`."""
    step = np.zeros(n)
    for at, value in ((opens, 1.0), (closes, -1.0)):
        np.add.at(step, np.clip(at, 0, n - 1).astype(np.int64), value)
    a = np.exp(-1.0 / (ramp_s * SR))
    return lfilter([1 - a], [1.0, -a], np.clip(np.cumsum(step), 0.0, 1.0))
