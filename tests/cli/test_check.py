"""`asd check`: the scores of `asd score` to the bit, verdicts in words, and nothing of what was learned is changed."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdcli import artifacts
from asdcli.metrics.conformal import p_values
from tests.helpers.machines import RATE, healthy, sound, write
from tests.helpers.typed import typed

Asd = Callable[..., int]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a fan was learned, and a fan and a pump in one run, with this week's recordings beside."""
    place = tmp_path_factory.mktemp("learned")
    healthy(place / "fan 3" / "October normal")
    healthy(place / "pump 2" / "October normal", 20, hum=1500.0, seed=1)
    rng = np.random.default_rng(14)
    for i in range(20):
        write(place / "fan 3" / "week 47" / f"{i:02d}.wav", sound(rng, whine=0.3 if i == 7 else 0.0))
    return typed(
        place,
        ["learn", "fan 3/October normal"],
        ["learn", "fan 3/October normal", "pump 2", "--embedder", "logmel", "--run", "runs/both"],
        ["learn", "fan 3/October normal"],  # the one last worked on
    )


@pytest.fixture
def here(learned: Path, tmp_path: Path, asd: Asd) -> Path:
    """A copy of it, the working folder."""
    for name in ("data", "runs", "fan 3", "pump 2"):
        shutil.copytree(learned / name, tmp_path / name, symlinks=True, dirs_exist_ok=True)
    for name in ("fan-3", "both"):
        link = tmp_path / "data" / name / "audio"
        target = tmp_path / link.readlink().relative_to(learned)
        link.unlink()
        link.symlink_to(target)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def tree(place: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(place.rglob("*")) if p.is_file()}


