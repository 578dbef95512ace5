"""What an autoencoder misses of each frame and band, in dB."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from asdcli.embedders.residuals import Reconstruction
from asdcli.features.frames import N_STACKED, frontend
from asdcli.features.pack import WaveformPack


class Nothing(torch.nn.Module):
    """Rebuilds every band as `level`, but the first of the five frames as it was."""

    def __init__(self, level: float, n_mels: int) -> None:
        super().__init__()
        self.level, self.n_mels = level, n_mels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[:, : self.n_mels], torch.full_like(x[:, self.n_mels :], self.level)], dim=1)


def test_a_frame_is_missed_by_the_root_mean_square_over_the_vectors_that_it_is_part_of() -> None:
    front = frontend("dcase-baseline", 16_000)
    waves = [(np.random.default_rng(i).normal(size=8_000 + 1000 * i) * 900).astype(np.int16) for i in range(2)]
    network = Reconstruction({"fan": Nothing(-20.0, front.mel.n_mels)}, front, torch.device("cpu"))  # type: ignore[dict-item]
    missed = list(network.missed("fan", WaveformPack.of(waves, ["a", "b"], 16_000)))
    for wave, found in zip(waves, missed, strict=True):
        frames = front.frames(wave).numpy().astype(np.float64)
        assert found.shape == frames.shape
        off = 20 * np.log10(np.abs(frames + 20))
        # a frame in the middle is in five vectors, and not missed in the one that begins with it
        assert found[10] == pytest.approx(off[10] + 10 * np.log10((N_STACKED - 1) / N_STACKED), abs=1e-4)
        assert (found[0] < -100).all()  # the first is in one vector alone, which begins with it
        assert found[-1] == pytest.approx(off[-1], abs=1e-4)  # and the last ends one
