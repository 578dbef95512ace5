"""Envelope spectra: how deeply an octave is modulated, at which rate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import next_fast_len

from asdcli.features.envelopes import FASTEST_HZ, EnvelopeAxes, _fast_length, envelope_spectra

RATE = 16_000


def test_octaves_halve_from_half_the_sample_rate_down() -> None:
    axes = EnvelopeAxes.of(RATE, 10.0)
    assert axes.octaves[-1] == (4000, 8000) and axes.octaves[0] == (125, 250) and len(axes.octaves) == 6
    assert axes.piece_s == 2.5 and axes.rates_hz[1] == pytest.approx(0.4) and axes.rates_hz[-1] == FASTEST_HZ


def test_a_tone_that_swells_is_a_line_as_deep_as_its_swelling() -> None:
    t = np.arange(10 * RATE) / RATE
    m, rate = 0.5, 28.0
    wave = 8000 * (1 + m * np.cos(2 * np.pi * rate * t)) * np.sin(2 * np.pi * 3000 * t)
    axes = EnvelopeAxes.of(RATE, 10.0)
    spectra = envelope_spectra(wave.astype(np.int16), RATE, axes)
    octave = axes.octaves.index((2000.0, 4000.0))
    line = int(np.argmin(np.abs(axes.rates_hz - rate)))
    # (1 + m cos)^2 is 1 + m^2 / 2 on average, and swings by 2 m at that rate and by m^2 / 2 at twice it
    assert spectra[octave, line] == pytest.approx(20 * np.log10(2 * m / (1 + m**2 / 2)), abs=0.1)
    assert spectra[octave, 2 * line] == pytest.approx(20 * np.log10(m**2 / 2 / (1 + m**2 / 2)), abs=0.2)
    assert int(spectra[octave, 3:].argmax()) + 3 == line


def test_where_nothing_can_be_told_it_is_minus_infinite() -> None:
    axes = EnvelopeAxes.of(RATE, 4.0)
    assert np.isinf(envelope_spectra(np.ones(100, np.int16), RATE, axes)).all()  # shorter than a piece
    assert np.isinf(envelope_spectra(np.zeros(4 * RATE, np.int16), RATE, axes)).all()  # silent
    noise = (np.random.default_rng(0).normal(size=4 * RATE) * 1000).astype(np.int16)
    spectra = envelope_spectra(noise, RATE, axes)
    assert np.isinf(spectra[0, axes.rates_hz > 62.5]).all()  # faster than half of 125 to 250 Hz is wide
    assert np.isfinite(spectra[0, axes.rates_hz <= 62.5]).all() and np.isfinite(spectra[-1]).all()


def test_lengths_at_which_ffts_are_fast_are_those_of_scipy() -> None:
    for n in (*range(1, 3000), 160_000, 159_999, 1_048_577):
        assert _fast_length(n) == next_fast_len(n, real=True)
