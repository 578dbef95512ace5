"""A recording read block by block is the recording read whole, bit for bit, and never held whole."""

from __future__ import annotations

import tracemalloc
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asdcli import audio
from asdcli.audio import BadAudio
from asdcli.audio.suspect import Counts, suspicion
from asdcli.views.listening import listen
from asdcli.views.reading import Reading

RATE = 16_000


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "_BLOCK", 1_000)


def noise(n: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.4, 0.4, (n, channels))


@pytest.mark.parametrize(
    ("name", "subtype", "rate", "channels", "how"),
    [
        ("a.wav", "PCM_16", RATE, 1, {}),
        ("a.wav", "PCM_16", RATE, 3, {"channel": 1}),
        ("a.wav", "PCM_16", RATE, 2, {"channel": "mean"}),
        ("a.wav", "PCM_16", RATE, 1, {"gain": 0.7}),
        ("a.wav", "PCM_16", 44_100, 2, {"channel": 0, "resample": True}),
        ("a.wav", "PCM_24", 48_000, 1, {"resample": True, "rounding": True}),
        ("a.wav", "FLOAT", RATE, 1, {"rounding": True}),
        ("a.flac", "PCM_16", 22_050, 2, {"channel": "mean", "resample": True}),
        ("a.ogg", "VORBIS", RATE, 1, {"rounding": True}),
    ],
)
def test_the_blocks_of_a_file_are_the_file_whole(
    tmp_path: Path, name: str, subtype: str, rate: int, channels: int, how: dict[str, Any]
) -> None:
    soundfile.write(tmp_path / name, noise(12_345, channels), rate, subtype=subtype)
    blocks = list(audio.blocks(tmp_path / name, sample_rate=RATE, **how))
    assert len(blocks) > 3 and all(len(block) for block in blocks)
    assert np.array_equal(np.concatenate(blocks), audio.read(tmp_path / name, sample_rate=RATE, **how))


def test_what_is_wrong_is_named_where_it_is_reached(tmp_path: Path) -> None:
    samples = noise(5_000)
    samples[4_200] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(BadAudio, match="NaN or infinite samples: the first at 4200"):
        list(audio.blocks(tmp_path / "nan.wav", rounding=True))
    soundfile.write(tmp_path / "two.wav", noise(50, 2), RATE, subtype="PCM_16")
    with pytest.raises(BadAudio, match="has 2 channels"):
        list(audio.blocks(tmp_path / "two.wav"))
    soundfile.write(tmp_path / "tiny.wav", noise(1), 48_000, subtype="PCM_16")
    with pytest.raises(BadAudio, match="too short to bring from 48000 Hz"):
        list(audio.blocks(tmp_path / "tiny.wav", resample=True))


def test_an_hour_is_never_held_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "_BLOCK", 1 << 19)
    with wave.open(str(tmp_path / "hour.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"\0" * 2 * 3600 * RATE)
    reading = Reading("waveform", window_s=10.0, hop_s=5.0)
    tracemalloc.start()
    heard = listen(tmp_path / "hour.wav", reading)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (heard.n_rows, heard.duration_s, heard.is_dead) == (719, 3600.0, True)
    assert peak < 16e6 < 2 * 3600 * RATE  # of 115 MB
    assert sum(1 for _ in heard.features) == 719


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(900, np.int16),
        np.full(900, 7, np.int16),
        np.concatenate([np.zeros(800, np.int16), np.arange(100, dtype=np.int16)]),
        np.tile(np.array([32767, 5, -32768, 9], np.int16), 200),
        np.arange(-400, 400, dtype=np.int16),
    ],
)
def test_what_is_odd_of_blocks_is_odd_of_the_whole(samples: np.ndarray) -> None:
    counts = Counts()
    for block in np.array_split(samples, 7):
        counts.add(block)
    assert counts.suspicion == suspicion(samples)
    power = np.mean(samples.astype(np.float64) ** 2) / 32768.0**2
    assert counts.level_db == pytest.approx(10 * np.log10(power) if power else -200.0)
