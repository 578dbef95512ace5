"""`asd learn`: from a folder of normal recordings to a run, and what is said of how good they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdcli import artifacts
from asdcli.audio.level import LOWEST_DB, Levels
from asdcli.audio.suspect import Counts
from asdcli.metrics.conformal import p_values
from asdcli.pipeline.indexing import of_clips
from tests.helpers.machines import RATE, healthy, sound, write

Asd = Callable[..., int]


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def of_the_challenge(text: str) -> list[str]:
    words = ("test-all", "train-all", "source", "target", "section", "domain", "split", "machine type", "DCASE")
    return [word for word in words if word in text]


def test_a_folder_of_normals_becomes_a_run_and_they_are_judged(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    healthy(tmp_path / "fan 3" / "October normal")
    before = sorted((p, p.stat().st_mtime_ns) for p in (tmp_path / "fan 3").rglob("*"))
    assert asd("learn", "fan 3/October normal", "--false-alarms", "1/month", "--every", "10min") == 0
    said = capsys.readouterr()
    assert said.out.startswith("fan 3: 40 recordings in 4 days; the one least like the others is ")
    assert "as rare as 1 in 41 can be promised with that many" in said.out
    assert "1 in 4,383 takes 4,382 normal recordings: 4,342 more" in said.out
    assert "4 days promise nothing rarer than 1 false alarm in 5 recordings of a new one" in said.out
    assert "listening by logmel" in said.err and "learned into runs/fan-3" in said.err
    assert not of_the_challenge(said.out + said.err)
    assert before == sorted((p, p.stat().st_mtime_ns) for p in (tmp_path / "fan 3").rglob("*"))
    scores, _ = artifacts.read_table(Path("runs/fan-3/scores/nn.parquet"), artifacts.SCORES)
    assert set(scores["scored_as"].to_pylist()) == {"left-out group"} and len(scores) == 40
    limits, _ = artifacts.read_table(Path("runs/fan-3/thresholds.parquet"), artifacts.THRESHOLDS)
    assert limits["asked"].to_pylist() == ["false-alarms:per_day=0.032854209445585,clips_per_day=144.0"]
    assert asd("learn", "fan 3/October normal", "--false-alarms", "1/month", "--every", "10min", "--json") == 0
    assert told(capsys)["status"] == "current"
    assert asd("doctor", "--quiet") == 0


def test_the_default_promise_is_the_quantile_and_the_one_that_stands_out_is_named(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = healthy(tmp_path / "fan")
    write(folder / "2024-10-03_9999.wav", sound(np.random.default_rng(9), hum=2000.0, whine=0.2))
    assert asd("learn", "fan", "--json") == 0
    (machine,) = told(capsys)["facts"]["machines"]
    scores, _ = artifacts.read_table(Path("runs/fan/scores/nn.parquet"), artifacts.SCORES)
    values = scores["anomaly_score"].to_numpy()
    (odd,) = machine["stand_out"]
    assert odd["clip_id"] == "2024-10-03_9999"
    assert odd["times"] == pytest.approx(values.max() / np.median(values))
    i = int(values.argmax())
    assert odd["p_value"] == pytest.approx(p_values(np.delete(values, i), values[i : i + 1])[0])
    assert (machine["recordings"], machine["needed"], machine["lacking"]) == (41, 99, 58)
    assert machine["promised"] == pytest.approx(1 / 42) and machine["threshold"] == values.max()


def test_several_machines_in_one_call_and_one_typed_for_all(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    healthy(tmp_path / "hall" / "fan 3" / "May", 12)
    healthy(tmp_path / "hall" / "pump 2" / "normal", 12, hum=900.0)
    assert asd("learn", "hall/fan 3/May", "hall/pump 2", "--json") == 0
    said = capsys.readouterr()
    facts = json.loads(said.out)["facts"]
    assert "takes 200 recordings of each" in said.err and "fan 3 has 12" in said.err
    assert [m["machine"] for m in facts["machines"]] == ["fan 3", "pump 2"] and facts["run"] == "runs/hall"
    assert of_clips(Path("data/hall")) == (
        f"asd learn '{tmp_path}/hall/fan 3/May' '{tmp_path}/hall/pump 2' --dataset hall"
    )
    files = sorted((tmp_path / "hall").rglob("*.wav"))
    assert asd("learn", *files, "--machine", "both", "--run", "runs/one", "--json") == 0
    facts = told(capsys)["facts"]
    assert [(m["machine"], m["learned"]) for m in facts["machines"]] == [("both", 24)] and facts["run"] == "runs/one"


def test_rates_channels_and_fine_samples_are_taken_and_said(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    for i in range(6):
        both = np.stack([sound(rng, n=RATE), sound(rng, n=RATE)], axis=1)
        write(tmp_path / "fan" / f"{i}.wav", both, rate=48_000)
    assert asd("learn", "fan") == 0
    said = capsys.readouterr().err
    assert "48,000 Hz, brought to 16,000 Hz; what lies above 8,000 Hz is not heard (--sample-rate 48000 keeps" in said
    assert "recordings of up to 2 channels: the first is taken (another: --channel 1 to 1; the mean of all" in said
    header = artifacts.read_header(Path("runs/fan/features/logmel/fan.npz"), artifacts.FEATURES)
    how = {name: header.params[name] for name in ("channel", "sample_rate", "resample", "rounding")}
    assert how == {"channel": 0, "sample_rate": 16_000, "resample": True, "rounding": True}


def test_a_broken_recording_is_named_and_does_not_stop_the_rest(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = healthy(tmp_path / "fan", 10)
    (folder / "cut.wav").write_bytes((folder / "2024-10-01_0000.wav").read_bytes()[:1000])
    write(folder / "broken gear.wav", sound(np.random.default_rng(1)))
    assert asd("learn", "fan") == 3
    said = capsys.readouterr()
    assert "cut.wav" in said.err and "is truncated" in said.err
    assert "broken gear.wav" in said.err and "its name says an anomaly" in said.err
    assert said.out.startswith("fan: 10 recordings")


@pytest.mark.parametrize("n", [0, 1])
def test_without_recordings_nothing_is_learned(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path, n: int
) -> None:
    (tmp_path / "fan").mkdir()
    healthy(tmp_path / "fan", n)
    assert asd("learn", "fan") == 1
    said = capsys.readouterr().err
    assert ("is empty" if n == 0 else "one normal recording tells nothing of what is normal: fan") in said
    assert not Path("runs/fan/thresholds.parquet").exists()


def test_other_recordings_of_the_same_machine_need_force_or_a_run_of_their_own(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    healthy(tmp_path / "fan" / "May", 8)
    healthy(tmp_path / "fan" / "June", 8, seed=1)
    assert asd("learn", "fan/May", "-q") == 0
    assert asd("learn", "fan/May", "fan/June", "-q") == 2
    assert "learn into a run of its own: --run runs/NAME; or forget what it stood for: --force" in (
        capsys.readouterr().err
    )
    assert asd("learn", "fan/May", "fan/June", "--force", "--json", "-q") == 0
    assert told(capsys)["facts"]["machines"][0]["learned"] == 16


def test_what_a_network_of_one_class_or_an_autoencoder_would_be_is_refused(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    healthy(tmp_path / "fan", 4)
    assert asd("learn", "fan", "--embedder", "trained") == 2
    assert "nothing to tell apart in training" in capsys.readouterr().err
    assert asd("learn", "fan", "--method", "mse") == 2
    assert "asd learn trains none" in capsys.readouterr().err
    assert asd("learn", "fan", "--false-alarms", "1/month") == 2
    assert "--every 10min" in capsys.readouterr().err


def test_the_pack_says_how_loud_the_recordings_are(asd: Asd, tmp_path: Path) -> None:
    folder = healthy(tmp_path / "fan", 6)
    shutil.copy(folder / "2024-10-01_0000.wav", folder / "copy.wav")
    write(folder / "2024-10-04_dead.wav", np.zeros(RATE, np.int16))
    assert asd("learn", "fan", "-q") == 0
    header = artifacts.read_header(Path("runs/fan/features/logmel/fan.npz"), artifacts.FEATURES)
    found = Levels.read(header.diagnostics["levels"])
    assert found and -30 < found.lowest <= found.median <= found.highest < -20  # not the silent one


def test_levels_by_hand() -> None:
    square = np.tile(np.array([16384, -16384], np.int16), 50)
    assert Counts.of(square).level_db == pytest.approx(20 * np.log10(0.5))
    assert Counts.of(np.zeros(9, np.int16)).level_db == LOWEST_DB
    levels = Levels.of([-20.0, -18.0, -10.0])
    assert levels == Levels(-20.0, -18.0, -10.0) and Levels.read(levels.plain()) == levels
    assert (levels.outside(-32.0), levels.outside(-15.0), levels.outside(-4.0)) == (-12.0, 0.0, 6.0)
    assert Levels.of([]) is None and Levels.read({"lowest": 1}) is None
