"""Pulses that normal clips do not have."""

from __future__ import annotations

import numpy as np
import pytest

from asdcli.metrics.differing import FEWEST
from asdcli.metrics.pulses import pulsing

RATES = np.arange(0, 300.2, 0.4)


def spectra(seed: int, lines: dict[float, float] | None = None, octave: int = 2) -> np.ndarray:
    """(4, n_rates) of noise about -25 dB, with lines (Hz -> dB above it) as wide as those of Hann windows."""
    rng = np.random.default_rng([5, seed])
    power = 10 ** (-25 / 10) * np.exp(0.35 * rng.standard_normal((4, len(RATES))))
    for hz, db in (lines or {}).items():
        away = (RATES - hz) / 0.4
        shape = np.where(np.abs(away) < 2, np.cos(np.pi * away / 4) ** 4, 0.0)
        power[octave] += 10 ** ((db - 25) / 10) * shape
    return 10 * np.log10(power)


NORMALS = [spectra(i) for i in range(10)]


def test_a_line_is_named_by_its_rate_between_two_places_of_the_grid() -> None:
    # half-way between two places it is 1.4 dB lower in both
    (found,) = pulsing(spectra(20, {29.4: 20}), NORMALS, RATES).found
    assert found.rate_hz == pytest.approx(29.4, abs=0.1) and found.octave == 2
    assert found.prominence_db == pytest.approx(18.6, abs=2.5) and found.db == pytest.approx(18.6, abs=2.5)


@pytest.mark.parametrize("strongest", [1, 2, 3])
def test_the_rate_is_that_of_the_first_of_a_series_though_another_is_the_strongest(strongest: int) -> None:
    lines = {30.0 * n: 24.0 if n == strongest else 16.0 for n in range(1, 6)}
    (found,) = pulsing(spectra(21, lines), NORMALS, RATES).found
    assert found.rate_hz == pytest.approx(30, abs=0.2)


def test_a_line_that_normal_clips_have_too_is_none() -> None:
    normals = [spectra(i, {200 * (1 + 0.01 * (i % 3)): 20}) for i in range(10)]  # their speeds differ a little
    found = pulsing(spectra(22, {198.0: 22}), normals, RATES)
    assert not found.found
    assert pulsing(spectra(22, {198.0: 22}), NORMALS, RATES).found


def test_nothing_is_clear_of_a_normal_clip_or_beside_few() -> None:
    assert not pulsing(spectra(23), NORMALS, RATES).found
    few = pulsing(spectra(24, {60: 30}), NORMALS[: FEWEST - 1], RATES)
    assert not few.found and few.limit_db == np.inf and few.largest_db > 20


def test_what_is_silent_or_too_short_has_no_pulses() -> None:
    nothing = np.full((4, len(RATES)), -np.inf)
    assert not pulsing(nothing, NORMALS, RATES).found
    assert not pulsing(nothing, [nothing] * 6, RATES).found
    few = pulsing(np.full((4, 5), -20.0), [np.full((4, 5), -20.0)] * 6, RATES[:5])
    assert not few.found
