"""Reading audio: bit for bit, and a named refusal for everything that is not a whole, finite, mono clip."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asdcli import audio
from asdcli.errors import UsageError

SAMPLES = np.array([0, 1, -1, 12345, -32768, 32767, 7], np.int16)


def _write(path: Path, samples: np.ndarray, *, rate: int = 16_000, subtype: str = "PCM_16", **options: str) -> Path:
    soundfile.write(path, samples, rate, subtype=subtype, **options)
    return path


def _noise(n: int = 4000) -> np.ndarray:
    return np.random.default_rng(0).integers(-32768, 32768, n).astype(np.int16)


def test_int16_wav_comes_back_bit_for_bit(tmp_path: Path) -> None:
    clip = audio.read(_write(tmp_path / "a.wav", SAMPLES))
    assert clip.dtype == np.int16
    np.testing.assert_array_equal(clip, SAMPLES)


def test_flac_comes_back_bit_for_bit(tmp_path: Path) -> None:
    samples = _noise()
    path = _write(tmp_path / "a.flac", samples)
    np.testing.assert_array_equal(audio.read(path), samples)
    assert audio.info(path) == audio.Info(4000, 16_000, 1)


def test_extensible_wav_and_chunks_before_the_sound_are_read_through(tmp_path: Path) -> None:
    np.testing.assert_array_equal(audio.read(_write(tmp_path / "a.wav", SAMPLES, format="WAVEX")), SAMPLES)
    plain = _write(tmp_path / "b.wav", SAMPLES).read_bytes()
    odd = b"LIST" + struct.pack("<I", 5) + b"INFOx" + b"\0"  # five bytes and the pad
    (tmp_path / "c.wav").write_bytes(plain[:36] + odd + plain[36:] + b"LIST\0\0")  # and rubbish after the sound
    np.testing.assert_array_equal(audio.read(tmp_path / "c.wav"), SAMPLES)


@pytest.mark.parametrize("subtype", ["PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_wider_formats_are_lossless_where_16_bits_suffice(tmp_path: Path, subtype: str) -> None:
    path = _write(tmp_path / "a.wav", SAMPLES / 32768.0, subtype=subtype)
    np.testing.assert_array_equal(audio.read(path), SAMPLES)


def test_finer_samples_are_refused_unless_rounding_is_allowed(tmp_path: Path) -> None:
    wave = np.array([0.3, -0.7, 1.0]) * (1 - 1e-5)
    path = _write(tmp_path / "a.wav", wave, subtype="FLOAT")
    with pytest.raises(audio.BadAudio, match="finer than 16 bits") as refusal:
        audio.read(path)
    assert "--round" in (refusal.value.hint or "")
    assert np.abs(audio.read(path, rounding=True) / 32768.0 - wave).max() <= 1 / 32768  # half a step, or one at +1


@pytest.mark.parametrize("rounding", [False, True])
def test_floats_beyond_full_scale_are_refused(tmp_path: Path, rounding: bool) -> None:
    path = _write(tmp_path / "a.wav", np.array([0.0, 1.5]), subtype="FLOAT")
    with pytest.raises(audio.BadAudio, match=r"beyond full scale: peak 1\.5"):
        audio.read(path, rounding=rounding)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_non_finite_samples_are_refused_and_counted(tmp_path: Path, bad: float) -> None:
    wave = np.zeros(100)
    wave[[17, 40]] = bad
    path = _write(tmp_path / "a.wav", wave, subtype="FLOAT")
    with pytest.raises(audio.BadAudio, match="NaN or infinite samples: 2 of 100, the first at 17"):
        audio.read(path)


def test_half_a_wav_is_refused_though_decoders_take_it(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.wav", _noise())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert len(soundfile.read(path)[0]) > 0  # the trap
    for look in (audio.read, audio.info):
        with pytest.raises(audio.BadAudio, match="truncated: its header promises 8000 bytes of sound, 3978 are there"):
            look(path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), suffix=st.sampled_from(["wav", "flac"]))
def test_no_proper_beginning_of_a_file_is_taken_for_the_whole(tmp_path: Path, data: st.DataObject, suffix: str) -> None:
    whole = _write(tmp_path / f"whole.{suffix}", _noise(500)).read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 3))])  # flac may do without its last checksum bytes
    with pytest.raises(audio.BadAudio):
        audio.read(cut)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.integers(0, 60), st.integers(0, 255), min_size=1, max_size=4))
def test_a_damaged_header_gives_samples_or_a_named_refusal(tmp_path: Path, changes: dict[int, int]) -> None:
    damaged = bytearray(_write(tmp_path / "whole.wav", _noise(500)).read_bytes())
    for position, value in changes.items():
        damaged[position] = value
    path = tmp_path / "damaged.wav"
    path.write_bytes(damaged)
    try:
        clip = audio.read(path)
    except audio.BadAudio as refusal:
        assert str(path) in refusal.message
    else:
        assert clip.dtype == np.int16
        assert clip.ndim == 1
        assert len(clip) >= 1


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.wav", np.zeros(0, np.int16))
    with pytest.raises(audio.BadAudio, match="0 samples"):
        audio.read(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty: 0 bytes"),
        (b"<!DOCTYPE html><html>429</html>", "is no audio that libsndfile reads: it begins with"),
        (b"fLaC" + bytes(100), "cannot be decoded"),
        (b"RIFF\x10\0\0\0WAVEdata\x02\0\0\0\0\0", "without a format"),
    ],
)
def test_what_is_no_audio_is_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(audio.BadAudio, match=words) as refusal:
        audio.read(path)
    assert str(path) in refusal.value.message
    if b"html" in content:
        assert "web page" in (refusal.value.hint or "")


def test_missing_file_and_folder_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(audio.BadAudio, match=r"gone\.wav: cannot be read: No such file"):
        audio.read(tmp_path / "gone.wav")
    with pytest.raises(audio.BadAudio, match="cannot be read: Is a directory"):
        audio.read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_refused_by_name(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.wav", SAMPLES)
    path.chmod(0)
    with pytest.raises(audio.BadAudio, match="Permission denied"):
        audio.read(path)


def test_another_rate_is_refused_unless_resampling_is_asked_for(tmp_path: Path) -> None:
    n = np.arange(48_000)
    path = _write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 1000 * n / 48_000), rate=48_000)
    with pytest.raises(audio.BadAudio, match="48000 Hz, expected 16000 Hz"):
        audio.read(path)
    clip = audio.read(path, resample=True)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    assert len(clip) == 16_000
    # away from the ends, the filter's ripple and two roundings stay below 1e-3 of full scale
    assert np.abs(clip / 32768 - expected)[500:-500].max() < 1e-3
    np.testing.assert_array_equal(audio.read(path, sample_rate=48_000), soundfile.read(path, dtype="int16")[0])


def test_a_channel_must_be_chosen_and_is_the_one_chosen(tmp_path: Path) -> None:
    near, far = _noise(), _noise()[::-1]
    path = _write(tmp_path / "a.wav", np.column_stack((near, far)))
    with pytest.raises(audio.BadAudio, match="has 2 channels") as refusal:
        audio.read(path)
    assert "--channel" in (refusal.value.hint or "")
    np.testing.assert_array_equal(audio.read(path, channel=audio.channel_index("0")), near)
    np.testing.assert_array_equal(audio.read(path, channel=audio.channel_index("1")), far)
    with pytest.raises(audio.BadAudio, match="no channel 2: it has 2"):
        audio.read(path, channel=2)


def test_channel_words() -> None:
    names = ("near", "far")
    assert [audio.channel_index(w, names) for w in (None, "near", "far", "0", "7")] == [None, 0, 1, 0, 7]
    assert audio.channel_index("both", names) == audio.BOTH
    with pytest.raises(UsageError) as refusal:
        audio.channel_index("nera", names)
    assert "did you mean 'near'" in (refusal.value.hint or "")
    with pytest.raises(UsageError, match="near"):
        audio.channel_index("near")


def test_info_agrees_with_libsndfile_on_real_layouts(tmp_path: Path) -> None:
    for name, subtype, channels in (("a.wav", "PCM_16", 2), ("b.wav", "PCM_24", 1), ("c.flac", "PCM_16", 2)):
        path = _write(tmp_path / name, np.zeros((321, channels)), rate=22_050, subtype=subtype)
        theirs = soundfile.info(path)
        assert audio.info(path) == audio.Info(theirs.frames, theirs.samplerate, theirs.channels, subtype == "PCM_24")
        assert audio.info(path).duration_s == pytest.approx(theirs.duration)


def test_resampling_refuses_what_goes_beyond_full_scale_instead_of_clipping_it(tmp_path: Path) -> None:
    wave = 1.5 * np.sin(2 * np.pi * 440 * np.arange(4800) / 48_000)
    path = _write(tmp_path / "a.wav", wave, rate=48_000, subtype="FLOAT")
    with pytest.raises(audio.BadAudio, match=r"goes beyond full scale: peak 1\.5"):
        audio.read(path, resample=True)
    square = np.where(np.arange(4800) % 48 < 24, 32767, -32768).astype(np.int16)  # the filter overshoots at its edges
    path = _write(tmp_path / "b.wav", square, rate=48_000)
    with pytest.raises(audio.BadAudio, match="goes beyond full scale"):
        audio.read(path, resample=True)
