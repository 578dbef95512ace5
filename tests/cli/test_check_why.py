"""Why in `asd check`: the clearest words of `asd explain`, of the most suspicious, apart from what the level says."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.helpers.typed import typed
from tests.known_faults.made_up import RATE, BandFault, PulseFault, machine, pcm, with_fault

Asd = Callable[..., int]
SECONDS = 2.0
WEEK = ("hiss.wav", "knock.wav", "loud.wav")


def write(path: Path, samples: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, subtype="PCM_16")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pump; this week it hissed, knocked, and was loud, and nothing was wrong at other times."""
    place = tmp_path_factory.mktemp("why")
    for i in range(20):
        write(place / f"pump 2/normal/2024-10-{1 + i // 5:02d}_{i:02d}.wav", pcm(machine(i, SECONDS)))
    hiss, knock = BandFault(1200, 1600, 1.0, 14), PulseFault(29, 3000, 6)
    write(place / "week/hiss.wav", pcm(with_fault(machine(51, SECONDS), hiss, 0)))
    write(place / "week/knock.wav", pcm(with_fault(machine(52, SECONDS), knock, 0)))
    write(place / "week/loud.wav", pcm(3 * machine(53, SECONDS)))
    for i in range(3):
        write(place / f"week/well {i}.wav", pcm(machine(70 + i, SECONDS)))
    return typed(place, ["learn", "pump 2", "--false-alarms", "1/10"])


@pytest.fixture
def here(learned: Path, tmp_path: Path, asd: Asd) -> Path:
    """A copy of it, the working folder, with the recordings where they were."""
    for name in ("data", "runs", "week"):
        shutil.copytree(learned / name, tmp_path / name, symlinks=True, dirs_exist_ok=True)
    return tmp_path


def rows(asd: Asd, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, Any]]:
    """What `asd check week --json` found of each recording."""
    capsys.readouterr()
    assert asd("check", "week", "--json", "-q", *words) == 0
    facts = json.loads(capsys.readouterr().out)["facts"]
    return {row["recording"]: row for row in facts["recordings"]}


def test_the_clearest_words_of_asd_explain_stand_beside_suspicious_ones_alone(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = rows(asd, capsys)
    assert {name for name, row in found.items() if row["heard"]} == {
        name for name, row in found.items() if row["verdict"] == "suspicious"
    }
    assert set(WEEK) <= {name for name, row in found.items() if row["heard"]}
    capsys.readouterr()
    assert asd("explain", *(f"week/{name}" for name in WEEK), "--json", "-q") == 0
    hiss, knock, _ = json.loads(capsys.readouterr().out)["facts"]["clips"]
    assert found["hiss.wav"]["heard"] == "; ".join(hiss["words"][:2]) and "at 1.2-1.6 kHz, from " in hiss["words"][0]
    assert found["knock.wav"]["heard"] == f"{knock['words'][0]}; pulses at {knock['pulses'][0]['rate_hz']:.0f} Hz"
    assert knock["pulses"][0]["rate_hz"] == pytest.approx(29, rel=0.03)


def test_what_the_level_says_stands_before_it_and_what_is_heard_also_alone(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("check", "week", "--csv", "week.csv") == 0
    said = capsys.readouterr().out
    with Path("week.csv").open(newline="") as file:
        found = {row["recording"]: row for row in csv.DictReader(file)}
    loud = found["loud.wav"]
    level, _, heard = loud["why"].partition("; ")
    assert "louder than anything learned" in level and heard == loud["heard"]
    assert "dB more at all frequencies, throughout" in heard
    assert found["hiss.wav"]["why"] == found["hiss.wav"]["heard"] and "dB more at 1.2-1.6 kHz" in said


def test_where_nothing_is_clear_that_is_said(asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asd("threshold", "--quantile", "0.05", "--run", "runs/pump-2", "--force", "-q") == 0
    found = rows(asd, capsys, "--why", "all")
    well = [row for name, row in found.items() if name not in WEEK]
    assert {row["verdict"] for row in well} == {"suspicious"}
    assert "nothing clear is found" in {row["heard"] for row in well}


@pytest.mark.parametrize(("asked", "told"), [("2", 2), ("none", 0), ("0", 0), ("all", 6)])
def test_it_is_told_of_as_many_as_were_asked_for_the_most_suspicious_first(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str], asked: str, told: int
) -> None:
    assert asd("threshold", "--quantile", "0.05", "--run", "runs/pump-2", "--force", "-q") == 0
    found = list(rows(asd, capsys, "--why", asked).values())
    assert [row["heard"] is not None for row in found] == [i < told for i in range(6)]
    assert asd("check", "week", "--why", asked) == 0
    said = "why is told of the 2 most suspicious of 6; of all: --why all"
    assert (said in capsys.readouterr().out) == (asked == "2")


def test_a_number_that_is_none_is_refused(asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asd("check", "week", "--why", "some") == 2
    assert "--why takes a number, all or none, not 'some'" in capsys.readouterr().err


def test_a_check_does_not_need_the_recordings_that_were_learned(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = here / "data/pump-2/audio"
    link.unlink()
    link.symlink_to(here / "gone")
    assert asd("check", "week", "--exit-code") == 4
    said = capsys.readouterr()
    assert said.err.count("why recordings are suspicious cannot be told: there is no recording") == 1
    assert "hiss.wav" in said.out and "kHz" not in said.out
