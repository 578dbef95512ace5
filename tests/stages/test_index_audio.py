"""`asd index`: what it says of the recordings as audio, and the options that later stages need for them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdcli import artifacts, audio
from asdcli.clips import without_suffix
from asdcli.features.pack import WaveformPack
from tests.audio.test_formats import FORMATS

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


def test_every_format_that_is_written_here_goes_from_index_to_a_pack(asd: Asd, tmp_path: Path) -> None:
    suffixes = {"WAVEX": "wav", "MPC2K": "snd"}
    (tmp_path / "mine").mkdir()
    for name, subtype in FORMATS:
        path = tmp_path / "mine" / f"{name}-{subtype}.{suffixes.get(name, name.lower())}"
        try:
            soundfile.write(path, TONE, 16_000, format=name, subtype=subtype)
            written = len(soundfile.read(path)[0])
        except soundfile.LibsndfileError:
            written = 0
        if not written:  # by some builds of libsndfile
            path.unlink(missing_ok=True)
    assert asd("index", "mine", "--machine", "fan", "--quiet") == 0
    assert asd("extract-features", "--round", "--resample", "--quiet") == 0
    arrays, _ = artifacts.read_arrays(Path("runs/mine/features/waveform/fan.npz"), artifacts.FEATURES)
    packed = WaveformPack.from_arrays(arrays)
    files = {f"audio/{path.name}": path for path in (tmp_path / "mine").iterdir()}
    files = {without_suffix(name): path for name, path in files.items() if not path.name.startswith("MAT")}
    assert len(files) > 60
    assert set(packed.clip_ids) == set(files)
    for i, clip_id in enumerate(packed.clip_ids):
        expected = audio.read(files[clip_id], sample_rate=16_000, resample=True, rounding=True)
        np.testing.assert_array_equal(packed.clip(i), expected)


def test_matlab_files_are_left_out_by_name(asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "mine" / "a.wav")
    soundfile.write(tmp_path / "mine" / "b.mat", TONE, 16_000, format="MAT5")
    assert asd("index", "mine", "--json", "--quiet") == 0
    left = json.loads(capsys.readouterr().out)["facts"]["left_out"]
    assert [one["reason"] for one in left] == ["a Matlab file, which may hold anything: save its sound as wav or flac"]


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
    assert asd("index", "mine") == 0
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