def test_scores_and_p_values_are_those_of_asd_score_to_the_bit(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    healthy(tmp_path / "fan" / "train", 30)
    rng = np.random.default_rng(3)
    for i in range(23):
        write(tmp_path / "fan" / "test" / f"{i:02d}.wav", sound(rng, whine=0.02 * i))
    lines = (
        "index fan --name fan",
        "extract-features --features logmel",
        "embed --embedder logmel",
        "score -m nn -m varmin:k=4,val=train-all -m mahalanobis:data=all",
        "threshold",
    )
    typed(tmp_path, *lines)
    for method in ("nn", "varmin:k=4,val=train-all", "mahalanobis:data=all"):
        capsys.readouterr()
        assert asd("check", "fan/test", "-m", method, "--json", "-q") == 0
        rows = told(capsys)["facts"]["recordings"]
        file = {"varmin:k=4,val=train-all": "varmin.k=4,val=train-all", "mahalanobis:data=all": "mahalanobis.data=all"}
        table, _ = artifacts.read_table(Path(f"runs/fan/scores/{file.get(method, method)}.parquet"), artifacts.SCORES)
        expected = {r["clip_id"]: r["anomaly_score"] for r in table.to_pylist()}
        assert len(rows) == 23
        assert [r["score"] for r in rows] == [expected[f"audio/test/{r['recording'][:-4]}"] for r in rows]
        normal = np.array([v for k, v in expected.items() if "/train/" in k])
        assert [r["p_value"] for r in rows] == p_values(normal, np.array([r["score"] for r in rows])).tolist()
    assert asd("check", "fan/test") == 2
    assert "several methods have thresholds" in capsys.readouterr().err


def test_the_faulty_one_stands_first_and_nothing_is_changed(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    before = tree(here)
    assert asd("check", "fan 3/week 47", "--no-history") == 0
    assert tree(here) == before
    without = capsys.readouterr()
    assert asd("check", "fan 3/week 47") == 0
    said = capsys.readouterr()
    first, *others = said.out.splitlines()[1:]
    assert first.startswith("07.wav") and " suspicious " in first and "2024-10-" in first
    assert sum(".wav" in line and " normal " in line for line in others) == 19
    assert "fan 3: 1 of 20 recordings is suspicious; of so many normal ones about 0.5 would be" in said.out
    assert "(1 in 41 is promised)" in said.out
    assert "20 recordings against what runs/fan-3 has learned of fan 3 (nn)" in said.err
    words = ("source", "target", "section", "domain", "split", "test-all", "clip")
    assert [word for word in words if word in said.out + said.err] == []
    assert said.out == without.out
    kept = str(here / "runs" / "fan-3" / "history.db")
    assert {name: found for name, found in tree(here).items() if name != kept} == before
    assert asd("check", "fan 3/week 47", "--exit-code") == 4
    Path("fan 3/week 47/07.wav").unlink()
    capsys.readouterr()
    assert asd("check", "fan 3/week 47", "--exit-code") == 0
    assert "fan 3: nothing suspicious, 19 recordings sound like those that were learned" in capsys.readouterr().out


def test_every_figure_is_in_the_table_and_the_csv(asd: Asd, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert asd("check", "fan 3/week 47", "--csv", "week.csv", "--json", "-q") == 0
    found = told(capsys)
    rows = found["facts"]["recordings"]
    with Path("week.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [r["recording"] for r in written] == [r["recording"] for r in rows]
    assert [float(r["times"]) for r in written] == [r["score"] / r["threshold"] for r in rows]
    assert [r["times"] for r in rows] == sorted((r["times"] for r in rows), reverse=True)
    scores, _ = artifacts.read_table(Path("runs/fan-3/scores/nn.parquet"), artifacts.SCORES)
    values = scores["anomaly_score"].to_numpy()
    assert rows[0]["p_value"] == 1 / 41 and rows[0]["p_value_group"] == 1 / 5
    assert [r["p_value"] for r in rows] == p_values(values, np.array([r["score"] for r in rows])).tolist()
    assert (found["outputs"][0]["kind"], found["facts"]["suspicious"]) == ("checks", 1)
    Path("week.csv").write_text("mine\n")
    assert asd("check", "fan 3/week 47", "--csv", "week.csv") == 1
    assert "week.csv is there already" in capsys.readouterr().err


def test_recordings_that_say_nothing_are_named_and_do_not_stop_the_rest(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    rng = np.random.default_rng(4)
    odd = here / "odd"
    write(odd / "fine.wav", sound(rng))
    write(odd / "quiet.wav", (sound(rng) * 0.25).astype(np.int16))
    write(odd / "loud.wav", sound(rng) * 4)
    write(odd / "dead.wav", np.zeros(RATE, np.int16))
    write(odd / "fast.wav", sound(rng, n=RATE), rate=48_000)
    write(odd / "stereo.wav", np.stack([sound(rng)] * 2, axis=1))
    (odd / "cut.wav").write_bytes((odd / "fine.wav").read_bytes()[:500])
    assert asd("check", "odd", "--json", "-q") == 3
    found = told(capsys)
    rows = {r["recording"]: r for r in found["facts"]["recordings"]}
    verdicts = {name: r["verdict"] for name, r in rows.items()}
    assert verdicts == {
        "fine.wav": "normal",
        "loud.wav": "suspicious",
        **dict.fromkeys(("quiet.wav", "dead.wav"), "not judged"),
        **dict.fromkeys(("fast.wav", "stereo.wav", "cut.wav"), "unusable"),
    }
    assert "12 dB quieter than anything learned: the gain, the microphone" in rows["quiet.wav"]["why"]
    assert "12 dB louder than anything learned" in rows["loud.wav"]["why"]
    assert rows["dead.wav"]["why"].startswith("is silent: every sample is 0: the microphone is dead")
    assert "expected 16000 Hz: --resample converts it" in rows["fast.wav"]["why"]
    assert "has 2 channels: choose: --channel" in rows["stereo.wav"]["why"]
    assert any("cut.wav: is truncated" in line for line in found["warnings"])
    assert asd("check", "odd/fast.wav", "--resample", "-q") == 0
    assert asd("check", "odd/stereo.wav", "--channel", "1", "--json", "-q") == 0
    assert {r["verdict"] for r in told(capsys)["facts"]["recordings"]} <= {"normal", "suspicious"}


def test_another_machines_folder_is_told_as_such(asd: Asd, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert asd("check", "pump 2") == 0
    assert "this does not sound like that machine: another one, another place" in capsys.readouterr().out
    assert asd("check", "pump 2", "--run", "runs/both", "--machine", "fan 3") == 0
    said = capsys.readouterr().out
    assert "this does not sound like that machine, but like pump 2: --machine 'pump 2' says so" in said


def test_the_machine_is_the_one_that_a_folder_is_called(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert asd("check", "fan 3/week 47", "pump 2", "--run", "runs/both", "--json", "-q") == 0
    rows = told(capsys)["facts"]["recordings"]
    assert {(r["recording"].split("/")[0], r["machine"]) for r in rows} == {("fan 3", "fan 3"), ("pump 2", "pump 2")}
    shutil.copytree("fan 3/week 47", "other")
    assert asd("check", "other", "--run", "runs/both") == 2
    assert "The run knows fan 3, pump 2" in capsys.readouterr().err
    assert asd("check", "other", "--machine", "fan 4") == 2
    assert "did you mean 'fan 3'" in capsys.readouterr().err


def test_a_learned_recording_is_held_against_the_others_only(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert asd("check", "fan 3/October normal/2024-10-01_0000.wav", "--json", "-q") == 0
    (row,) = told(capsys)["facts"]["recordings"]
    assert row["score"] > 0 and row["nearest"] != "2024-10-01_0000"
    shutil.copy("fan 3/October normal/2024-10-01_0000.wav", "copy.wav")
    assert asd("check", "copy.wav", "--json", "-q") == 0
    (row,) = told(capsys)["facts"]["recordings"]
    assert (row["score"], row["nearest"]) == (0.0, "2024-10-01_0000")


def test_without_anything_learned_or_to_check_the_way_is_shown(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    (here / "empty").mkdir()
    assert asd("check", "empty") == 1
    assert "there is no recording in empty" in capsys.readouterr().err
    shutil.rmtree(here / "runs")
    assert asd("check", "fan 3/week 47") == 1
    assert "asd learn DIR" in capsys.readouterr().err
    shutil.rmtree(here / "data")
    assert asd("check", "fan 3/week 47") == 1
    assert "asd learn DIR" in capsys.readouterr().err


def test_features_that_do_not_say_how_loud_they_are_are_told_of(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    pack = Path("runs/fan-3/features/logmel/fan 3.npz")
    arrays, header = artifacts.read_arrays(pack, artifacts.FEATURES)
    artifacts.write_arrays(pack, arrays, replace(header, diagnostics={}))  # as those of earlier versions
    write(Path("quiet.wav"), (sound(np.random.default_rng(4)) * 0.25).astype(np.int16))
    assert asd("check", "quiet.wav") == 0
    said = capsys.readouterr()
    assert "how loud the learned recordings of fan 3 are is not known" in said.err and "suspicious" in said.out


def test_what_was_learned_anew_since_or_damaged_is_refused(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    write(here / "fan 3" / "October normal" / "2024-10-04_9999.wav", sound(np.random.default_rng(8)))
    assert asd("index", "fan 3/October normal", "--name", "fan-3", "--machine", "fan 3", "-q") == 0
    assert asd("check", "fan 3/week 47") == 1
    assert "has changed since the detector was made" in capsys.readouterr().err
    Path("runs/fan-3/detectors/nn.npz").write_bytes(b"PK")
    assert asd("check", "fan 3/week 47") == 1
    assert "asd score" in capsys.readouterr().err
