"""One long recording of a healthy machine is enough to learn from: its stretches count as recordings do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdcli import artifacts, audio
from asdcli.audio.parts import file_of
from asdcli.pipeline.diagnosis import datasets
from asdcli.pipeline.diagnosis.finding import State
from tests.cli.test_long_recordings import RATE, minutes
from tests.helpers.machines import write
from tests.helpers.typed import copied, typed

Asd = Callable[..., int]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fan learned from ten minutes in one file, with a fault in one of three recordings of this week."""
    place = tmp_path_factory.mktemp("day")
    rng = np.random.default_rng(2)
    write(place / "fan 3" / "normal" / "day.wav", minutes(rng, 600), RATE)
    for name, seconds, faulty in (("0.wav", 130, None), ("1.wav", 180, (120.0, 150.0))):
        write(place / "fan 3" / "week" / name, minutes(rng, seconds, faulty), RATE)
    return typed(place, ["learn", "fan 3/normal", "--false-alarms", "1/month"])


@pytest.fixture
def here(learned: Path, tmp_path: Path, asd: Asd) -> Path:
    """A copy of it, the working folder."""
    return copied(learned, tmp_path)


def clips() -> list[dict[str, Any]]:
    return artifacts.read_table(Path("data/fan-3/clips.parquet"), artifacts.CLIPS)[0].to_pylist()


