"""`asd reference`: others join and leave as if all had been learned at once, and nothing that was learned is read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdcli import artifacts
from asdcli.pipeline import again
from tests.helpers.machines import healthy, sound, write
from tests.helpers.typed import copied, typed

Asd = Callable[..., int]
FILES = {
    "scores/nn.parquet": artifacts.SCORES,
    "detectors/nn.npz": artifacts.DETECTOR,
    "thresholds.parquet": artifacts.THRESHOLDS,
    "embeddings.parquet": artifacts.EMBEDDINGS,
    "features/logmel/fan.npz": artifacts.FEATURES,
}


def digests(run: Path) -> dict[str, str]:
    return {name: artifacts.read_header(run / name, kind).content for name, kind in FILES.items()}


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def levels(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = artifacts.read_header(run / "features/logmel/fan.npz", artifacts.FEATURES).diagnostics
    return found


def tree(place: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(place.rglob("*")) if p.is_file() and ".lock" not in p.name}


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a fan was learned, with this week's recordings beside it."""
    place = tmp_path_factory.mktemp("learned")
    healthy(place / "fan" / "October", 24)
    rng = np.random.default_rng(14)
    for i in range(8):
        write(place / "fan" / "week 47" / f"{i:02d}.wav", sound(rng))
    return typed(place, ["learn", "fan/October", "--run", "runs/fan"])


@pytest.fixture
def here(learned: Path, tmp_path: Path, asd: Asd) -> Path:
    """A copy of it, the working folder."""
    return copied(learned, tmp_path)


