"""An edition is one TOML: one that is in no package goes from its archives to a package for its challenge."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asdcli import artifacts, catalogue
from asdcli.errors import BadData
from asdcli.metrics.specs import SPECS
from tests.helpers.loopback import Loopback, machine_zip, wav, zipped

PACKAGE = Path(catalogue.__file__).parents[1]
YEAR = re.compile(r"(?<!\\u)(?<![\d.])20[23]\d(?!\d)")  # not "\u2028"
NEWCOMER = """
year = 2032
title = "A challenge of the future"
grammar = "2022"
metric = "{metric}"
licence = "none"
channels = ["wall", "shaft"]
default_channel = "shaft"

[dev]
machine_types = ["kiln", "loom"]

[eval]
machine_types = ["crane"]
clips = {{ test = 4 }}

[submission]
section = "id"

[[records]]
part = "development"
subset = "dev"
splits = ["train", "test"]
record = "1"
file = "{{machine_type}}.zip"

[[records]]
part = "evaluation"
subset = "eval"
splits = ["train", "test"]
record = "2"
file = "{{machine_type}}.zip"

[[truth]]
gives = "condition"
format = "flags"
url = "https://example.org/truth/{{machine_type}}_{{section}}.csv"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of editions, with dcase2032 in it."""
    place = tmp_path / "editions"
    place.mkdir()
    (place / "dcase2032.toml").write_text(NEWCOMER.format(metric="dcase2021"))
    monkeypatch.setenv(catalogue.VARIABLE, str(place))
    return place


@pytest.fixture
def server() -> Iterator[Loopback]:
    """What a record and an organiser's repository would serve of it: clips of two channels."""
    hidden = {f"crane/test/section_00_{i:04d}.wav": wav(0.2, seed=i, channels=2) for i in range(4)}
    known = {
        f"crane/train/section_00_source_train_normal_{i:04d}_vel_1.wav": wav(0.2, seed=i, channels=2) for i in range(3)
    }
    truth = "".join(f"section_00_{i:04d}.wav,{i % 2}\n" for i in range(4)).encode()
    with Loopback(
        {
            **{f"/records/1/files/{m}.zip": machine_zip(m, seconds=0.2, channels=2) for m in ("kiln", "loom")},
            "/records/2/files/crane.zip": zipped(hidden | known),
            "/truth/crane_00.csv": truth,
        }
    ) as running:
        yield running