def test_its_stretches_are_learned_and_a_fault_is_found(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    rows = clips()
    assert [row["clip_id"] for row in rows[:2]] == ["audio/day@00:00:00-00:01:00", "audio/day@00:01:00-00:02:00"]
    assert len(rows) == 10 and {row["duration_s"] for row in rows} == {60.0}
    assert {file_of(Path("data/fan-3") / row["path"]).resolve() for row in rows} == {here / "fan 3/normal/day.wav"}
    pack, _ = artifacts.read_arrays(Path("runs/fan-3/features/logmel/fan 3.npz"), artifacts.FEATURES)
    assert len(pack["clip_id"]) == 10 * 11  # whole windows of 10 s, one every 5 s
    assert asd("check", "fan 3/week", "--json", "-q", "--no-history") == 0
    found = json.loads(capsys.readouterr().out)["facts"]["recordings"]
    assert [(row["recording"], row["verdict"]) for row in found] == [("1.wav", "suspicious"), ("0.wav", "normal")]
    (event,) = found[0]["events"]
    assert abs(event["start_s"] - 120) <= 5 and abs(event["end_s"] - 150) <= 5
    assert found[0]["nearest"].startswith("day@00:0")
    assert [one.state for one in datasets.look(Path("data")) if one.name == "fan-3"] == [State.OK]
    again = ("learn", "fan 3/normal", "--false-alarms", "1/month", "-q")
    assert asd(*again) == 0  # the files of the copy are younger than what was made of them
    capsys.readouterr()
    assert asd(*again, "--json") == 0
    assert {one["status"] for one in json.loads(capsys.readouterr().out)["outputs"]} == {"current"}


def test_a_stretch_is_as_a_recording_of_its_own(asd: Asd, here: Path) -> None:
    whole = audio.read(here / "fan 3/normal/day.wav", sample_rate=RATE)
    for i in range(10):
        write(here / "cut" / "fan 3" / f"{i:02d}.wav", whole[60 * i * RATE : 60 * (i + 1) * RATE], RATE)
    assert asd("learn", "cut/fan 3", "--run", "runs/cut", "-q") == 0
    of_parts, of_files = (
        artifacts.read_table(Path("runs") / run / "scores/nn.parquet", artifacts.SCORES)[0] for run in ("fan-3", "cut")
    )
    assert of_parts["anomaly_score"].to_pylist() == of_files["anomaly_score"].to_pylist()
    assert of_parts["group"].to_pylist() == of_files["group"].to_pylist()


def test_they_leave_and_come_and_a_long_recording_that_joins_is_cut_likewise(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    before = artifacts.read_header(Path("runs/fan-3/scores/nn.parquet"), artifacts.SCORES).content
    assert asd("reference", "remove", "day.wav", "-q") == 1
    assert "none even less: fan 3 (0 of 10 would be left)" in capsys.readouterr().err
    assert asd("reference", "remove", "day@00:01:00-00:02:00", "-q") == 0
    assert sum(row["split"] == "train" for row in clips()) == 9
    assert asd("learn", "fan 3/normal", "-q") == 0  # what was taken out stays out
    assert sum(row["split"] == "train" for row in clips()) == 9
    assert asd("reference", "add", "fan 3/normal/day.wav", "-q") == 0
    assert artifacts.read_header(Path("runs/fan-3/scores/nn.parquet"), artifacts.SCORES).content == before
    assert asd("reference", "add", "fan 3/week/0.wav", "-q") == 0
    joined = [row["path"] for row in clips() if row["since"]]
    assert [path.rpartition("/")[2] for path in joined] == ["0@00:00:00-00:01:05.wav", "0@00:01:05-00:02:10.wav"]
    assert asd("learn", "fan 3/normal", "-q") == 0
    assert [row["path"] for row in clips() if row["since"]] == joined


def test_what_is_said_of_the_whole_is_said_of_its_stretches(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert asd("check", "fan 3/normal/day.wav") == 0
    assert "day.wav was learned, in stretches, and is compared with itself" in capsys.readouterr().err
    assert asd("confirm", "fan 3/normal/day.wav", "normal") == 2
    assert "day.wav was learned as normal" in capsys.readouterr().err
    (here / "fan 3/normal/day.wav").write_bytes((here / "fan 3/normal/day.wav").read_bytes()[:100_044])
    assert asd("learn", "fan 3/normal", "-q") == 1
    assert "of what is there, 1 is truncated" in capsys.readouterr().err


def test_where_all_are_cut_false_alarms_of_a_month_need_no_word_of_how_often_one_comes(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    limits = artifacts.read_table(Path("runs/fan-3/thresholds.parquet"), artifacts.THRESHOLDS)[0].to_pylist()
    assert limits[0]["rule"] == f"gamma:quantile={quantile(1440)!r}"
    assert asd("learn", "fan 3/normal", "--false-alarms", "1/month", "--run", "runs/said") == 0
    said = capsys.readouterr().err
    assert "1/month: of recordings as long as those learned (1 min), one after the other without a gap" in said
    assert asd("learn", "fan 3/normal", "--false-alarms", "1/month", "--every", "1h", "--run", "runs/typed") == 0
    assert "without a gap" not in capsys.readouterr().err
    limits = artifacts.read_table(Path("runs/typed/thresholds.parquet"), artifacts.THRESHOLDS)[0].to_pylist()
    assert limits[0]["rule"] == f"gamma:quantile={quantile(24)!r}"


def quantile(a_day: int) -> float:
    """Share of the recordings that lie below a threshold which one a month lies above."""
    return 1 - round(12 / 365.25, 15) / a_day


def test_one_that_is_too_short_for_two_is_still_refused(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write(tmp_path / "fan" / "normal" / "a.wav", minutes(np.random.default_rng(1), 30), RATE)
    assert asd("learn", "fan/normal") == 1
    said = capsys.readouterr().err
    assert "one normal recording tells nothing of what is normal: fan" in said and "or one that is long" in said


def test_of_a_clip_of_windows_the_most_suspicious_one_is_explained(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert asd("reference", "add", "fan 3/week/1.wav", "--force", "-q") == 0
    clip_id = "audio_later/week/1@00:02:00-00:03:00"
    scores = artifacts.read_table(Path("runs/fan-3/window-scores/nn.parquet"), artifacts.WINDOW_SCORES)[0].to_pylist()
    of_windows = [row["anomaly_score"] for row in scores if row["clip_id"] == clip_id]
    worst = int(np.argmax(of_windows))
    capsys.readouterr()
    assert asd("explain", "1@00:02:00-00:03:00", "--json", "-q") == 0
    (found,) = json.loads(capsys.readouterr().out)["facts"]["clips"]
    assert found["score"] == of_windows[worst] and len(of_windows) == 11 and worst in range(6)
    assert f"of it the 10 s from 0:{5 * worst:02d}, and of normal ones as many from their start" in found["notes"]
    assert found["words"] == ["8 dB more at 601-632 Hz, throughout"]  # the whine of 610 Hz, in these ten seconds
    (here / "fan 3/week/1.wav").unlink()
    assert asd("explain", "1@00:02:00-00:03:00", "-q") == 1
    assert "there is no recording" in capsys.readouterr().err
