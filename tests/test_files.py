"""What stands at a path, and notes of JSON: refused in words that a caller can wait for."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdcli.files import read_json, require_file


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a": ' * 100_000, "\xff\xfe", ""])
def test_a_note_that_is_no_json_is_none_however_deep(tmp_path: Path, text: str) -> None:
    (tmp_path / "note.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError):
        read_json(tmp_path / "note.json")


def test_nothing_lies_at_a_path_with_a_nul() -> None:
    with pytest.raises(FileNotFoundError):
        require_file(Path("a\0b"))
