"""`asd index`: what it says of the recordings as audio, and the options that later stages need for them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdcli import artifacts

Asd = Callable[..., int]
TONE = 0.3 * np.sin(np.arange(8000) / 10)


def write(path: Path, wave: np.ndarray = TONE, *, rate: int = 16_000, subtype: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, rate, subtype=subtype)
    return path


def test_recordings_of_every_suffix_become_clips_that_are_read(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.mp3", "b.ogg", "c.aiff", "d.w64", "e.caf", "f.au"):
        write(tmp_path / "mine" / name)
    assert asd("index", "mine") == 0
    assert "--round" in capsys.readouterr().err  # mp3 and ogg decode to more than 16 bits
    assert asd("extract-features", "--round", "--quiet") == 0
    arrays, _ = artifacts.read_arrays(Path("runs/mine/features/waveform/mine.npz"), artifacts.FEATURES)
    assert arrays["clip_id"].tolist() == [f"audio/{name}" for name in "abcdef"]


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT"])
def test_the_next_command_rounds_what_is_finer_than_16_bits(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str], subtype: str
) -> None:
    write(tmp_path / "mine" / "a.wav", subtype=subtype)
    assert asd("index", "mine", "--json", "--quiet") == 0
    command = json.loads(capsys.readouterr().out)["facts"]["next"]
    assert command[-1] == "--round"
    assert asd(*command[1:]) == 0


def test_the_next_command_need_not_round_what_is_resampled(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "mine" / "a.wav", rate=48_000, subtype="PCM_24")
    assert asd("index", "mine", "--json", "--quiet") == 0
    command = json.loads(capsys.readouterr().out)["facts"]["next"]
    assert "--resample" in command and "--round" not in command
    assert asd(*command[1:]) == 0


def test_eight_channels_are_one_channel_or_their_mean(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wave = np.random.default_rng(0).integers(-9000, 9000, (2000, 8)).astype(np.int16)
    write(tmp_path / "mine" / "a.wav", wave)
    assert asd("index", "mine") == 0
    assert "--channel mean the mean of all" in capsys.readouterr().err
    assert asd("extract-features", "--channel", "mean") == 0
    arrays, header = artifacts.read_arrays(Path("runs/mine/features/waveform/mine.npz"), artifacts.FEATURES)
    np.testing.assert_array_equal(arrays["samples"], np.rint(wave.astype(float).mean(axis=1)))
    assert header.params["channel"] == "mean"


def test_headers_that_lie_about_the_length_are_spoken_of(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, size in (("piped1.wav", 0xFFFFFFFF), ("piped2.wav", 0xFFFFFFFF), ("stale.wav", 4000)):
        path = write(tmp_path / "mine" / name)
        content = bytearray(path.read_bytes())
        content[40:44] = struct.pack("<I", size)
        path.write_bytes(content)
    assert asd("index", "mine", "--quiet") == 0
    told = capsys.readouterr().err
    assert "warning: piped1.wav: its header does not say how long it is" in told
    assert "(1 more with such a header)" in told
    assert "warning: stale.wav: its header may say too little: 12000 bytes that are no chunk follow" in told
    table, _ = artifacts.read_table(Path("data/mine/clips.parquet"), artifacts.CLIPS)
    assert table["duration_s"].to_pylist() == [0.5, 0.5, 0.125]


def test_when_nothing_can_be_used_the_damaged_recording_is_named_and_not_the_text_beside_it(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").touch()
    (tmp_path / "mine" / "b.wav").touch()
    assert asd("index", "mine") == 1
    assert "the first is b.wav: is empty: 0 bytes" in capsys.readouterr().err
