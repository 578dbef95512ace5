"""CSV files in spreadsheets: no text is taken for a formula, no number is touched."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pytest

from asdcli.writing.spreadsheet import write_csv
from tests.helpers.heard import Heard

NAMES = ["=cmd()", "+x", "-x-2", "@x", "\t=1", "\r=1", "fan", "a=b", "'quoted", "", None]


def cells(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def table() -> pa.Table:
    return pa.table({"machine_type": pa.array(NAMES, pa.string()), "score": [-float(i) for i in range(len(NAMES))]})


def test_a_text_that_begins_like_a_formula_gets_an_apostrophe_and_nothing_else_does(tmp_path: Path) -> None:
    write_csv(table(), tmp_path / "a.csv")
    header, *rows = cells(tmp_path / "a.csv")
    assert header == ["machine_type", "score"]
    assert [row[0] for row in rows[:6]] == [f"'{name}" for name in NAMES[:6]]
    assert [row[0] for row in rows[6:]] == ["fan", "a=b", "'quoted", "", ""]
    assert [float(row[1]) for row in rows] == [-float(i) for i in range(len(NAMES))]


def test_plain_cells_are_written_as_they_are(tmp_path: Path) -> None:
    write_csv(table(), tmp_path / "a.csv", plain=True)
    assert [row[0] for row in cells(tmp_path / "a.csv")[1:]] == [name or "" for name in NAMES]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.string_view()])
def test_text_of_every_type_is_made_harmless(tmp_path: Path, kind: pa.DataType) -> None:
    write_csv(pa.table({"x": pa.array(["=1", "a"], pa.string()).cast(kind)}), tmp_path / "a.csv")
    assert cells(tmp_path / "a.csv") == [["x"], ["'=1"], ["a"]]


@pytest.mark.parametrize("number", ["-0.5", "+1", "-2", "-1e-7", ".5"])
def test_a_text_that_is_a_number_stays_one(tmp_path: Path, number: str) -> None:
    heard = Heard()
    write_csv(pa.table({"x": [number]}), tmp_path / "a.csv", progress=heard)
    assert cells(tmp_path / "a.csv") == [["x"], [number]] and not heard.notes


def test_it_is_said_how_many_cells_were_changed(tmp_path: Path) -> None:
    heard = Heard()
    write_csv(pa.table({"x": ["=1", "b", "@c"]}), tmp_path / "a.csv", progress=heard)
    assert heard.notes[0].startswith("2 texts")
