"""Recordings that can be read and yet tell little of a machine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.audio.suspect import MANY_ZEROS, MOST_CLIPPED, Counts, suspicion

NOISE = np.random.default_rng(0).integers(-300, 300, 10_000).astype(np.int16)


def changed(samples: np.ndarray, share: float, value: int) -> np.ndarray:
    out = samples.copy()
    out[: round(share * len(out))] = value
    return out


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(100, np.int16), "is silent: every sample is 0"),
        (np.full(100, -7, np.int16), "is constant: every sample is -7"),
        (changed(np.where(NOISE == 0, 1, NOISE), 0.6, 0), "is silent in part: 60 % of its samples are exactly 0"),
        (changed(np.where(NOISE == 0, 1, NOISE), 0.5, 0), "is silent in part: 50 % of its samples are exactly 0"),
        (changed(NOISE, 0.02, 32767), "is clipped: 2 % of its samples are at full scale"),
        (changed(NOISE, 0.02, -32768), "is clipped: 2 % of its samples are at full scale"),
    ],
)
def test_what_a_broken_microphone_gives_is_named(samples: np.ndarray, words: str) -> None:
    assert suspicion(samples) == words


@pytest.mark.parametrize(
    "samples",
    [
        NOISE,
        NOISE // 300 + 2,  # very quiet
        changed(np.where(NOISE == 0, 1, NOISE), MANY_ZEROS - 1e-3, 0),
        changed(NOISE, MOST_CLIPPED, 32767),
        np.array([32767, -32768] + 300 * [5], np.int16),  # a single peak
    ],
)
def test_a_working_microphone_is_nothing_to_speak_of(samples: np.ndarray) -> None:
    assert suspicion(samples.astype(np.int16)) is None


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=50))
def test_the_order_of_samples_says_nothing(samples: list[int]) -> None:
    one, other = np.array(samples, np.int16), np.array(sorted(samples), np.int16)
    assert suspicion(one) == suspicion(other)


def test_a_recording_that_changes_between_blocks_is_not_constant() -> None:
    counts = Counts.of(np.full(9, 5, np.int16))
    assert counts.is_flat
    counts.add(np.full(9, 7, np.int16))
    assert not counts.is_flat and counts.suspicion is None
