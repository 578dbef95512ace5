"""Log-mel frames without torch are those with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from asdcli.features.light_mels import N_BANDS, MelAxes, edges_hz, logmel
from asdcli.features.mel_bank import corners_hz
from asdcli.features.mels import MelSpec, logmel_frames
from asdcli.features.pack import FULL_SCALE


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_frames_are_those_of_torchaudio(rate: int) -> None:
    samples = (np.random.default_rng(rate).normal(size=rate // 2) * 3000).astype(np.int16)
    axes = MelAxes.at(rate)
    spec = MelSpec(rate, axes.window, axes.hop, n_mels=N_BANDS, centre=False)
    theirs = logmel_frames(torch.from_numpy(samples.astype(np.float32) / np.float32(FULL_SCALE))[None], spec)[0]
    ours = logmel(samples, axes)
    assert ours.shape == theirs.shape
    filled = theirs.numpy() > -150  # a band narrower than a line of the spectrum is empty in both
    assert np.abs(ours - theirs.numpy())[filled].max() < 0.01  # float32 against float64
    assert (ours[~filled] < -150).all()


def test_windows_last_about_64_ms() -> None:
    assert (MelAxes.at(16_000).window, MelAxes.at(48_000).window, MelAxes.at(8_000).window) == (1024, 4096, 512)
    assert MelAxes.at(16_000).frame_s == 0.032


def test_a_clip_shorter_than_a_window_has_no_frame_and_one_as_long_has_one() -> None:
    axes = MelAxes.at(16_000)
    assert logmel(np.ones(1023, np.int16), axes).shape == (0, N_BANDS)
    assert logmel(np.ones(1024, np.int16), axes).shape == (1, N_BANDS)


def test_bands_touch_half_way_between_their_peaks() -> None:
    corners = corners_hz(0, 8000, 4)  # 45.2 mel by Slaney's scale, 9.05 from corner to corner
    assert corners[:2] == pytest.approx([0, 603.2], abs=0.1)
    assert corners[-1] == pytest.approx(8000)
    edges = edges_hz(corners)
    assert edges[0] == pytest.approx(301.6, abs=0.1) and len(edges) == 5
