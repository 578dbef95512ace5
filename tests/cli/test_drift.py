"""`asd drift`: a machine that changes is told of, with the day and the band; one that does not is left in peace."""

from __future__ import annotations

import datetime
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from asdcli.history.answers import Confirmed, confirm
from asdcli.history.checks import kept
from tests.helpers.machines import RATE, healthy, sound, write
from tests.helpers.typed import typed

Asd = Callable[..., int]
DB = Path("runs/fan-3/history.db")
CHANGED = "2024-11-09 06:00"
"""When the first recording was made in which there is more at 2 to 3 kHz."""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a fan was learned, and 80 later recordings were checked, three a day."""
    place = tmp_path_factory.mktemp("checked")
    healthy(place / "fan 3" / "October normal", 60, days=6)
    rng, hz = np.random.default_rng(5), np.fft.rfftfreq(RATE // 4, 1 / RATE)
    for i in range(80):
        made = datetime.datetime(2024, 10, 20, 6) + datetime.timedelta(hours=12 * i)
        samples = sound(rng)
        if i >= 40:
            hiss = np.fft.rfft(rng.normal(size=len(samples))) * ((hz > 2000) & (hz < 3000))
            samples = samples + (800 * np.fft.irfft(hiss)).astype(np.int16)
        write(place / "later" / f"{made:%Y-%m-%d_%H-%M-%S}.wav", samples)
    return typed(place, ["learn", "fan 3/October normal"], ["check", "later"])


@pytest.fixture
def here(checked: Path, tmp_path: Path, asd: Asd) -> Path:
    """A copy of its run, the working folder; recordings lie where they lay."""
    for name in ("data", "runs"):
        shutil.copytree(checked / name, tmp_path / name, symlinks=True)
    return tmp_path


def change(statement: str) -> None:
    with closing(sqlite3.connect(DB)) as connection, connection:
        connection.execute(statement)


def drift(asd: Asd, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert asd("drift", *words, "--json", "-q") == 0
    (found,) = json.loads(capsys.readouterr().out)["facts"]["machines"]
    return dict(found)


def test_a_change_is_told_with_its_day_its_band_and_no_reason(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert asd("drift") == 0
    said = capsys.readouterr().out.splitlines()
    assert (
        said[0] == "fan 3: 80 checked recordings from 2024-10-20 06:00 to 2024-11-28 18:00, beside 60 that were learned"
    )
    assert said[1].startswith("  p-values of the last 40 recordings are smaller than chance allows (median 0.0")
    assert "times its stake, and reached 100 times on 2024-11-1" in said[2] and "1 machine in 100" in said[2]
    assert said[3].startswith(f"  the level at 2-3 kHz is 3 dB higher since {CHANGED}, in ")
    assert "what is seen, not why" in said[-1] and " beside 2024-10-0" in said[-1]
    assert [word for word in ("clip", "source", "domain", "anomal") if word in "".join(said)] == []
    found = drift(asd, capsys)
    assert found["changed"] and found["ks_p"] < 1e-6 and found["words"] == [line.strip() for line in said]
    began = datetime.datetime.fromisoformat(found["begun"])
    assert abs(began - datetime.datetime.fromisoformat(CHANGED)) < datetime.timedelta(days=4)
    (band,) = found["bands"]
    assert 1800 < band["low_hz"] < 2200 and 2800 < band["high_hz"] < 3200 and band["spreads"] > 2
    recent = drift(asd, capsys, "--since", "2024-11-26", "--machine", "fan 3")
    none = drift(asd, capsys, "--since", "2030-01-01")
    assert none["words"][1] == "no recording is as recent as that" and len(none["words"]) == 4
    assert recent["recent"] == recent["heard"] == 6 and recent["bands"][0]["since"] == CHANGED


def test_a_machine_that_does_not_change_is_left_in_peace(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    change(f"DELETE FROM checks WHERE time >= '{CHANGED.replace(' ', 'T')}'")
    found = drift(asd, capsys)
    assert not found["changed"] and found["recordings"] == found["heard"] == 40
    assert "are no smaller than those of learned ones" in found["words"][1] and found["ks_p"] > 0.01
    assert "less than the 100 times that chance alone reaches" in found["words"][2]
    assert found["words"][3].startswith("no frequency has moved: 40 recordings together") and len(found["words"]) == 4


def test_what_was_confirmed_as_normal_is_a_checked_recording_still_and_no_learned_one(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    before = drift(asd, capsys)
    assert asd("confirm", "2024-10-21_18-00-00.wav", "normal") == 0
    assert "stands on 61 recordings now" in capsys.readouterr().out
    assert drift(asd, capsys) == before and before["learned"] == 60


def test_faults_that_were_confirmed_take_no_part_nor_what_was_judged_otherwise(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    later = [one for one in kept(DB) if one.order[0] >= CHANGED.replace(" ", "T")]
    confirm(DB, [Confirmed(one.digest, "fault", "2024-12-01T00:00:00.000000Z") for one in later])
    change("UPDATE checks SET detector = 'another', checked = '2024-10-22' WHERE time < '2024-10-22'")
    change("UPDATE checks SET verdict = 'not judged' WHERE time LIKE '2024-10-23%'")
    found = drift(asd, capsys)
    told = {"confirmed as faults": 40, "judged by what was learned before": 4, "not judged": 2}
    assert not found["changed"] and found["recordings"] == 34 and found["left_out"] == told
    assert "4 judged by what was learned before" in found["words"][0]
    confirm(DB, [Confirmed(one.digest, "normal", "2024-12-02T00:00:00.000000Z") for one in later])
    assert drift(asd, capsys)["changed"]


def test_too_few_recordings_are_told_how_many_it_takes(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    change("DELETE FROM checks WHERE time >= '2024-10-23'")
    found = drift(asd, capsys)
    assert (found["recordings"], found["needed"], found["changed"], found["heard"]) == (6, 9, False, 0)
    assert found["words"][1].startswith("too few to see a change: it takes 9 at least")
    change("UPDATE checks SET machine = 'pump 2', p_value = NULL WHERE time LIKE '2024-10-22%'")
    assert asd("drift", "-q") == 0
    assert "pump 2: no checked recording has a p-value" in capsys.readouterr().err
    change("UPDATE checks SET p_value = NULL")
    assert asd("drift") == 1
    assert "not one checked recording has a p-value" in capsys.readouterr().err


def test_where_recordings_are_gone_or_are_others_now_no_band_is_told(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path, checked: Path
) -> None:
    change("UPDATE checks SET path = path || '.gone' WHERE time < '2024-11-20'")
    other = here / "other.wav"  # written since, in their place
    shutil.copyfile(next((checked / "fan 3" / "October normal").iterdir()), other)
    change(f"UPDATE checks SET path = '{other}' WHERE time >= '2024-11-20'")
    found = drift(asd, capsys)
    assert found["heard"] == 0 and found["bands"] == [] and found["crossed"] and found["changed"]
    assert "the sound of none of them is there any more" in found["words"][3]


def test_it_is_drawn_the_same_each_time(asd: Asd, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    pytest.importorskip("matplotlib")
    assert asd("drift", "--plot", "a.svg") == 0
    assert asd("plot", "drift", "-o", "b.svg", "--numbers", "n.parquet") == 0
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()
    svg = Path("a.svg").read_text()
    assert "what the bet has won" in svg and "|machine:fan 3|method:nn|" in svg
    rows = pq.read_table("n.parquet").to_pylist()
    found = drift(asd, capsys)
    assert [row["p_value"] for row in rows] == [one.p_value for one in sorted(kept(DB), key=lambda one: one.order)]
    assert max(row["log10_capital"] for row in rows) == pytest.approx(np.log10(found["highest"]))
    assert [row["made"][:16].replace("T", " ") for row in rows if row["crossed"]] == [found["crossed"]]
    assert asd("drift", "--plot", "a.bmp") == 2
    Path("mine.svg").write_text("mine")
    assert asd("drift", "--plot", "mine.svg") == 1
    assert "mine.svg is there already" in capsys.readouterr().err and Path("mine.svg").read_text() == "mine"


def test_what_there_is_none_of_is_refused(asd: Asd, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert asd("drift", "--machine", "fan 4") == 2
    assert "did you mean 'fan 3'" in capsys.readouterr().err
    assert asd("drift", "--since", "last week") == 2
    assert "'last week' is no point of time" in capsys.readouterr().err
    DB.unlink()
    for line in (["drift"], ["plot", "drift"]):
        assert asd(*line) == 1
        assert "nothing was checked there" in capsys.readouterr().err
