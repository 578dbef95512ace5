"""`asd confirm`: an answer moves thresholds and p-values, keeps faults apart, and is held against what was promised."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from asdcli import artifacts
from asdcli.cli import call
from asdcli.history.answers import confirmed
from asdcli.metrics.conformal import p_values
from tests.helpers.machines import healthy, sound, write
from tests.helpers.typed import copied, typed

Asd = Callable[..., int]
CLIPS, RUN = Path("data/fan/clips.parquet"), Path("runs/fan")
FILES = ("scores/nn.parquet", "detectors/nn.npz", "thresholds.parquet")


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def checked(asd: Asd, capsys: pytest.CaptureFixture[str], *places: str) -> dict[str, dict[str, Any]]:
    capsys.readouterr()
    assert asd("check", *places, "--why", "0", "--json", "-q") == 0
    return {row["recording"]: row for row in told(capsys)["facts"]["recordings"]}


def digests() -> dict[str, str]:
    return {name: artifacts.read_header(RUN / name, artifacts.ANY).content for name in FILES}


def row_of(name: str) -> dict[str, Any] | None:
    table, _ = artifacts.read_table(CLIPS, artifacts.CLIPS)
    return next((row for row in table.to_pylist() if row["clip_id"] == f"audio_later/{name}"), None)


@pytest.fixture(scope="module")
def checked_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a fan was learned and this week's recordings were checked: 03 is an alarm, 07 and 09 faults."""
    place = tmp_path_factory.mktemp("checked")
    healthy(place / "fan" / "October", 40)
    rng = np.random.default_rng(5)
    for i in range(12):
        whine = {3: 0.03, 7: 0.3, 9: 0.3}.get(i, 0.0)
        write(place / "fan" / "2024-11-03" / f"{i:02d}.wav", sound(rng, whine=whine))
    return typed(place, ["learn", "fan/October", "--run", "runs/fan"], ["check", "fan/2024-11-03", "--why", "0"])


def _checked_again(checked_once: Path, place: Path) -> Path:
    """A copy of it where the same was checked again: it is known by the digest of its bytes."""
    return typed(copied(checked_once, place), ["check", "fan/2024-11-03", "--why", "0"])


@pytest.fixture
def here(checked_once: Path, tmp_path: Path) -> Path:
    """A copy that is a test's own, the working folder."""
    return _checked_again(checked_once, tmp_path)


