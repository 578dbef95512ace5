"""Tables that fit: numbers are never cut, nothing is lost, and a terminal of 80 columns is enough for every command."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from asdcli.cli.tables import Grid, GridColumn, number

_WORDS = st.text(st.sampled_from("abcdefgh:,=+"), min_size=1, max_size=40).filter(lambda w: w.strip() == w)


def _printed(grid: Grid, width: int) -> str:
    file = io.StringIO()
    grid.show(Console(file=file, width=width, soft_wrap=True))
    return file.getvalue()


@given(
    methods=st.lists(_WORDS, min_size=1, max_size=4),
    headings=st.lists(_WORDS, min_size=1, max_size=12),
    width=st.integers(50, 160),
)
def test_every_number_stands_whole_and_no_line_is_wider_than_the_terminal(
    methods: list[str], headings: list[str], width: int
) -> None:
    grid = Grid("title", ["method", *(GridColumn(h, number=True) for h in headings)])
    values = [[i + j / 100 for j in range(len(headings))] for i in range(len(methods))]
    for method, row in zip(methods, values, strict=True):
        grid.add(method, *(number(v) for v in row))
    text = _printed(grid, width)
    longest = max(map(len, headings))
    assert all(len(line) <= max(width, longest + 24) for line in text.splitlines())
    for row in values:
        for value in row:
            assert f" {value:.4f} " in text


def test_a_column_of_low_rank_is_in_the_first_table_wherever_it_stands() -> None:
    grid = Grid(None, ["method", *(GridColumn(f"term {i}", number=True, rank=2) for i in range(8))])
    grid.columns.append(GridColumn("official", number=True, rank=0))
    grid.add("nn", *(number(0.5) for _ in range(8)), number(0.1234))
    first, *others = grid.tables(60)
    assert [c.header for c in first.columns][-1] == "official"
    assert others and all(t.columns[0].header == "method" for t in others)
    assert sum(len(t.columns) - 1 for t in (first, *others)) == 9


def test_a_spelling_folds_behind_its_punctuation() -> None:
    grid = Grid(None, ["method", GridColumn("official", number=True)])
    grid.add("varmin:k=16,val=train-cluster", number(0.5))
    lines = [line for line in _printed(grid, 36).splitlines() if "varmin" in line or "val=" in line]
    assert ["varmin:k=16," in lines[0], "val=train-cluster" in lines[1]] == [True, True]


@pytest.mark.parametrize("edition", ["", "dcase2020", "dcase2024", "dcase2026"])
def test_the_editions_fit_eighty_columns(
    edition: str, asd: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert asd("datasets", *([edition] if edition else [])) == 0  # type: ignore[operator]
    tables = [line for line in capsys.readouterr().out.splitlines() if "  " in line.strip() and ".zip" in line]
    assert all(len(line) <= 80 for line in tables)


def test_prose_is_broken_between_words_and_a_command_is_never_broken() -> None:
    from asdcli.cli.console import say

    file = io.StringIO()
    console = Console(file=file, width=60, force_terminal=True, soft_wrap=True, color_system=None)
    command = "asd extract-features --dataset pumps --features logmel --machine-type north --force"
    prose = "the features were made of other clips than the table lists now; make them again:"
    say(console, f"{prose} {command}", label="hint")
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines[-1].strip() == command
    assert " ".join(lines[:-1]) == f"hint: {prose}"
    assert all(len(line) <= 60 for line in lines[:-1])