@pytest.mark.parametrize("name", ["2024-10-{day:02d}_{i:04d}", "{i:04d}"])
def test_what_joins_and_leaves_is_as_if_it_had_been_learned_so_and_nothing_is_read_again(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    rng = np.random.default_rng(0)
    files = [tmp_path / "fan" / f"{name.format(i=i, day=1 + i // 6)}.wav" for i in range(30)]
    for i, file in enumerate(files):
        write(file, sound(rng) // (4 if i == 25 else 1))
    first, second = files[:20], files[20:]
    assert asd("learn", *files, "--run", "runs/all", "-q") == 0
    assert asd("learn", *first, "--run", "runs/fan", "-q") == 0
    before, quiet = digests(Path("runs/fan")), levels(Path("runs/fan"))
    for file in first:
        file.write_bytes(b"nothing that could be read")
    capsys.readouterr()
    assert asd("reference", "add", *second) == 0
    said = capsys.readouterr()
    words = ("source", "target", "section", "domain", "split", "test-all", "clip", "machine type", "units")
    assert [word for word in words if word in said.out + said.err] == []
    said = said.out
    assert "10 recordings joined: " in said and "the threshold stands on 30 recordings now, 20 before; it is " in said
    assert digests(Path("runs/fan")) == digests(Path("runs/all"))
    assert levels(Path("runs/fan"))["levels"] == levels(Path("runs/all"))["levels"] != quiet["levels"]
    assert asd("reference", "remove", *(file.stem for file in second), "-q") == 0
    assert digests(Path("runs/fan")) == before and levels(Path("runs/fan")) == quiet
    assert asd("reference", "remove", first[0].stem, first[19].stem, "--json", "-q") == 0
    assert told(capsys)["facts"]["left"] == [first[0].stem, first[19].stem]
    assert "bank" in levels(Path("runs/fan"))
    assert digests(Path("runs/fan")) != before
    assert asd("reference", "add", first[0], first[19], "-q") == 0  # which cannot be read any more
    assert digests(Path("runs/fan")) == before


def test_another_folder_joins_under_its_name_and_leaves_the_groups_of_the_others(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert asd("reference", "list", "--json") == 0
    before = told(capsys)["facts"]["recordings"]
    assert asd("reference", "add", "runs/fan", "fan/week 47", "-q") == 0
    assert asd("reference", "list", "--json") == 0
    rows = told(capsys)["facts"]["recordings"]
    assert [(r["recording"], r["group"], r["how"]) for r in rows[:24]] == [
        (r["recording"], r["group"], "learned") for r in before
    ]
    later = rows[24:]
    assert [r["recording"] for r in later] == [f"week 47/{i:02d}" for i in range(8)]
    assert {r["group"].rpartition(" ")[0] for r in later} == {"week 47 block"}
    assert {(r["how"], len(r["since"]), r["scored_as"]) for r in later} == {("added", 10, "left-out group")}
    scores = artifacts.read_table(Path("runs/fan/scores/nn.parquet"), artifacts.SCORES)[0].to_pylist()
    limit = artifacts.read_table(Path("runs/fan/thresholds.parquet"), artifacts.THRESHOLDS)[0]["threshold"][0].as_py()
    by_id = {row["clip_id"]: row["anomaly_score"] for row in scores}
    assert by_id["audio_later/week 47/03"] / limit == later[3]["times"]
    assert asd("check", "fan/week 47/03.wav", "fan/October", "--json", "-q") == 0
    checked = {row["recording"]: row for row in told(capsys)["facts"]["recordings"]}
    own = checked["fan/week 47/03.wav"]
    assert own["nearest"] not in (None, "week 47/03") and own["score"] > 1e-4  # held against the others only
    assert asd("reference", "list") == 0
    assert "week 47/07" in capsys.readouterr().out
    assert asd("doctor", "--quiet") == 0


def test_learning_again_keeps_what_joined_and_what_left(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert asd("reference", "add", "fan/week 47", "-q") == 0
    assert asd("reference", "remove", "2024-10-01_0003", "-q") == 0
    made = digests(Path("runs/fan"))
    clips = artifacts.read_table(Path("data/fan/clips.parquet"), artifacts.CLIPS)[0]
    assert asd("learn", "fan/October", "--run", "runs/fan", "--json", "-q") == 0
    assert told(capsys)["facts"]["machines"][0]["learned"] == 31
    assert artifacts.read_table(Path("data/fan/clips.parquet"), artifacts.CLIPS)[0].equals(clips)
    assert digests(Path("runs/fan")) == made


def test_killed_amid_it_the_same_command_ends_where_it_would_have(
    asd: Asd, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree("runs/fan", "whole/runs"), shutil.copytree("data/fan", "whole/data", symlinks=True)
    assert asd("reference", "add", "fan/week 47", "-q") == 0
    expected = digests(Path("runs/fan"))
    for stage in ("extract_features", "score"):
        for name in ("runs", "data"):
            shutil.rmtree(f"{name}/fan")
            shutil.copytree(f"whole/{name}", f"{name}/fan", symlinks=True)

        def killed(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        calls = iter([getattr(again, stage).run, killed])
        with monkeypatch.context() as patched:
            patched.setattr(f"asdcli.pipeline.again.{stage}.run", lambda *a, calls=calls, **k: next(calls)(*a, **k))
            assert asd("reference", "add", "fan/week 47", "-q") == 130
        assert asd("reference", "add", "fan/week 47", "-q") == 0
        assert digests(Path("runs/fan")) == expected, stage


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["remove", "2024-10-09_0003"], 2, "'2024-10-09_0003' names no recording that others are compared with"),
        (["remove", "nowhere"], 2, "'nowhere' names no recording that others are compared with"),
        (["remove", "fan/week 47"], 2, "no recording of fan/week 47 is among those that others are compared with"),
        (
            ["remove", "fan/October"],
            1,
            "and none even less: fan (0 of 24 would be left)",
        ),
        (["add", "nowhere"], 1, "nowhere does not exist"),
        (["add", "fan/before failure"], 1, "although a name says, or may say, an anomaly"),
        (["add", "pump"], 1, "nearly all of 4 recordings lie beyond everything that was learned of fan"),
        (["add", "fan/week 47", "--machine", "pump"], 2, "the run knows no machine 'pump'"),
        (["add"], 2, "name the recordings"),
        (["list", "fan"], 2, "asd reference list takes no recordings"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_nothing_is_changed(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path, words: list[str], code: int, message: str
) -> None:
    rng = np.random.default_rng(3)
    write(here / "fan" / "before failure" / "3.wav", sound(rng))
    for i in range(4):
        write(here / "pump" / f"{i}.wav", sound(rng, hum=1800.0))
    before = tree(here / "data") | tree(here / "runs")
    assert asd("reference", *words) == code
    assert message in capsys.readouterr().err
    assert tree(here / "data") | tree(here / "runs") == before


def test_what_cannot_join_is_named_and_does_not_stop_the_rest(
    asd: Asd, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    week = here / "fan" / "week 47"
    shutil.copy(here / "fan" / "October" / "2024-10-01_0002.wav", week / "copy.wav")
    (week / "cut.wav").write_bytes((week / "00.wav").read_bytes()[:2000])
    write(week / "broken gear.wav", sound(np.random.default_rng(1)))
    write(week / "whine.wav", sound(np.random.default_rng(1), whine=0.3))
    (here / "fan" / "October" / "2024-10-01_0002.wav").unlink()
    assert asd("reference", "add", "fan/week 47") == 3
    said = capsys.readouterr()
    assert "9 recordings joined" in said.out
    assert "copy.wav (the same sound as 2024-10-01_0002, which is there already)" in said.err
    assert "cut.wav (is truncated" in said.err and "broken gear.wav (its name says an anomaly" in said.err
    assert "of 9 would be suspicious: fan/week 47/whine.wav" in said.err and "listen whether all was well" in said.err
    assert asd("reference", "add", "fan/week 47/00.wav", "--json") == 0
    facts = told(capsys)["facts"]
    assert (facts["here"], facts["joined"], facts["said"]) == (["week 47/00"], [], [])


def test_without_anything_learned_the_way_is_shown(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert asd("reference", "list") == 1
    assert "learn what is normal first: asd learn DIR" in capsys.readouterr().err
    healthy(tmp_path / "fan" / "train", 8)
    assert asd("index", "fan", "-q") == 0
    assert asd("reference", "add", "fan/train") == 1
    assert "dataset 'fan' was not learned by asd learn, so its folders say what it is compared with" in (
        capsys.readouterr().err
    )
