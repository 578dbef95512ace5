"""Packs, mel conventions against librosa, log-mel statistics, and the embedder made of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from asdcli.embedders import EMBEDDERS, Embedding
from asdcli.embedders.logmel import LogMel
from asdcli.errors import BadData
from asdcli.features.mels import EPS, MelSpec, logmel_frames, mel_frames, statistics
from asdcli.features.pack import PackBuilder, VectorPack, WaveformPack


def _wave(n: int = 16_000, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).uniform(-0.5, 0.5, n).astype(np.float32))


# packs


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 50), max_size=8), expected=st.integers(0, 100))
def test_a_pack_gives_every_clip_back_whatever_was_expected(lengths: list[int], expected: int) -> None:
    clips = [np.arange(n, dtype=np.int16) - 7 for n in lengths]
    builder = PackBuilder(16_000, expected=expected)
    for i, clip in enumerate(clips):
        builder.append(f"clip{i}", clip)
    pack = WaveformPack.from_arrays(builder.finish().arrays())
    assert len(pack) == len(clips)
    assert pack.lengths.tolist() == lengths
    assert pack.clip_ids.tolist() == [f"clip{i}" for i in range(len(clips))]
    assert pack.sample_rate == 16_000
    for i, clip in enumerate(clips):
        np.testing.assert_array_equal(pack.clip(i), clip)


# mel frames

CONVENTIONS = [
    MelSpec(),
    MelSpec(scale="htk", norm=None),
    MelSpec(scale="htk", norm="slaney", power=1.0),
    MelSpec(scale="slaney", norm=None, padding="reflect"),
    MelSpec(centre=False),
    MelSpec(n_fft=2048, hop_length=256, n_mels=224, fmin_hz=50, fmax_hz=7800, power=1.0, padding="reflect"),
]


@pytest.mark.parametrize("spec", CONVENTIONS, ids=str)
def test_mel_frames_are_librosas_under_every_convention(spec: MelSpec) -> None:
    import librosa

    wave = _wave()
    theirs = librosa.feature.melspectrogram(
        y=wave.numpy(),
        sr=spec.sample_rate,
        n_fft=spec.n_fft,
        hop_length=spec.hop_length,
        power=spec.power,
        n_mels=spec.n_mels,
        fmin=spec.fmin_hz,
        fmax=spec.fmax_hz,
        htk=spec.scale == "htk",
        norm=spec.norm,
        center=spec.centre,
        pad_mode=spec.padding,
    ).T
    ours = mel_frames(wave[None], spec)[0].numpy()
    assert ours.shape == theirs.shape == (spec.n_frames(len(wave)), spec.n_mels)
    # both are float32: their spectra are rounded differently
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6 * theirs.max())


@pytest.mark.parametrize("spec", [*CONVENTIONS, MelSpec(window_norm=True, n_mels=130)], ids=str)
def test_mel_frames_are_torchaudios_under_every_convention(spec: MelSpec) -> None:
    from torchaudio.transforms import MelSpectrogram

    waves = torch.stack([_wave(9_000), _wave(9_000, seed=1)])
    theirs = MelSpectrogram(
        sample_rate=spec.sample_rate,
        n_fft=spec.n_fft,
        hop_length=spec.hop_length,
        f_min=spec.fmin_hz,
        f_max=spec.fmax_hz,
        n_mels=spec.n_mels,
        power=spec.power,
        normalized=spec.window_norm,
        center=spec.centre,
        pad_mode=spec.padding,
        norm=spec.norm,
        mel_scale=spec.scale,
    )(waves).transpose(-1, -2)
    # it has the edges of filters in float32, where those of narrow ones are off by more than their spectra
    torch.testing.assert_close(mel_frames(waves, spec), theirs, rtol=3e-4, atol=1e-6 * float(theirs.max()))


def test_frames_that_are_made_in_pieces_are_those_made_at_once() -> None:
    wave = _wave(200_000)  # 391 frames
    whole = mel_frames(wave[None], MelSpec(centre=False))[0]
    for first in (0, 250, 300):
        part = wave[512 * first : 512 * first + 1024]
        torch.testing.assert_close(whole[first], mel_frames(part[None], MelSpec(centre=False))[0, 0], rtol=1e-5, atol=0)


def test_the_conventions_differ_by_more_than_the_tolerance() -> None:
    wave = _wave()[None]
    reference = mel_frames(wave, CONVENTIONS[0])
    for spec in (MelSpec(scale="htk"), MelSpec(norm=None), MelSpec(power=1.0)):
        assert (mel_frames(wave, spec) / reference - 1).abs().max() > 0.1
    edges = mel_frames(wave, MelSpec(padding="reflect"))
    assert (edges[:, 0] / reference[:, 0] - 1).abs().max() > 0.1
    torch.testing.assert_close(edges[:, 2:-2], reference[:, 2:-2])  # only the padded frames know


def test_window_norm_divides_power_by_the_windows_energy() -> None:
    wave = _wave()[None]
    energy = 3 / 8 * 1024  # sum of a squared periodic Hann window of 1024
    torch.testing.assert_close(mel_frames(wave, MelSpec(window_norm=True)) * energy, mel_frames(wave, MelSpec()))


def test_a_tone_stands_in_the_htk_band_that_its_formula_names() -> None:
    # n_mels + 2 edges equally spaced in m(f) = 2595 log10(1 + f/700) from 0 to 8 kHz; band i peaks at edge i + 1
    step = 2595 * math.log10(1 + 8000 / 700) / 129
    for band in (40, 80, 120):
        hz = 700 * (10 ** ((band + 1) * step / 2595) - 1)
        tone = torch.sin(2 * torch.pi * hz * torch.arange(16_000) / 16_000)
        frames = mel_frames(tone[None], MelSpec(scale="htk", norm=None, centre=False))[0]
        assert frames.mean(dim=0).argmax() == band


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 3000), centre=st.booleans())
def test_the_number_of_frames_is_foretold(n: int, centre: bool) -> None:
    spec = MelSpec(n_fft=256, hop_length=100, n_mels=20, centre=centre)
    if spec.n_frames(n) == 0:
        with pytest.raises(ValueError, match="too few"):
            mel_frames(torch.zeros(1, n), spec)
    else:
        assert mel_frames(torch.zeros(1, n), spec).shape == (1, spec.n_frames(n), 20)


def test_a_batch_of_clips_is_its_clips_one_by_one() -> None:
    waves = torch.stack([_wave(seed=s) for s in range(5)])
    one_by_one = torch.cat([logmel_frames(w[None], MelSpec()) for w in waves])
    torch.testing.assert_close(logmel_frames(waves, MelSpec()), one_by_one)


def test_log_mel_is_in_decibels_for_amplitude_and_power_alike() -> None:
    wave = _wave()[None]
    for power in (1.0, 2.0):
        spec = MelSpec(power=power)
        louder = logmel_frames(10 * wave, spec) - logmel_frames(wave, spec)
        torch.testing.assert_close(louder, torch.full_like(louder, 20.0), rtol=0, atol=1e-3)  # x10 is 20 dB


# statistics


def test_statistics_are_mean_and_spread_over_time() -> None:
    clip = (_wave() * 32768).short().numpy()
    spec = MelSpec(centre=False)
    frames = logmel_frames(torch.from_numpy(clip / 32768.0)[None], spec)[0].numpy()  # in float64
    expected = np.concatenate((frames.mean(axis=0), frames.std(axis=0)))
    found = statistics(clip, spec)
    assert found.shape == (256,)
    np.testing.assert_allclose(found, expected, atol=1e-3)  # dB; float32 spectra


def test_silence_has_the_floors_level_and_no_spread() -> None:
    found = statistics(np.zeros(16_000, np.int16), MelSpec(centre=False))
    np.testing.assert_allclose(found[:128], 10 * math.log10(EPS), rtol=1e-6)
    np.testing.assert_array_equal(found[128:], 0)


# the embedder


def _pack(n: int = 20) -> VectorPack:
    vectors = np.random.default_rng(1).normal(-40, 3, (n, 256)).astype(np.float32)
    return VectorPack(vectors, np.array([f"c{i}" for i in range(n)]))


def test_training_clips_get_mean_0_and_variance_1_and_test_clips_are_not_looked_at() -> None:
    pack, is_train = _pack(), np.arange(20) < 12
    embedded = LogMel().embed(pack, is_train)
    assert embedded.vectors.dtype == np.float32
    np.testing.assert_allclose(embedded.vectors[is_train, :-1].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(embedded.vectors[is_train, :-1].std(axis=0), 1, atol=1e-5)
    louder = VectorPack(pack.vectors + 30 * ~is_train[:, None], pack.clip_ids)
    np.testing.assert_array_equal(LogMel().embed(louder, is_train).vectors[is_train], embedded.vectors[is_train])


def test_cosine_distance_orders_clips_as_the_distance_of_their_statistics_does() -> None:
    is_train = np.arange(20) < 12
    vectors = LogMel().embed(_pack(), is_train).vectors.astype(np.float64)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = ((1 - unit[~is_train] @ unit[is_train].T) / 2).ravel()
    apart = np.linalg.norm(vectors[~is_train, None, :-1] - vectors[None, is_train, :-1], axis=2).ravel()
    # not exactly, because the constant is finite: the orders agree but for near ties
    assert spearmanr(cosine, apart).statistic > 0.99


def test_one_training_clip_and_constant_bands_give_finite_vectors() -> None:
    pack = _pack()
    pack.vectors[:, :10] = -156.5
    for n_train in (1, 12):
        vectors = LogMel().embed(pack, np.arange(20) < n_train).vectors
        assert np.isfinite(vectors).all()
        np.testing.assert_array_equal(vectors[:, :10], 0)


def test_no_training_clip_is_refused() -> None:
    with pytest.raises(BadData, match="no training clips"):
        LogMel().embed(_pack(), np.zeros(20, bool))


def test_the_registry_builds_it() -> None:
    assert EMBEDDERS.build("logmel") == LogMel()
    assert EMBEDDERS.spell(LogMel()) == "logmel"


def test_windows_are_numbered_within_their_clip() -> None:
    assert Embedding(np.zeros((6, 2)), np.array([0, 0, 1, 3, 3, 3])).window.tolist() == [0, 1, 0, 0, 1, 2]
    assert Embedding.one_per_clip(np.zeros((3, 2))).window.tolist() == [0, 0, 0]
