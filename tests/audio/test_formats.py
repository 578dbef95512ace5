"""What libsndfile reads is read, by whatever name it goes; sizes that lie are refused or spoken of."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdcli import audio
from asdcli.clips import SUFFIXES
from tests.helpers.waiting import PATIENCE_S

TONE = 0.3 * np.sin(np.arange(8000) / 10)
EXACT = np.rint(TONE * 32768).astype(np.int16)

# what has no header, what this libsndfile writes but does not read back from a stream, and what only some builds have
_NOT_HERE = {("RAW", None), ("AIFF", "DWVW_12"), ("AIFF", "DWVW_16"), ("AIFF", "DWVW_24"), ("SD2", None)}
FORMATS = [
    (name, subtype)
    for name in soundfile.available_formats()
    for subtype in soundfile.available_subtypes(name)
    if not {(name, None), (name, subtype)} & _NOT_HERE
]


@pytest.mark.parametrize(("name", "subtype"), FORMATS)
def test_every_format_of_libsndfile_is_read_as_libsndfile_reads_it(tmp_path: Path, name: str, subtype: str) -> None:
    path = tmp_path / "clip.any"
    try:
        soundfile.write(path, TONE, 16_000, format=name, subtype=subtype)
    except soundfile.LibsndfileError as error:
        pytest.skip(f"this libsndfile does not write it: {error.error_string}")
    wave, rate = soundfile.read(path)
    if not len(wave):
        pytest.skip("this libsndfile does not read back what it wrote")
    assert (audio.info(path).n_samples, audio.info(path).sample_rate) == (len(wave), rate)
    clip = audio.read(path, sample_rate=rate, rounding=True)
    np.testing.assert_array_equal(clip, np.clip(np.rint(wave * 32768), -32768, 32767))
    if not audio.info(path).is_fine:  # then no rounding is needed
        np.testing.assert_array_equal(audio.read(path, sample_rate=rate), clip)


@pytest.mark.parametrize(("name", "subtype"), [("WAV", "PCM_24"), ("WAV", "FLOAT"), ("FLAC", "PCM_24"), ("MP3", None)])
def test_what_is_finer_than_16_bits_is_known_from_the_header(tmp_path: Path, name: str, subtype: str | None) -> None:
    soundfile.write(tmp_path / "clip.any", TONE, 16_000, format=name, subtype=subtype)
    assert audio.info(tmp_path / "clip.any").is_fine
    with pytest.raises(audio.BadAudio, match="finer than 16 bits"):
        audio.read(tmp_path / "clip.any")


def test_the_suffixes_of_libsndfile_are_known_but_for_the_named_exceptions() -> None:
    named = {f".{name.lower()}" for name in soundfile.available_formats()}
    other = {".wavex", ".mat4", ".mat5", ".mpc2k", ".raw", ".sd2"}  # another name, or none that tells it from others
    assert named - other <= set(SUFFIXES)


def _wav(path: Path, *, subtype: str = "PCM_16", **how: str) -> bytearray:
    soundfile.write(path, TONE, 16_000, subtype=subtype, **how)
    return bytearray(path.read_bytes())


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "IMA_ADPCM"])
@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000])
def test_a_wav_that_went_through_a_pipe_is_read_to_its_end_and_spoken_of(
    tmp_path: Path, subtype: str, size: int
) -> None:
    path = tmp_path / "piped.wav"
    content = _wav(path, subtype=subtype)
    whole = audio.read(path, rounding=True)
    for place in (4, content.find(b"data") + 4):
        content[place : place + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    assert "does not say how long it is" in (audio.info(path).note or "")
    np.testing.assert_array_equal(audio.read(path, rounding=True), whole)


@pytest.mark.parametrize("following", [b"", b"LIST\x04\0\0\0abcd", b"junk\0"])
def test_chunks_after_the_sound_are_nothing_to_speak_of(tmp_path: Path, following: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(_wav(path) + following)
    assert audio.info(path).note is None


def test_a_header_that_says_less_than_is_there_is_spoken_of(tmp_path: Path) -> None:
    path = tmp_path / "stale.wav"
    content = _wav(path)
    content[40:44] = struct.pack("<I", 4000)
    path.write_bytes(content)
    found = audio.info(path)
    assert found.n_samples == 2000
    assert found.note == ("its header may say too little: 12000 bytes that are no chunk follow the 4000 of its sound")
    content[40:44] = struct.pack("<I", 0)
    path.write_bytes(content)
    with pytest.raises(audio.BadAudio, match="no sound by its header: but 16000 bytes follow"):
        audio.info(path)
    long = tmp_path / "long.aiff"
    soundfile.write(long, EXACT, 16_000)
    long.write_bytes(long.read_bytes() + bytes(5000))
    assert "may say too little: it promises" in (audio.info(long).note or "")


def test_big_endian_and_64_bit_wavs_are_read_bit_for_bit(tmp_path: Path) -> None:
    for name, how in (("b.wav", {"endian": "BIG"}), ("l.wav", {"format": "RF64"})):
        soundfile.write(tmp_path / name, EXACT, 16_000, subtype="PCM_16", **how)
        assert (tmp_path / name).read_bytes()[:4] in (b"RIFX", b"RF64")
        np.testing.assert_array_equal(audio.read(tmp_path / name), EXACT)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        *((name, {}) for name in ("wav", "w64", "aiff", "au", "caf", "voc", "flac", "mp3")),
        *(("wav", how) for how in ({"endian": "BIG"}, {"format": "RF64"}, {"subtype": "MS_ADPCM"})),
    ],
)
def test_half_a_file_is_refused_in_every_format_that_can_tell(tmp_path: Path, name: str, how: dict[str, str]) -> None:
    path = tmp_path / f"cut.{name}"
    soundfile.write(path, TONE, 16_000, **how)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(audio.BadAudio):
        audio.read(path, rounding=True)


def test_the_mean_of_channels_is_their_mean_and_one_channel_is_its_own_mean(tmp_path: Path) -> None:
    wave = np.random.default_rng(0).integers(-9000, 9000, (500, 8)).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", wave, 16_000)
    mean = audio.read(tmp_path / "a.wav", channel=audio.MEAN)
    np.testing.assert_array_equal(mean, np.rint(wave.astype(float).mean(axis=1)).astype(np.int16))
    soundfile.write(tmp_path / "b.wav", EXACT, 16_000)
    np.testing.assert_array_equal(audio.read(tmp_path / "b.wav", channel=audio.MEAN), EXACT)
    assert len(audio.read(tmp_path / "a.wav", channel=audio.MEAN, sample_rate=8000, resample=True)) == 250


def test_no_named_pipe_socket_or_device_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "device.wav").symlink_to("/dev/zero")
    code = (
        "import sys; from pathlib import Path; from asdcli import audio\n"
        "for name in ('pipe.wav', 'device.wav'):\n"
        "    try: audio.read(Path(name))\n"
        "    except audio.BadAudio as error: print(error.reason)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert done.stdout.splitlines() == ["is a named pipe, not a file", "is a device, not a file"]


def test_a_path_that_holds_a_nul_is_a_named_refusal(tmp_path: Path) -> None:
    with pytest.raises(audio.BadAudio, match="cannot be read"):
        audio.info(tmp_path / "a\0b.wav")
