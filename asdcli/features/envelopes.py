"""Envelope spectra of a clip, octave by octave: how strongly, and how often a second, its sound comes and goes.

What turns and is pitted knocks on something that rings: the ringing shows in a spectrum, the knocking only in the
spectrum of the envelope (R. B. Randall, J. Antoni: Rolling element bearing diagnostics - a tutorial, Mechanical Systems
and Signal Processing 25, 2011). The envelope is that of the analytic signal of one octave, squared.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FASTEST_HZ = 300.0
"""Pulses that follow faster are a tone to everybody."""
_RATE_HZ = 2.5 * FASTEST_HZ
_PIECES, _SHORTEST_S, _LONGEST_S = 4, 0.5, 2.5  # a clip is cut into about so many pieces of so many seconds
_OVERLAP = 4
_LOWEST_HZ = 125.0

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EnvelopeAxes:
    """Octaves and rates that clips of some length are looked at in.

    Attributes:
        octaves: (low, high) in Hz.
        piece_s: seconds of each piece whose spectra are averaged; rates are told apart that lie further than about
            twice its reciprocal.
    """

    octaves: tuple[tuple[float, float], ...]
    piece_s: float

    @staticmethod
    def of(sample_rate: int, shortest_s: float) -> EnvelopeAxes:
        """Those for clips at this rate of which the shortest lasts so long."""
        highest = sample_rate / 2
        n = max(1, int(math.log2(highest / _LOWEST_HZ) + 1e-9))
        edges = [highest / 2**i for i in range(n, -1, -1)]
        piece_s = min(_LONGEST_S, max(_SHORTEST_S, shortest_s / _PIECES))
        return EnvelopeAxes(tuple(itertools.pairwise(edges)), piece_s)

    @property
    def piece(self) -> int:
        """Samples of an envelope in one piece."""
        return round(self.piece_s * _RATE_HZ)

    @property
    def rates_hz(self) -> Array:
        """(n_rates,) from 0."""
        rates = np.asarray(np.fft.rfftfreq(self.piece, 1 / _RATE_HZ), np.float64)
        return rates[rates <= FASTEST_HZ + 1e-9]


def envelope_spectra(samples: npt.NDArray[np.int16], sample_rate: int, axes: EnvelopeAxes) -> Array:
    """How deeply each octave is modulated at each rate, in dB: (n_octaves, n_rates).

    0 dB is an envelope (of power) that swings by its own mean. Faster than half of an octave's width nothing can swing:
    it is -inf there, as of what is silent or shorter than a piece.
    """
    x = samples.astype(np.float64)
    found = np.full((len(axes.octaves), len(axes.rates_hz)), -np.inf)
    if len(x) < axes.piece_s * sample_rate:
        return found
    n = _fast_length(len(x))
    spectrum = np.fft.rfft(x - x.mean(), n)
    duration_s = n / sample_rate
    window = np.hanning(axes.piece + 1)[:-1]
    starts = np.arange(0, int(len(x) / sample_rate * _RATE_HZ) - axes.piece + 1, axes.piece // _OVERLAP)
    for row, (low, high) in zip(found, axes.octaves, strict=True):
        envelope = _envelope(spectrum[round(low * duration_s) : round(high * duration_s)], duration_s)
        pieces = envelope[starts[:, None] + np.arange(axes.piece)]
        mean = pieces.mean()
        if mean <= 0.0:
            continue
        lines = np.abs(np.fft.rfft((pieces / mean - 1.0) * window)) ** 2
        depth = 2.0 / window.sum() * np.sqrt(lines.mean(axis=0))[: len(row)]
        within = axes.rates_hz <= (high - low) / 2
        row[within] = 20.0 * np.log10(np.maximum(depth[within], 1e-9))
    return found


def _envelope(band: npt.NDArray[np.complex128], duration_s: float) -> Array:
    """The squared envelope of what has the spectrum `band` (from its lowest frequency on), at `_RATE_HZ`."""
    points = _fast_length(2 * len(band))
    power = np.abs(np.fft.ifft(band, points)) ** 2
    wanted = round(_RATE_HZ * duration_s)
    slow = np.fft.rfft(power)[: wanted // 2 + 1]
    envelope: Array = np.maximum(np.fft.irfft(slow, wanted) * (wanted / points), 0.0)
    return envelope


def _fast_length(n: int) -> int:
    """The least number from `n` on that has no other prime factors than 2, 3 and 5: of that length FFTs are fast.

    As `scipy.fft.next_fast_len`, which takes a tenth of a second to import.
    """
    best = 1 << (n - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            best = min(best, three << (-(-n // three) - 1).bit_length())
            three *= 3
        five *= 5
    return best
