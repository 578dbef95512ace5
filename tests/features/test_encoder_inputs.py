"""What encoders hear: as torchaudio and the library transformers make it, batched, and at another rate."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchaudio.compliance import kaldi

from asdcli.errors import BadData
from asdcli.features.encoder_mels import PlainWaves
from asdcli.features.kaldi_fbank import KaldiFbank
from asdcli.features.resampled import resampled, samples_before

WAVES = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (3, 2000)).astype(np.float32))


@pytest.mark.parametrize(("window", "scale", "n_mels"), [("hanning", 1.0, 128), ("povey", 32768.0, 40)])
def test_a_batch_has_the_frames_that_torchaudio_gives_clip_by_clip(window: str, scale: float, n_mels: int) -> None:
    ours = KaldiFbank(n_mels=n_mels, window=window, scale=scale, mean=2.0, spread=4.0)
    got = ours(WAVES)
    for wave, frames in zip(WAVES, got, strict=True):
        want = kaldi.fbank(wave[None] * scale, num_mel_bins=n_mels, window_type=window, sample_frequency=16_000.0)
        torch.testing.assert_close(frames, (want - 2.0) / 4.0, rtol=1e-5, atol=1e-5)


def test_so_many_samples_give_so_many_frames() -> None:
    fbank = KaldiFbank()
    for n in (2, 11):
        wave = torch.zeros(1, fbank.n_samples(n))
        assert fbank(wave).shape == (1, n, 128)
        assert torch.isfinite(fbank(wave)).all()
        assert fbank(wave[:, :-1]).shape[1] == n - 1


def test_a_wave_is_standardised_by_itself() -> None:
    loud = WAVES * torch.tensor([[1.0], [7.0], [0.1]]) + 0.3
    got = PlainWaves(True)(loud)
    torch.testing.assert_close(got.mean(dim=1), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(got.std(dim=1, correction=0), torch.ones(3), atol=1e-2, rtol=0)
    assert PlainWaves(False)(loud) is loud


def test_a_tone_stays_the_tone_at_another_rate() -> None:
    n = samples_before(4800, 16_000, 48_000)
    assert n == 1600
    time = torch.arange(n) / 16_000
    wave = torch.sin(2 * torch.pi * 1000 * time)[None]
    got = resampled(wave, 16_000, 48_000, 4800)
    want = torch.sin(2 * torch.pi * 1000 * torch.arange(4800) / 48_000)
    torch.testing.assert_close(got[0, 200:-200], want[200:-200], atol=1e-2, rtol=0)
    assert resampled(wave, 16_000, 16_000, n) is wave
    assert resampled(torch.zeros(1, samples_before(401, 44_100, 16_000)), 44_100, 16_000, 401).shape == (1, 401)


@pytest.mark.parametrize(("before", "after"), [(16_000, 48_000), (48_000, 16_000), (44_100, 16_000), (22_050, 32_000)])
def test_another_rate_is_torchaudios(before: int, after: int) -> None:
    from torchaudio.functional import resample

    want = resample(WAVES.double(), before, after)
    got = resampled(WAVES.double(), before, after, 10**9)
    torch.testing.assert_close(got, want, rtol=0, atol=1e-12)
    torch.testing.assert_close(resampled(WAVES, before, after, 10**9).double(), want, rtol=0, atol=1e-6)


def test_rates_without_a_simple_ratio_are_refused() -> None:
    with pytest.raises(BadData, match="44099 Hz cannot be resampled to the 16000 Hz") as error:
        resampled(WAVES, 44_099, 16_000, 10)
    assert "--sample-rate 16000 --resample" in str(error.value.hint)
