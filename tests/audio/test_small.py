"""Small files of sounds: FLAC loses nothing, Opus is the same bytes each time, with the checksums of Ogg."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from asdcli.audio.small import flac, opus, writes_opus

RATE = 16_000
t = np.arange(RATE) / RATE
SOUND = np.rint(8000 * np.sin(2 * np.pi * 440 * t) + 300 * np.random.default_rng(0).normal(size=RATE)).astype(np.int16)
needs_opus = pytest.mark.skipif(not writes_opus(), reason="this libsndfile writes no Opus")


def test_flac_gives_back_every_sample() -> None:
    samples, rate = soundfile.read(io.BytesIO(flac(SOUND, RATE)), dtype="int16")
    assert rate == RATE and np.array_equal(samples, SOUND)


@needs_opus
def test_opus_is_the_same_bytes_each_time_and_sounds_alike() -> None:
    made = opus(SOUND, RATE)
    assert made == opus(SOUND, RATE) and len(made) < len(flac(SOUND, RATE)) / 3
    samples, rate = soundfile.read(io.BytesIO(made))
    assert rate == RATE and len(samples) == RATE
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) == 440


@needs_opus
def test_another_rate_is_brought_to_the_next_that_opus_takes() -> None:
    samples, rate = soundfile.read(io.BytesIO(opus(SOUND, 22_050)))
    assert rate == 24_000 and len(samples) == pytest.approx(RATE * 24_000 / 22_050, abs=20)


@needs_opus
def test_the_checksums_of_the_pages_are_those_of_ogg_bit_by_bit() -> None:
    made, at, pages = opus(SOUND, RATE), 0, 0
    while at < len(made):
        n = made[at + 26]
        end = at + 27 + n + sum(made[at + 27 : at + 27 + n])
        page = bytearray(made[at:end])
        said, page[22:26] = int.from_bytes(page[22:26], "little"), bytes(4)
        crc = 0
        for byte in page:  # RFC 3533, appendix A: polynomial 0x04c11db7, nothing turned round
            crc ^= byte << 24
            for _ in range(8):
                crc = ((crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
        assert crc == said and page[14:18] == (1).to_bytes(4, "little")
        at, pages = end, pages + 1
    assert pages >= 3
