"""Clips that are packed and spoken of, and recordings that are scaled."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdcli import artifacts
from asdcli.artifacts import FEATURES
from asdcli.detector import Detector
from asdcli.features.pack import WaveformPack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recordings of a pump: eight for training, two of each condition for testing, as float wavs at 16 kHz."""
    root = tmp_path / "recordings"
    for place, n in {"pump/train": 8, "pump/test/normal": 2, "pump/test/abnormal": 2}.items():
        for i in range(n):
            write(root / place / f"{i}.wav", np.random.default_rng([len(place), i]).normal(0, 0.05, 16_000))
    return root


def write(path: Path, wave: np.ndarray, subtype: str = "FLOAT") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, 16_000, subtype=subtype)
    return path


def pack(tmp_path: Path) -> tuple[WaveformPack, artifacts.Header]:
    arrays, header = artifacts.read_arrays(tmp_path / "runs/own/features/waveform/pump.npz", FEATURES)
    return WaveformPack.from_arrays(arrays), header


def clip(tmp_path: Path, name: str) -> np.ndarray:
    packed, _ = pack(tmp_path)
    return packed.clip(packed.clip_ids.tolist().index(name))


def test_dead_microphones_and_copies_of_training_clips_are_named_and_used(
    asd: Callable[..., int], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder / "pump/train/dead.wav", np.zeros(16_000))
    write(folder / "pump/test/normal/dead.wav", np.zeros(8_000))
    shutil.copy(folder / "pump/train/3.wav", folder / "pump/test/abnormal/again.wav")
    shutil.copy(folder / "pump/train/3.wav", folder / "pump/train/4.wav")
    shutil.copy(folder / "pump/test/normal/0.wav", folder / "pump/test/normal/1.wav")  # no training clip: nothing
    assert asd("index", folder, "--name", "own", "-q") == 0
    capsys.readouterr()
    assert asd("extract-features", "--round", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    copy = "is a copy of a training clip: audio/pump/train/3"
    suspects = {
        "audio/pump/test/abnormal/again": copy,
        "audio/pump/test/normal/dead": "is silent: every sample is 0",
        "audio/pump/train/4": copy,
        "audio/pump/train/dead": "is silent: every sample is 0",
    }
    assert said["facts"]["suspects"] == suspects == pack(tmp_path)[1].diagnostics["suspects"]
    assert sorted(said["warnings"]) == [
        f"audio/pump/test/abnormal/again {copy} (1 more like it; --json lists them)",
        "audio/pump/test/normal/dead is silent: every sample is 0 (1 more like it; --json lists them)",
    ]
    assert len(pack(tmp_path)[0]) == 15 and said["exit_code"] == 0
    assert asd("extract-features", "--round", "--json") == 0
    assert json.loads(capsys.readouterr().out)["facts"]["suspects"] == suspects, "also where nothing was to be done"


def test_a_clipped_copy_of_a_clipped_training_clip_is_called_both(
    asd: Callable[..., int], folder: Path, tmp_path: Path
) -> None:
    write(folder / "pump/train/3.wav", np.clip(np.random.default_rng(1).normal(0, 0.6, 16_000), -1, 32767 / 32768))
    shutil.copy(folder / "pump/train/3.wav", folder / "pump/test/abnormal/again.wav")
    write(folder / "pump/train/dead.wav", np.zeros(16_000))
    write(folder / "pump/test/normal/dead.wav", np.zeros(16_000))
    assert asd("index", folder, "--name", "own", "-q") == 0
    assert asd("extract-features", "--round", "-q") == 0
    suspects = pack(tmp_path)[1].diagnostics["suspects"]
    clipped = suspects["audio/pump/train/3"]
    assert clipped.startswith("is clipped: ")
    copy = "is a copy of a training clip: audio/pump/train/3"
    assert suspects["audio/pump/test/abnormal/again"] == f"{clipped}; {copy}"
    assert suspects["audio/pump/test/normal/dead"] == "is silent: every sample is 0"


def test_a_pack_of_sound_clips_says_nothing_of_scale_or_suspects(
    asd: Callable[..., int], folder: Path, tmp_path: Path
) -> None:
    assert asd("index", folder, "--name", "own", "-q") == 0
    assert asd("extract-features", "--round", "-q") == 0
    header = pack(tmp_path)[1]
    assert not {"scale", "gain"} & header.params.keys() and "suspects" not in header.diagnostics


def test_scaling_to_the_peak_is_one_gain_for_the_machine_type(
    asd: Callable[..., int], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loud = write(folder / "pump/test/abnormal/loud.wav", np.random.default_rng(5).uniform(-1, 1, 9_000) * 3.2)
    assert asd("index", folder, "--name", "own", "-q") == 0
    assert asd("extract-features", "--round") == 1
    said = capsys.readouterr().err
    assert "goes beyond full scale: peak 3.2" in said and "--scale peak" in said
    assert asd("extract-features", "--scale", "peak", "-q") == 0
    gain = 32767 / 32768 / np.abs(soundfile.read(loud)[0]).max()
    assert pack(tmp_path)[1].params["gain"] == pytest.approx(gain, rel=1e-12)
    for name in ("audio/pump/train/0", "audio/pump/test/abnormal/loud"):
        wave = soundfile.read(folder / f"{name.removeprefix('audio/')}.wav")[0]
        np.testing.assert_array_equal(clip(tmp_path, name), np.rint(wave * gain * 32768))
    assert abs(clip(tmp_path, "audio/pump/test/abnormal/loud")).max() == 32767

    capsys.readouterr()
    assert asd("extract-features", "--scale", "peak") == 0
    assert "up to date" in capsys.readouterr().err
    assert asd("embed", "--embedder", "logmel", "-q") == 1  # features of another kind
    assert asd("extract-features", "--scale", "peak", "--features", "logmel", "-q") == 0
    assert asd("embed", "--embedder", "logmel", "-q") == 0 and asd("score", "--method", "nn", "-q") == 0
    assert Detector.load(tmp_path / "runs/own/detectors/nn.npz").gain("pump") == pytest.approx(gain)
    loud.unlink()
    assert asd("index", folder, "--name", "own", "-q") == 0
    assert asd("extract-features", "--scale", "peak", "-q") == 0
    assert pack(tmp_path)[1].params["gain"] > gain, "the loudest clip is gone: the others are brought to full scale"


def test_a_fixed_gain_multiplies_and_what_does_not_fit_is_refused(
    asd: Callable[..., int], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("index", folder, "--name", "own", "-q") == 0
    assert asd("extract-features", "--scale", "fixed:1000", "-q") == 1
    assert "goes beyond full scale" in capsys.readouterr().err
    assert asd("extract-features", "--scale", "fixed:0.25", "-q") == 0
    wave = soundfile.read(folder / "pump/train/2.wav")[0]
    np.testing.assert_array_equal(clip(tmp_path, "audio/pump/train/2"), np.rint(wave * 0.25 * 32768))
    params = pack(tmp_path)[1].params
    assert (params["scale"], params["gain"]) == ("fixed:0.25", 0.25)


@pytest.mark.parametrize("word", ["loud", "fixed", "fixed:", "fixed:0", "fixed:-1", "fixed:nan", "fixed:inf", "peak:2"])
def test_what_is_no_scale_is_refused(
    asd: Callable[..., int], folder: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    assert asd("index", folder, "--name", "own", "-q") == 0
    assert asd("extract-features", "--scale", word) == 2
    assert f"'{word}' is no scale" in capsys.readouterr().err