def test_an_edition_of_ones_own_goes_from_its_archives_to_a_package_for_its_challenge(
    asd: Callable[..., int], tmp_path: Path, folder: Path, server: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    web = ("--base-url", server.url, "--truth-url", server.url)
    assert asd("download", "dcase2032", "--subset", "dev", "--subset", "eval", *web) == 0
    clips, header = artifacts.read_table(tmp_path / "data/dcase2032/clips.parquet", artifacts.CLIPS)
    assert header.params["edition"] == "dcase2032"
    of_crane = [r for r in clips.to_pylist() if r["machine_type"] == "crane" and r["split"] == "test"]
    assert [r["condition"] for r in of_crane] == ["normal", "anomaly"] * 2
    assert asd("extract-features", "--features", "logmel") == 0
    assert "wall, shaft: shaft" in capsys.readouterr().err
    assert asd("embed", "--embedder", "logmel") == 0
    assert asd("score", "--method", "nn") == 0
    capsys.readouterr()
    assert asd("evaluate", "--json") == 0
    results = {r["subset"]: r for r in json.loads(capsys.readouterr().out)["facts"]["results"]}
    assert results["dev"]["metric"] == "dcase2021"
    assert set(results["dev"]["machine_types"]) == {"kiln", "loom"}
    assert asd("threshold", "--rule", "quantile", "-q") == 0
    capsys.readouterr()
    assert asd("submit", "--label", "Doe_Lab") == 3
    wrong = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: Doe_Lab")]
    assert len(wrong) == 1 and "meta.yaml: not filled in" in wrong[0]  # nothing else is missing or odd
    package = tmp_path / "runs/dcase2032/submission/task2/Doe_Lab_task2_1"
    assert {p.name for p in package.glob("*.csv")} == {
        "anomaly_score_crane_id_00_test.csv",
        "decision_result_crane_id_00_test.csv",
    }
    capsys.readouterr()
    assert asd("submit", "--check", package) == 1
    assert [line.partition(": ")[2][:13] for line in capsys.readouterr().out.splitlines()][:-1] == ["not filled in"]
    assert asd("datasets", "dcase2032") == 0
    assert "A challenge of the future" in capsys.readouterr().out


def test_results_of_an_edition_that_is_no_longer_known_are_not_guessed(
    asd: Callable[..., int], folder: Path, server: Loopback, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = ("--base-url", server.url, "--truth-url", server.url)
    assert asd("download", "dcase2032", *web) == 0
    monkeypatch.delenv(catalogue.VARIABLE)
    assert asd("extract-features", "--features", "logmel") == 2
    said = capsys.readouterr().err
    assert "unknown edition 'dcase2032'" in said and catalogue.VARIABLE in said


def test_a_rule_that_nobody_knows_is_refused_before_anything_is_fetched(
    asd: Callable[..., int], folder: Path, server: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "odd.toml").write_text(NEWCOMER.format(metric="dcase2012"))
    assert asd("download", "odd", "--base-url", server.url) == 2
    assert "unknown metric 'dcase2012'" in capsys.readouterr().err
    assert server.seen == []


@pytest.mark.parametrize("name", catalogue.names())
def test_every_edition_of_the_package_names_a_rule_that_exists(name: str) -> None:
    assert catalogue.load(name).metric in SPECS


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ('grammar = "2022"', "grammar: Value error, '1822' is no grammar of file names"),
        ('default_channel = "shaft"', "'roof' is none of its channels"),
        ('file = "{machine_type}.zip"', "records.0.file: Value error, '{machine}.zip' holds something other"),
        ("title =", "title: Field required; titel: Extra inputs are not permitted"),
        ("year = 2032", "not allowed twice|Cannot overwrite a value"),
        ('section = "id"', "submission.section: Input should be 'section' or 'id'"),
        ("licence =", "name: its file is called dcase2032"),
    ],
)
def test_a_mistake_in_a_toml_is_named_with_its_place(folder: Path, wrong: str, named: str) -> None:
    right = {
        'grammar = "2022"': 'grammar = "1822"',
        'default_channel = "shaft"': 'default_channel = "roof"',
        'file = "{machine_type}.zip"': 'file = "{machine}.zip"',
        "title =": "titel =",
        "year = 2032": "year = 2032\nyear = 2033",
        'section = "id"': 'section = "part"',
        "licence =": 'name = "other"\nlicence =',
    }
    file = folder / "dcase2032.toml"
    text = file.read_text()
    assert wrong in text
    file.write_text(text.replace(wrong, right[wrong], 1))
    with pytest.raises(BadData) as error:
        catalogue.load("dcase2032")
    assert str(file) in error.value.message
    assert any(part in error.value.message for part in named.split("|")), error.value.message


MAY_NAME_YEARS = {
    "clips.py": "grammars of file names",
    "metrics/specs.py": "rules of official scores",
    "synthesis/sizes.py": "what a rendered dataset looks like",
}


def test_no_code_outside_the_tables_of_facts_knows_a_year() -> None:
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        scopes = [n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)]
        prose = {id(s.value) for n in scopes for s in n.body if isinstance(s, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in prose and YEAR.search(repr(node.value)):
                found.add(str(path.relative_to(PACKAGE)))
    assert found == set(MAY_NAME_YEARS)


def test_an_edition_that_stands_twice_is_refused_wherever_the_catalogue_is_asked(folder: Path) -> None:
    (folder / "dcase2023.toml").write_text(NEWCOMER.format(metric="dcase2022"))
    with pytest.raises(BadData, match="edition dcase2023 stands twice"):
        catalogue.names()


def test_a_folder_of_editions_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(catalogue.VARIABLE, f"{tmp_path}:{tmp_path / 'gone'}")
    with pytest.raises(BadData, match=r"ASD_EDITIONS: no folder .*gone"):
        catalogue.names()


def test_an_edition_without_records_is_laid_down_by_hand(
    asd: Callable[..., int], tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = NEWCOMER.format(metric="dcase2022")
    (folder / "ours.toml").write_text(text[: text.index("[[records]]")])
    assert asd("download", "ours") == 2
    assert "then: asd index data/ours" in capsys.readouterr().err
    clip = tmp_path / "data/ours/dev_data/raw/kiln/train/section_00_source_train_normal_0000.wav"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(wav(channels=2))
    assert asd("index", "data/ours") == 0
    clips, header = artifacts.read_table(tmp_path / "data/ours/clips.parquet", artifacts.CLIPS)
    assert (header.params["edition"], clips["section"].to_pylist()) == ("ours", ["00"])


def test_nothing_is_submitted_for_what_is_no_challenge(asd: Callable[..., int], capsys, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert asd("submit", "--check", "folder", "--edition", "synthetic") == 2
    said = capsys.readouterr().err
    assert "nothing is submitted for synthetic" in said and "dcase2024" in said
