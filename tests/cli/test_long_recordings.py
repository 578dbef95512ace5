"""Long recordings through the front door: cut in learning and checking alike, one faulty minute in ten is found."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdcli import artifacts
from asdcli.filenames import stem
from tests.helpers.machines import sound, write
from tests.helpers.typed import typed

Asd = Callable[..., int]

RATE = 2_000


def minutes(rng: np.random.Generator, seconds: float, faulty: tuple[float, float] | None = None) -> np.ndarray:
    """(n,) int16 of a machine whose hum swells; it whines between `faulty` seconds."""
    t = np.arange(round(seconds * RATE)) / RATE
    x = 0.1 * (1 + 0.05 * np.sin(t / rng.uniform(5, 15))) * np.sin(2 * np.pi * 200 * t) + 0.05 * rng.normal(size=len(t))
    if faulty:
        x += 0.03 * np.sin(2 * np.pi * 610 * t) * ((t >= faulty[0]) & (t < faulty[1]))
    return (x * 16_000).astype(np.int16)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fan learned from eight recordings of three minutes and more, and recordings of ten minutes beside them."""
    place = tmp_path_factory.mktemp("long")
    rng = np.random.default_rng(2)
    for i in range(8):
        write(place / "fan 3" / "normal" / f"2024-10-0{1 + i // 2}_{i}.wav", minutes(rng, 180 + 7.3 * i), RATE)
    for name, seconds, faulty in (
        ("0.wav", 600, None),
        ("1.wav", 600, (240.0, 300.0)),
        ("2.wav", 12.5, None),
        ("3.wav", 47.3, (40.0, 47.3)),
    ):
        write(place / "fan 3" / "week" / name, minutes(rng, seconds, faulty), RATE)
    return typed(place, ["learn", "fan 3/normal"])


