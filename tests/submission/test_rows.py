"""Cells of challenge CSVs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.errors import BadData
from asdcli.submission import rows


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_that_is_written_is_read_as_itself(value: float) -> None:
    assert rows.number(repr(value)) == value


@pytest.mark.parametrize("cell", ["1_02.5", "1_0", "\uff11\uff12", "0x10", "1,5", "", "1e", "--1"])
def test_what_only_one_language_reads_as_a_number_is_none(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "anomaly_score_fan_section_00_test.csv"
    path.write_text(f'a.wav,1\nb.wav,"{cell}"\n', encoding="utf-8")
    with pytest.raises(BadData, match=r"line 2: .* is not a number"):
        rows.read(path)
