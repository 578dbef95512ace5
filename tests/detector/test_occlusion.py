"""Occlusion: the piece that a score hangs on is the one whose making normal takes most off it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from asdcli.detector.occlusion import BANDS, TIMES, occlusion
from asdcli.features.light_mels import MelAxes, logmel
from asdcli.features.pack import WaveformPack
from asdcli.scorers import Fitted
from asdcli.scorers.nearest import Nearest
from asdcli.scorers.reference import Reference
from asdcli.scorers.vectors import Vectors

AXES = MelAxes.at(16_000)


class Levels:
    """A network of a kind: the mean level of each band, two windows a clip."""

    features = "waveform"

    def __init__(self) -> None:
        self.passes = 0

    def windows(self, machine_type: str, pack: WaveformPack) -> tuple[np.ndarray, np.ndarray]:
        self.passes += len(pack)
        levels = [logmel(pack.clip(i), AXES) for i in range(len(pack))]
        vectors = [half.mean(axis=0) for one in levels for half in np.array_split(one, 2)]
        return np.array(vectors), np.repeat(np.arange(len(pack)), 2)

    def mean(self, scores: np.ndarray, clip: np.ndarray) -> np.ndarray:
        return np.bincount(clip, scores) / np.bincount(clip)


def noise(seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=32_000) * 500).astype(np.int16)


def occluded(samples: np.ndarray, **given: Any) -> tuple[Any, Levels]:
    source = Levels()
    normal = WaveformPack.of([noise(i) for i in range(6)], [str(i) for i in range(6)], 16_000)
    vectors, clip = source.windows("fan", normal)
    source.passes = 0
    fitted = Fitted(Nearest(), {"reference": Reference(Vectors.of(vectors, clip))})
    median = np.median(np.concatenate([logmel(noise(i), AXES) for i in range(6)]), axis=0)
    how = {"source": source, "fitted": fitted, "machine_type": "fan", "number": 99, **given}
    return occlusion(samples, logmel(samples, AXES), median, AXES, **how), source


def test_the_score_hangs_on_the_piece_in_which_a_tone_was_put() -> None:
    t = np.arange(32_000) / 16_000
    tone = np.where((t > 1.1) & (t < 1.2), 4000 * np.sin(2 * np.pi * 2600 * t), 0)
    found, source = occluded((noise(10) + tone).astype(np.int16))
    assert source.passes == found.passes == TIMES * BANDS + 1
    at = np.unravel_index(int(found.drop.argmax()), found.drop.shape)
    band = int(np.searchsorted(AXES.edges_hz, 2600) - 1)
    assert found.bands[at[1]] <= band < found.bands[at[1] + 1]
    assert found.frames[at[0]] * AXES.frame_s <= 1.15 < found.frames[at[0] + 1] * AXES.frame_s
    assert found.drop.max() > 0.2 * found.score


def test_without_its_own_vectors_a_training_clip_is_not_at_distance_nothing() -> None:
    own, _ = occluded(noise(0), number=0)
    other, _ = occluded(noise(0))
    assert own.score > 1e-6 and other.score == pytest.approx(0, abs=1e-9)


def test_a_clip_of_fewer_frames_than_pieces_has_a_piece_a_frame() -> None:
    found, _ = occluded(noise(3)[:3000])
    assert found.drop.shape == (4, BANDS)