@pytest.fixture
def here(learned: Path, tmp_path: Path, asd: Asd, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It, with a history of one's own; nothing else is written there."""
    monkeypatch.chdir(learned)
    return learned


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def checked(asd: Asd, capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, dict[str, Any]]:
    """Name of a recording -> what is found of it."""
    capsys.readouterr()
    assert asd("check", *words, "--json", "-q", "--no-history", "--why", "none") == 0
    return {row["recording"]: row for row in told(capsys)["facts"]["recordings"]}


def test_one_faulty_minute_in_ten_is_found_and_when_it_was(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path, tmp_path: Path
) -> None:
    assert asd("check", "fan 3/week", "--no-history", "--csv", tmp_path / "week.csv") == 0
    said = capsys.readouterr()
    lines = [line for line in said.out.splitlines() if line]
    assert lines[1].startswith("1.wav") and " suspicious " in lines[1]
    assert lines[2].startswith("  from 3:") and " to 5:" in lines[2]
    assert "3 recordings cut into windows of 10 s, one every 5 s" in said.err
    with (tmp_path / "week.csv").open(newline="") as file:
        rows = {row["recording"]: row for row in csv.DictReader(file)}
    verdicts = {name: row["verdict"] for name, row in rows.items()}
    assert verdicts == {"0.wav": "normal", "1.wav": "suspicious", "2.wav": "normal", "3.wav": "suspicious"}
    start, _, end = rows["1.wav"]["events"].partition(" s:")[0].partition("-")
    assert abs(float(start) - 240) <= 5 and abs(float(end) - 300) <= 5
    assert rows["0.wav"]["events"] == rows["2.wav"]["events"] == ""
    assert rows["1.wav"]["why"].startswith("in the 10 s from 4:")


def test_the_mean_over_the_whole_would_have_been_normal(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path, tmp_path: Path
) -> None:
    found = checked(asd, capsys, "fan 3/week/1.wav")["fan 3/week/1.wav"]
    assert found["times"] > 2
    (event,) = found["events"]
    assert event["score"] == found["score"] and event["times"] == found["times"]
    copy = shutil.copytree(here / "runs/fan-3", tmp_path / "mean")
    words = ("--run", copy, "--dataset", "fan-3")
    assert asd("score", "-m", "nn", "--of-windows", "mean", *words, "-q") == 0
    whole, header = artifacts.read_table(copy / "scores/nn.parquet", artifacts.SCORES)
    highest, of_highest = artifacts.read_table(Path("runs/fan-3/scores/nn.parquet"), artifacts.SCORES)
    windows, _ = artifacts.read_table(Path("runs/fan-3/window-scores/nn.parquet"), artifacts.WINDOW_SCORES)
    assert (header.params.get("of_windows"), of_highest.params["of_windows"]) == (None, "max")
    by_clip: dict[str, list[float]] = {}
    for row in windows.to_pylist():
        by_clip.setdefault(row["clip_id"], []).append(row["anomaly_score"])
    assert whole["anomaly_score"].to_pylist() == pytest.approx(
        [np.mean(by_clip[c]) for c in whole["clip_id"].to_pylist()]
    )
    assert highest["anomaly_score"].to_pylist() == [max(by_clip[c]) for c in highest["clip_id"].to_pylist()]
    assert [len(scores) for scores in by_clip.values()] == [35, 37, 38, 40, 41, 43, 44, 46]  # the last one with the end


def test_windows_are_cut_as_in_learning_whatever_stands_beside_them(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    together = checked(asd, capsys, "fan 3/week")
    alone = checked(asd, capsys, "fan 3/week/3.wav")["fan 3/week/3.wav"]
    assert alone["score"] == pytest.approx(together["3.wav"]["score"], rel=1e-12)
    (event,) = alone["events"]
    assert 35 <= event["start_s"] <= 42 and event["end_s"] == pytest.approx(47.3)
    assert checked(asd, capsys, "fan 3/week/3.wav", "--shortest", "20")["fan 3/week/3.wav"]["verdict"] == "normal"
    learned_one = checked(asd, capsys, "fan 3/normal/2024-10-01_0.wav")["fan 3/normal/2024-10-01_0.wav"]
    assert learned_one["score"] > 0 and learned_one["nearest"] != "2024-10-01_0"


def test_a_recording_longer_than_normal_ones_has_a_higher_threshold_and_the_same_promise(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert asd("check", "fan 3/week", "--no-history", "--why", "none") == 0
    said = capsys.readouterr()
    assert "longer than the normal recordings of fan 3: a threshold up to 1." in said.err
    assert "fan 3: 2 of 4 recordings are suspicious; of so many normal ones about 0.4 would be" in said.out
    assert "of such long normal ones lies above it; so far out nothing checks that" in said.err
    assert asd("check", "fan 3/week/3.wav", "--window", "5", "--no-history", "--why", "none") == 0
    said = capsys.readouterr()
    assert "windows of 5 s are held against normal recordings of fan 3 that were not cut so" in said.err
    assert "promised)" not in said.out and "times as high" not in said.err
    rows = checked(asd, capsys, "fan 3/week")
    assert rows["0.wav"]["threshold"] > rows["3.wav"]["threshold"] == rows["2.wav"]["threshold"]
    assert rows["1.wav"]["p_value"] == pytest.approx(4 / 9)  # 119 windows: four stretches of 35, among 8


def test_a_picture_shows_the_track(asd: Asd, capsys: pytest.CaptureFixture[str], here: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    words = ("--no-history", "--why", "none", "-q")
    assert asd("check", "fan 3/week", "--plot", tmp_path / "a.svg", *words) == 0
    assert asd("check", "fan 3/week", "--plot", tmp_path / "b.svg", *words) == 0
    drawn = (tmp_path / "a.svg").read_text()
    assert drawn == (tmp_path / "b.svg").read_text()
    assert all(text in drawn for text in ("1.wav", "threshold: opens an event", "10:00", "method:nn"))
    assert "2.wav" not in drawn
    capsys.readouterr()
    assert asd("check", "fan 3/week/2.wav", "--plot", tmp_path / "c.svg", *words) == 0
    assert "no recording is long enough to be cut" in capsys.readouterr().err and not (tmp_path / "c.svg").exists()
    assert asd("check", "fan 3/week", "--plot", tmp_path / "c.gif", *words) == 2
    (tmp_path / "mine.svg").write_text("mine")
    assert asd("check", "fan 3/week", "--plot", tmp_path / "mine.svg", *words) == 1


def test_typed_windows_cut_all_recordings_and_by_default_only_long_ones(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    for i, seconds in enumerate((19.9, 20, 12, 1.5, 3)):
        write(tmp_path / "pump" / f"{i}.wav", sound(rng, n=round(seconds * 4_000)), 4_000)
    assert asd("learn", "pump") == 0
    assert "1 recording of 20 s or more is cut into windows of 10 s, one every 5 s" in capsys.readouterr().err

    def lengths(run: str = "pump") -> list[int]:
        table, _ = artifacts.read_table(Path(f"runs/{run}/embeddings.parquet"), artifacts.EMBEDDINGS)
        return np.unique(table["clip_id"].to_pylist(), return_counts=True)[1].tolist()

    assert lengths() == [1, 3, 1, 1, 1]
    assert asd("learn", "pump", "--window", "2", "--run", "runs/two") == 0
    assert "4 recordings of 2 s or more are cut into windows of 2 s, one every 1 s" in capsys.readouterr().err
    assert lengths("two") == [19, 19, 11, 1, 2]
    for words, message in (
        (("--window", "2", "--hop", "3"), "--hop 3 is longer than --window 2"),
        (("--window", "0"), "--window takes seconds, more than none, got 0"),
        (("--window", "2", "--channel", "both"), "two channels are two windows of each clip"),
    ):
        assert asd("learn", "pump", *words, "--run", "runs/no") == 2
        assert message in capsys.readouterr().err


def test_the_challenge_path_cuts_the_same_windows_and_the_command_that_mends_says_so(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path, tmp_path: Path
) -> None:
    run = ("--run", tmp_path / "again", "--dataset", "fan-3")
    cut = ("--window", "10", "--hop", "5", "--cut-from", "20", "--sample-rate", RATE, "--round")
    assert asd("extract-features", "--features", "logmel", *cut, *run, "-q") == 0
    ours, header = artifacts.read_arrays(tmp_path / "again/features/logmel/fan 3.npz", artifacts.FEATURES)
    theirs, _ = artifacts.read_arrays(Path("runs/fan-3/features/logmel/fan 3.npz"), artifacts.FEATURES)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert {name: header.params[name] for name in ("window_s", "hop_s", "cut_from_s")} == {
        "window_s": 10.0,
        "hop_s": 5.0,
        "cut_from_s": 20.0,
    }
    from asdcli.pipeline.options import of_features, of_scores

    assert " ".join(of_features(header)).endswith("--window 10 --hop 5 --cut-from 20")
    scores = artifacts.read_header(Path(f"runs/fan-3/scores/{stem('nn')}.parquet"), artifacts.SCORES)
    assert "--of-windows" not in of_scores(scores)
    assert asd("extract-features", "--hop", "5", *run) == 2
    assert "a hop is from one window to the next, and there are no windows" in capsys.readouterr().err
