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


def orders(revs: Array, table: Mapping[int, float]) -> Array:
    """The periodic sound of a shaft: `table` maps whole orders (cycles a turn) to RMS amplitudes.

    Orders above the Nyquist frequency are left out. Phases are fixed (quadratic, as in a chirp), so the crest factor
    stays low and only the amplitudes decide how it sounds.
    """
    turns = max(float(revs[-1] - revs[0]), 1e-9)
    wave = _wave(table, min(NYQUIST_GUARD_HZ * len(revs) / SR / turns, TABLE / 16)).astype(np.float32)
    slope = np.diff(wave, append=wave[:1])
    at = phase(revs) * np.float32(TABLE)
    low = at.astype(np.intp)
    low[low == TABLE] = 0  # a phase just below 1 can round up
    return wave[low] + (at - low.astype(np.float32)) * slope[low]


def mains(n: int, rng: np.random.Generator, table: Mapping[int, float]) -> Array:
    """Hum of the 50 Hz mains: `table` as in `orders`, in multiples of 50 Hz."""
    period = SR // 50
    wave = _wave(table, NYQUIST_GUARD_HZ / 50, period)
    return np.resize(np.roll(wave, int(rng.integers(period))), n)


def _wave(table: Mapping[int, float], highest: float, points: int = TABLE) -> Array:
    """One turn of a periodic sound, `points` samples."""
    spectrum = np.zeros(points // 2 + 1, complex)
    for order, rms in table.items():
        if order <= highest:
            spectrum[order] += rms * np.sqrt(0.5) * points * np.exp(2.4j * order * order)
    return fft.irfft(spectrum, points)


def phase(revs: Array) -> NDArray[np.float32]:
    """The part of `revs` after the point, 0 … 1."""
    return (revs - np.floor(revs)).astype(np.float32)


def merged(*tables: Mapping[int, float]) -> dict[int, float]:
    """Order tables added in power."""
    out: dict[int, float] = {}
    for table in tables:
        for order, rms in table.items():
            out[order] = float(np.hypot(out.get(order, 0.0), rms))
    return out


def series(order: int, rms: float, count: int, decay: float) -> dict[int, float]:
    """Harmonics 1 … `count` of `order`, the h-th at `rms * h**-decay`."""
    return {order * h: rms * h**-decay for h in range(1, count + 1)}


def with_sidebands(table: Mapping[int, float], spacing: int, depth: float, count: int = 3) -> dict[int, float]:
    """`table` with `count` sidebands on each side of each order, the j-th at `depth / j` of its carrier."""
    steps = [j * sign for j in range(1, count + 1) for sign in (-1, 1)]
    sides = ({o + j * spacing: rms * depth / abs(j) for o, rms in table.items() if o + j * spacing > 0} for j in steps)
    return merged(table, *sides)


def passings(revs: Array, per_rev: float, rng: np.random.Generator, slip: float = 0.0) -> Array:
    """Sample positions (float) at which something happens `per_rev` times a turn.

    Each interval varies by the relative amount `slip`, as rolling elements do.
    """
    first, last = float(revs[0]), float(revs[-1])
    count = int((last - first) * per_rev * (1 + 4 * slip)) + 4
    steps = (1.0 + slip * rng.standard_normal(count)) / per_rev
    at = first + rng.random() / per_rev + np.cumsum(np.maximum(steps, 0.1 / per_rev)) - steps[0]
    return np.interp(at[at < last], revs, np.arange(len(revs)))


def crossings(revs: Array, angle: float) -> Array:
    """Sample positions (float) at which the shaft stands at `angle` (0 … 1 of a turn)."""
    whole = np.arange(np.ceil(revs[0] - angle), revs[-1] - angle)
    return np.interp(whole + angle, revs, np.arange(len(revs)))


def impulses(n: int, at: Array, strength: Array | float = 1.0) -> Array:
    """An impulse train: each of `at` (sample positions) shared between its two neighbouring samples."""
    strength = np.broadcast_to(np.asarray(strength, float), at.shape)
    inside = (at >= 0) & (at < n - 1)
    at, strength = at[inside], strength[inside]
    low = at.astype(np.int64)
    part = at - low
    train: Array = np.zeros(n)
    train += np.bincount(low, strength * (1 - part), n)
    train += np.bincount(low + 1, strength * part, n)
    return train


def ring(blows: Array, modes: Sequence[Resonance], scale: float = 1.0) -> Array:
    """What a body with these modes does when struck by `blows`: each impulse becomes `gain * exp(-t/decay) sin(…)`."""
    out = np.zeros(len(blows))
    if not blows.any():
        return out
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


@lru_cache(maxsize=8)
def _octaves(n: int) -> NDArray[np.float32]:
    """Octaves above 1 kHz, from -5 up, of the frequencies of a real FFT of `n` samples."""
    return np.log2(np.maximum(fft.rfftfreq(n, 1 / SR), 31.25) / 1000).astype(np.float32)


def noise(n: int, rng: np.random.Generator, curve: Curve, tilt_db: float = 0.0) -> Array:
    """Stationary noise of unit RMS whose spectrum is `curve`, tilted by `tilt_db` an octave about 1 kHz."""
    shape = gains(curve, n)
    if tilt_db:
        shape = shape * np.exp(np.float32(tilt_db * np.log(10) / 20) * _octaves(n))
    parts = rng.standard_normal((2, len(shape)), dtype=np.float32)
    spectrum = (parts[0] + 1j * parts[1]) * (shape * np.float32(n / 2 / np.sqrt(np.sum(shape**2))))
    return fft.irfft(spectrum, n)


def swell(revs: Array, order: float, depth: float) -> Array:
    """A multiplier that breathes `order` times a turn: `1 + depth cos`."""
    return 1.0 + np.float32(depth) * np.cos(np.float32(2 * np.pi) * phase(order * revs))


def pulses(turns: Array, width: float) -> Array:
    """Smooth bumps of height 1 once a turn, about `width` of a turn wide."""
    away = (phase(turns) - np.float32(0.5)) * np.float32(2.0 / width)
    return np.exp(np.float32(-0.5) * away * away)


def gate(n: int, opens: Array, closes: Array, ramp_s: float) -> Array:
    """0 … 1: open between each pair of sample positions, with exponential ramps of `ramp_s`."""
    step = np.zeros(n)
    for at, value in ((opens, 1.0), (closes, -1.0)):
        np.add.at(step, np.clip(at, 0, n - 1).astype(np.int64), value)
    a = np.exp(-1.0 / (ramp_s * SR))
    return lfilter([1 - a], [1.0, -a], np.clip(np.cumsum(step), 0.0, 1.0))
