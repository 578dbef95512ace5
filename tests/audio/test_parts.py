"""A part of a file by a name of its own: what is read is what lies there, of any format, in one piece or in blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asdcli import audio
from asdcli.audio.parts import FilePart, file_of, named, split, whole_of

RATE = 800


@pytest.fixture
def wave(tmp_path: Path) -> np.ndarray:
    """(n,) int16 of 95.5 s in which no two seconds are alike, written in several formats."""
    wave = np.random.default_rng(1).integers(-9_000, 9_000, round(95.5 * RATE)).astype(np.int16)
    for name in ("day.wav", "day.flac", "day.aiff", "day.w64"):
        soundfile.write(tmp_path / name, wave, RATE, subtype="PCM_16")
    soundfile.write(tmp_path / "fine.wav", wave / 32768, RATE, subtype="FLOAT")
    return wave


@pytest.mark.parametrize("file", ["day.wav", "day.flac", "day.aiff", "day.w64", "fine.wav"])
@pytest.mark.parametrize(("start", "end"), [(0, 10), (60, 90), (90, 96), (0, 96)])
def test_what_is_read_is_what_lies_there(tmp_path: Path, wave: np.ndarray, file: str, start: int, end: int) -> None:
    path = Path(named(str(tmp_path / file), start, end))
    expected = wave[start * RATE : end * RATE]
    assert audio.info(path).n_samples == len(expected)
    how = {"sample_rate": RATE, "rounding": True}
    assert np.array_equal(audio.read(path, **how), expected)
    assert np.array_equal(np.concatenate(list(audio.blocks(path, **how))), expected)


def test_the_names_are_those_of_the_clock(tmp_path: Path) -> None:
    assert named("fan 3/day.wav", 600, 1200) == "fan 3/day@00:10:00-00:20:00.wav"
    assert named("a.b.flac", 0, 100 * 3600 + 61) == "a.b@00:00:00-100:01:01.flac"
    assert split(tmp_path / "day@00:10:00-01:20:05.wav") == (tmp_path / "day.wav", FilePart(600, 4805))
    for none in ("day.wav", "day@00:10-00:20.wav", "day@00:61:00-00:62:00.wav", "@00:10:00-00:20:00.wav", "a@b"):
        assert whole_of(f"x/{none}") == f"x/{none}" and split(Path("x") / none) == (Path("x") / none, None)


@given(st.integers(0, 400_000), st.integers(1, 400_000))
def test_a_name_tells_its_part(start: int, length: int) -> None:
    path = named("x/day 1.wav", start, start + length)
    assert split(Path(path)) == (Path("x/day 1.wav"), FilePart(start, start + length))
    assert whole_of(path) == "x/day 1.wav"


def test_a_file_that_is_really_called_so_is_itself(tmp_path: Path, wave: np.ndarray) -> None:
    path = tmp_path / "day@00:00:10-00:00:20.wav"
    assert file_of(path) == tmp_path / "day.wav"
    soundfile.write(path, wave[:RATE], RATE, subtype="PCM_16")
    assert file_of(path) == path and audio.info(path).n_samples == RATE


@pytest.mark.parametrize(("start", "end"), [(20, 10), (10, 10), (96, 99), (90, 97)])
def test_what_is_not_there_is_refused(tmp_path: Path, wave: np.ndarray, start: int, end: int) -> None:
    path = Path(named(str(tmp_path / "day.wav"), start, end))
    for ask in (audio.info, audio.read, audio.peak):
        with pytest.raises(audio.BadAudio, match=r"there is no such part of a recording of 95\.5 s"):
            ask(path)
    with pytest.raises(audio.BadAudio, match="cannot be read: No such file"):
        audio.info(tmp_path / "night@00:00:10-00:00:20.wav")
