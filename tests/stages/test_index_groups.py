"""`asd index --group-by`: which training clips belong together, from the door to clips.parquet and back."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asdcli import artifacts
from asdcli.pipeline import indexing
from tests.helpers import loopback

Asd = Callable[..., int]


def wav(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(loopback.wav())


def groups(dataset: str) -> Counter[tuple[Any, ...]]:
    table, _ = artifacts.read_table(Path("data") / dataset / "clips.parquet", artifacts.CLIPS)
    return Counter((r["split"], r["group"], r["group_from"]) for r in table.to_pylist())


def test_one_line_says_how_many_groups_there_are_and_what_tells_them(
    asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    for week in (1, 2):
        for i in range(3):
            wav(Path(f"mine/fan/train/week {week}/{i}.wav"))
    wav(Path("mine/fan/test/week 3/0.wav"))
    for i in range(4):
        wav(Path(f"mine/pump/train/{i}.wav"))
    assert asd("index", "mine") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "belong together: fan by folder (2 groups of 3 clips), pump by block:2 (2 groups of 2 clips)" in said
    assert groups("mine") == {
        ("train", "week 1", "folder"): 3,
        ("train", "week 2", "folder"): 3,
        ("train", "block 1", "block:2"): 2,
        ("train", "block 2", "block:2"): 2,
        ("test", None, None): 1,
    }


def test_what_was_asked_for_is_said_when_the_table_is_made_again(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(6):
        wav(Path(f"mine/train/{i}.wav"))
    assert asd("index", "mine", "--group-by", "block:3") == 0
    assert groups("mine") == {("train", "block 1", "block:3"): 3, ("train", "block 2", "block:3"): 3}
    assert "--group-by block:3" in indexing.of_clips(Path("data/mine"))
    capsys.readouterr()
    assert asd("index", "mine", "--json") == 0
    (other,) = (w for w in json.loads(capsys.readouterr().out)["warnings"] if "other options" in w)
    assert other.endswith("group by block:3")


def test_one_group_alone_is_said(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    wav(Path("mine/train/0.wav"))
    wav(Path("mine/train/1.wav"))
    assert asd("index", "mine") == 0
    assert "all training clips of mine are one group" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("column", "options"), [("group", []), ("Shift", ["--group-by", "shift"])])
def test_a_manifest_says_it_in_a_column(asd: Asd, column: str, options: list[str]) -> None:
    cells = ["day", "day", "night", ""]
    for i in range(4):
        wav(Path(f"mine/{i}.wav"))
    lines = [f"path,split,{column}", *(f"{i}.wav,train,{cell}" for i, cell in enumerate(cells))]
    Path("list.csv").write_text("\n".join(lines) + "\n")
    assert asd("index", "mine", "--manifest", "list.csv", *options) == 0
    assert groups("mine") == {
        ("train", "day", "manifest"): 2,
        ("train", "night", "manifest"): 1,
        ("train", "none", "manifest"): 1,
    }


def test_a_grouping_that_nothing_is_known_of_leaves_nothing_behind(
    asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    wav(Path("mine/train/0.wav"))
    assert asd("index", "mine", "--group-by", "shift") == 2
    assert "there is no such column or attribute" in capsys.readouterr().err
    assert not Path("data/mine").exists()


def test_an_edition_keeps_the_grouping_that_was_typed_until_another_is(asd: Asd) -> None:
    with zipfile.ZipFile("dev_fan.zip", "w") as archive:
        for i in range(4):
            archive.writestr(f"fan/train/section_00_source_train_normal_{i:04d}_vel_{i // 2}.wav", loopback.wav())
    sum_ = hashlib.md5(Path("dev_fan.zip").read_bytes()).hexdigest()
    Path("md5sums.txt").write_text(f"{sum_}  dev_fan.zip\n")
    fetch = ("download", "dcase2023", "--from-dir", ".", "--machine-type", "fan", "--no-truth")
    by_speed = {("train", "vel_0", "attributes"): 2, ("train", "vel_1", "attributes"): 2}
    in_a_block = {("train", "00 source block 1", "block:4"): 4}
    assert asd(*fetch) == 0
    assert groups("dcase2023") == by_speed
    assert asd("index", "data/dcase2023", "--group-by", "block:4") == 0
    assert groups("dcase2023") == in_a_block
    assert asd(*fetch) == 0
    assert asd(*fetch, "--force") == 0
    assert groups("dcase2023") == in_a_block
    assert asd("index", "data/dcase2023") == 0
    assert groups("dcase2023") == by_speed