@pytest.fixture(scope="module")
def unchanged(checked_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that nothing is written to; a recording of a dead microphone and one that is gone were checked besides."""
    place = _checked_again(checked_once, tmp_path_factory.mktemp("unchanged"))
    write(place / "fan" / "more" / "dead.wav", np.zeros(4000, np.int16))
    write(place / "fan" / "more" / "gone.wav", sound(np.random.default_rng(0)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert call(["check", "fan/more", "fan/October/2024-10-01_0003.wav", "--why", "0", "-q"]) in (0, 3)
    (place / "fan" / "more" / "gone.wav").unlink()
    return place


def test_a_normal_one_counts_for_p_values_and_thresholds_and_others_are_not_compared_with_it(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    before, made = checked(asd, capsys, "fan/2024-11-03"), digests()
    assert before["03.wav"]["verdict"] == "suspicious"
    assert asd("confirm", "03.wav", "normal") == 0
    said = capsys.readouterr()
    assert "1 recording is now called normal: 03.wav" in said.out
    assert "fan: the threshold stands on 41 recordings now, 40 before; it is " in said.out
    after = checked(asd, capsys, "fan/2024-11-03")
    scores = artifacts.read_table(RUN / "scores/nn.parquet", artifacts.SCORES)[0].to_pylist()
    (own,) = [row for row in scores if row["clip_id"] == "audio_later/2024-11-03/03"]
    assert (own["split"], own["scored_as"]) == ("answered", "confirmed")
    assert own["anomaly_score"] == pytest.approx(before["03.wav"]["score"])  # other company: other rounding
    for name, row in after.items():
        assert (row["score"], row["nearest"]) == (before[name]["score"], before[name]["nearest"])
    normals = np.array([row["anomaly_score"] for row in scores])
    values = np.array([row["score"] for row in after.values()])
    assert [row["p_value"] for row in after.values()] == p_values(normals, values).tolist() and len(normals) == 41
    limits = artifacts.read_table(RUN / "thresholds.parquet", artifacts.THRESHOLDS)[0]
    assert limits["threshold"].to_pylist() == [own["anomaly_score"]] == [normals.max()]
    assert after["03.wav"]["verdict"] == "normal"
    assert row_of("2024-11-03/03") is not None and asd("doctor", "--quiet") == 0
    assert asd("learn", "fan/October", "--run", "runs/fan", "-q") == 0  # learned anew, the answer counts
    assert digests()["thresholds.parquet"] != made["thresholds.parquet"]
    assert checked(asd, capsys, "fan/2024-11-03") == after
    assert asd("confirm", "none", "03.wav", "-q") == 0
    assert digests() == made and row_of("2024-11-03/03") is None


def test_others_are_compared_with_a_normal_one_where_that_is_asked_for(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    made = digests()
    assert asd("confirm", "00.wav", "normal", "--reference", "-q") == 0
    assert asd("reference", "list", "--json") == 0
    (row,) = [row for row in told(capsys)["facts"]["recordings"] if row["how"] == "confirmed"]
    assert row["recording"] == "2024-11-03/00" and row["scored_as"] == "left-out group"
    assert asd("reference", "remove", "2024-11-03/00", "-q") == 0
    found = row_of("2024-11-03/00")
    assert found is not None and (found["split"], found["condition"]) == ("answered", "normal")  # it stays said
    assert asd("reference", "add", "fan/2024-11-03/00.wav", "-q") == 0
    found = row_of("2024-11-03/00")
    assert found is not None and (found["split"], found["condition_from"]) == ("train", "operator")
    assert asd("confirm", "00.wav", "none", "-q") == 0
    assert digests() == made


def test_an_answer_that_is_refused_is_none(asd: Asd, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert asd("confirm", "00.wav", "normal", "--reference", "-q") == 0
    learned = sorted(path.stem for path in Path("fan/October").iterdir())
    assert asd("reference", "remove", *learned[1:], "-q") == 0
    before = confirmed(here / RUN / "history.db")
    assert asd("confirm", "00.wav", "fault") == 1
    assert "fan (1 of 2 would be left)" in capsys.readouterr().err
    assert confirmed(here / RUN / "history.db") == before


def test_a_fault_is_known_and_never_compared_with(asd: Asd, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    made = digests()
    assert asd("confirm", "07.wav", "fault") == 0
    assert "07.wav" in capsys.readouterr().out
    assert digests()["thresholds.parquet"] == made["thresholds.parquet"]
    after = checked(asd, capsys, "fan/2024-11-03")
    assert {name for name, row in after.items() if row["fault"]} == {"07.wav", "09.wav"}
    assert after["09.wav"]["fault"] == "2024-11-03, 07.wav"
    assert after["09.wav"]["why"].startswith("sounds like the fault of 2024-11-03, 07.wav")
    assert asd("reference", "add", "fan/2024-11-03/07.wav", "fan/2024-11-03/09.wav", "fan/2024-11-03/00.wav") == 3
    said = capsys.readouterr()
    assert "07.wav (an operator called it a fault, and no fault is ever compared with)" in said.err
    assert "09.wav (it sounds like the fault of 2024-11-03, 07.wav; --force lets it join)" in said.err
    assert "1 recording joined: 2024-11-03/00" in said.out
    shutil.copy("fan/2024-11-03/07.wav", "fan/copy.wav")
    assert asd("reference", "add", "fan/copy.wav", "--force") == 3
    assert "the same sound as 2024-11-03/07, which is there already: an operator called it a fault" in (
        capsys.readouterr().err
    )
    assert asd("confirm", "00.wav", "fault", "-q") == 0  # which leaves what others are compared with
    found = row_of("2024-11-03/00")
    assert found is not None and (found["split"], found["condition"]) == ("answered", "anomaly")
    assert asd("confirm", "07.wav", "00.wav", "none", "-q") == 0
    assert digests() == made


def test_the_promise_is_held_against_the_answers(asd: Asd, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert asd("history") == 0
    assert "promised" not in capsys.readouterr().out  # nothing was said yet
    assert asd("confirm", "07.wav", "fault", "-q") == 0
    assert asd("confirm", "03.wav", "00.wav", "01.wav", "normal", "--note", "all well", "--json", "-q") == 0
    (found,) = told(capsys)["facts"]["promises"]
    numbers = ("called_normal", "alarms", "no_alarm", "faults", "missed", "waiting")
    assert [found[name] for name in numbers] == [3, 1, 7, 1, 0, 1]
    low, high = beta.ppf(0.025, 1, 10), beta.ppf(0.975, 2, 9)  # Clopper and Pearson, of 1 in 10
    assert found["interval"] == pytest.approx([low, high]) and found["share"] == 0.1
    line = (
        "fan: 2.3 % of false alarms was promised; of 10 recordings that you called normal, or that were no alarm (7), "
        f"1 was an alarm: 10 % ({100 * low:.2g} to {100 * high:.2g} %); 1 alarm still without an answer; of 1 fault 0 "
        "raised none"
    )
    assert found["said"] == line
    assert asd("history") == 0 and line in capsys.readouterr().out
    assert asd("check", "fan/2024-11-03", "fan/October", "--why", "0") == 0  # of later, of learned
    assert line in capsys.readouterr().out
    assert asd("confirm", "00.wav", "01.wav", "none", "-q") == 0
    assert asd("confirm", "09.wav", "normal") == 0
    assert (
        "all 2 that were called normal were alarms, so the threshold rises further than it" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["03.wav"], 2, "say which recordings, and what they are: normal, fault or none"),
        (["normal"], 2, "say which recordings, and what they are: normal, fault or none"),
        (["99.wav", "normal"], 2, "no checked recording is called '99.wav'"),
        (["fan/October", "normal"], 2, "38 of 40 recordings in fan/October never went through asd check: "),
        (["03.wav", "fault", "--reference"], 2, "--reference is for what is normal"),
        (["dead.wav", "normal"], 1, "dead.wav says nothing of what is normal"),
        (["gone.wav", "fault"], 1, "gone.wav is not there any more"),
        (["2024-10-01_0003.wav", "fault"], 2, "no fault may be compared with"),
        (["2024-10-01_0003.wav", "normal"], 2, "was learned as normal"),
    ],
)
def test_what_cannot_be_said_is_refused_in_words_and_nothing_is_changed(
    asd: Asd,
    capsys: pytest.CaptureFixture[str],
    unchanged: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(unchanged)
    made, clips = digests(), CLIPS.read_bytes()
    assert asd("confirm", *words) == code
    assert message in capsys.readouterr().err
    assert digests() == made and CLIPS.read_bytes() == clips
