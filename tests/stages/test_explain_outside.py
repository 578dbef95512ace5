"""`asd explain` of recordings that are no clips of the run: what `asd check` says of them, and why."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from asdcli.features import mels
from asdcli.progress import SILENT
from asdcli.views.compared import beside
from asdcli.views.sound_words import of_sound
from tests.helpers.typed import typed
from tests.known_faults.made_up import RATE, BandFault, machine, pcm, with_fault

Asd = Callable[..., int]
METHODS = ("nn", "varmin:k=4,val=train-all", "mahalanobis:data=all")
SECONDS = 1.5


def write(path: Path, sound: np.ndarray) -> None:
    """Two channels, of which the second is the machine, and the first something else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(sound)).integers(-900, 900, len(sound)).astype(np.int16)
    soundfile.write(path, np.stack([noise, pcm(sound)], axis=1), RATE, subtype="PCM_16")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pump learned from its second channel at half its level, by three methods; beside it two of this week."""
    place = tmp_path_factory.mktemp("outside")
    for i in range(18):
        write(place / f"pump 2/normal/2024-10-{1 + i // 6:02d}_{i:02d}.wav", machine(i, SECONDS))
    write(place / "week/hiss.wav", with_fault(machine(51, SECONDS), BandFault(1200, 1600, 0.5, 14), 0))
    write(place / "week/well.wav", machine(50, SECONDS))
    return typed(
        place,
        ["learn", "pump 2", "--channel", "1", "--scale", "fixed:0.5"],
        ["score", *(word for method in METHODS for word in ("-m", method)), "--run", "runs/pump-2"],
        ["threshold", "--run", "runs/pump-2"],
    )


@pytest.fixture
def here(learned: Path, monkeypatch: pytest.MonkeyPatch, asd: Asd) -> Path:
    monkeypatch.chdir(learned)
    return learned


def told(asd: Asd, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert asd(*words, "--json", "-q") == 0
    facts: dict[str, Any] = json.loads(capsys.readouterr().out)["facts"]
    return facts


@pytest.mark.parametrize("method", METHODS)
def test_score_threshold_and_p_are_those_of_asd_check_to_the_bit(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    files = ("week/well.wav", "week/hiss.wav")
    clips = told(asd, capsys, "explain", *files, "-m", method)["clips"]
    rows = {row["recording"]: row for row in told(asd, capsys, "check", *files, "-m", method)["recordings"]}
    assert [clip["clip_id"] for clip in clips] == list(files)
    for clip in clips:
        row = rows[clip["clip_id"]]
        assert [clip[name] for name in ("score", "threshold", "p_value", "p_value_group")] == [
            row[name] for name in ("score", "threshold", "p_value", "p_value_group")
        ]
        assert clip["anomalous"] == (row["verdict"] == "suspicious")
        assert clip["nearest"][0]["clip_id"].endswith(row["nearest"] or "")
    assert rows["week/hiss.wav"]["verdict"] == "suspicious"
    if "varmin" in method:
        for clip in clips:
            (deciding,) = [near for near in clip["nearest"] if near["decides"]]
            assert deciding["adjusted"] == pytest.approx(clip["score"], abs=1e-12)
            assert deciding["taken_off"] == pytest.approx(clip["alpha"] * deciding["b"])


def test_it_is_read_as_those_that_were_learned_and_held_against_the_nearest_by_brute_force(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = told(asd, capsys, "explain", "week/hiss.wav", "2024-10-01_00", "-m", "nn")["clips"]
    assert clips[1]["split"] == "train" and clips[0]["split"] is None
    near = [one["clip_id"] for one in clips[0]["nearest"]]
    table = pq.read_table(here / "runs/pump-2/embeddings.parquet").to_pylist()
    ids = [row["clip_id"] for row in table]
    (pack,) = (here / "runs/pump-2/features/logmel").glob("*.npz")
    statistics = np.load(pack)["vectors"].astype(np.float64)

    def sound(path: Path) -> np.ndarray:
        return np.rint(soundfile.read(path, dtype="int16")[0][:, 1] * 0.5).astype(np.int16)

    mine = mels.statistics(sound(here / "week/hiss.wav"), mels.MelSpec(centre=False)).astype(np.float64)
    spread = np.maximum(statistics.std(axis=0), 0.01)
    standard = np.stack([(row - statistics.mean(axis=0)) / spread for row in [mine, *statistics]])
    height = np.full((len(standard), 1), 10 * np.sqrt(standard.shape[1]))
    x = np.hstack([standard, height])
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    d = (1 - x[0] @ x[1:].T) / 2
    order = np.argsort(d)[:16]
    assert near == [sorted(ids)[i] for i in order]
    assert [one["distance"] for one in clips[0]["nearest"]] == pytest.approx(d[order].tolist(), rel=1e-4)
    normals = {name: sound(here / "pump 2/normal" / f"{Path(name).name}.wav") for name in near}
    expected = of_sound(beside("hiss", sound(here / "week/hiss.wav"), normals, RATE, SILENT))
    assert clips[0]["words"] == expected and "dB more at 1.2-1.6 kHz, from 0." in expected[0]


def test_a_recording_that_is_there_is_meant_and_not_a_clip_that_is_called_alike(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(here / "week/hiss.wav", tmp_path / "2024-10-01_00.wav")
    shutil.copy(here / "pump 2/normal/2024-10-01_00.wav", tmp_path / "copy.wav")
    monkeypatch.chdir(tmp_path)
    place = ("--run", str(here / "runs/pump-2"), "--data", str(here / "data"), "-m", "nn")
    clip, copy = told(asd, capsys, "explain", "2024-10-01_00.wav", "copy.wav", *place)["clips"]
    assert clip["anomalous"] and clip["split"] is None
    assert copy["score"] == 0 and copy["nearest"][0]["clip_id"].endswith("2024-10-01_00")
    assert clip["signature"].endswith("|recording:2024-10-01_00.wav|" + clip["signature"].rpartition("|")[2])


def test_people_are_told_and_a_picture_is_drawn(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert asd("explain", "week/hiss.wav", "-m", "nn", "-o", tmp_path / "why.svg") == 0
    said = capsys.readouterr()
    assert "week/hiss.wav\n  score " in said.out and "above the threshold" in said.out and "* 1" in said.out
    assert "dB more at 1.2-1.6 kHz" in (tmp_path / "why.svg").read_text()


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("week -m nn", 2, "week is a folder hint: name recordings in it"),
        ("broken.wav -m nn", 1, "broken.wav cannot be explained: "),
        ("mono.wav -m nn", 1, "mono.wav cannot be explained: has no channel 1"),
        ("week/hiss.wav", 2, "several methods have thresholds"),
        ("week/hiss.wav -m nn --machine fan", 2, "unknown machine of this run 'fan'"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_words(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str], line: str, code: int, message: str
) -> None:
    (here / "broken.wav").write_bytes((here / "week/hiss.wav").read_bytes()[:900])
    soundfile.write(here / "mono.wav", pcm(machine(3, SECONDS)), RATE, subtype="PCM_16")
    assert asd("explain", *line.split()) == code
    assert message in " ".join(capsys.readouterr().err.split())


def test_another_channel_is_taken_where_that_is_asked_for(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clip,) = told(asd, capsys, "explain", "week/well.wav", "-m", "nn", "--channel", "0")["clips"]
    (row,) = told(asd, capsys, "check", "week/well.wav", "-m", "nn", "--channel", "0")["recordings"]
    assert clip["score"] == row["score"] > 10 * row["threshold"]


def test_of_a_long_recording_the_most_suspicious_window_is_explained_and_the_history_is_left_alone(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = BandFault(1200, 1600, 6.0, 14)
    write(here / "long.wav", with_fault(machine(70, 9.0), fault, 0))
    how = ("long.wav", "-m", "nn", "--window", str(SECONDS))
    (row,) = told(asd, capsys, "check", *how)["recordings"]
    kept = (here / "runs/pump-2/history.db").read_bytes()
    (clip,) = told(asd, capsys, "explain", *how)["clips"]
    assert (clip["score"], clip["threshold"], clip["p_value"]) == (row["score"], row["threshold"], row["p_value"])
    assert "dB more at 1.2-1.6 kHz, throughout" in clip["words"][0] and clip["words"][0] in row["heard"]
    (note,) = [note for note in clip["notes"] if note.startswith("of it the 1.5 s from 0:0")]
    assert int(note.split("0:0")[1][0]) >= 6 and row["events"][-1]["end_s"] >= 7
    assert (here / "runs/pump-2/history.db").read_bytes() == kept
