"""The golden files are what the script beside them would write now."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.golden.cases import EXACT, FOLDER, NUMBERS, texts
from tests.golden.inputs import inputs
from tests.golden.write import as_json

ANEW = "no longer what is written now; if that is meant: python -m tests.golden.write, and say why in the commit"
CODE = {".py"}


def differences(stored: Any, now: Any, tolerance: float, place: str) -> list[str]:
    """Where two structures differ: other keys, lengths, or numbers further apart than `tolerance` (see `Case`)."""
    if isinstance(now, dict):
        odd = [f"{place}{name}: only on one side" for name in stored.keys() ^ now.keys()]
        both = [name for name in now if name in stored]
        return odd + [d for n in both for d in differences(stored[n], now[n], tolerance, f"{place}{n}")]
    if now is None or stored is None or np.shape(now) != np.shape(stored):
        return [] if now is stored else [f"{place}: {stored} became {now}"]
    apart = np.abs(np.subtract(now, stored)) > tolerance * np.maximum(np.abs(stored), 1)
    return [f"{place}: {np.asarray(stored)[apart][0]} became {np.asarray(now)[apart][0]}"] if apart.any() else []


def test_the_stored_inputs_are_those_of_the_script() -> None:
    assert (FOLDER / "inputs.json").read_text() == as_json(inputs()), f"inputs.json is {ANEW}"


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_is_the_one_that_was_agreed_on(name: str) -> None:
    case = NUMBERS[name]
    assert (case.tolerance == EXACT) == (not case.because)
    now = json.loads(as_json(case.make()))
    found = differences(json.loads((FOLDER / name).read_text()), now, case.tolerance, "")
    assert not found, f"{name} is {ANEW}:\n" + "\n".join(found[:20])


def test_what_is_handed_in_has_the_bytes_that_were_agreed_on() -> None:
    for path, text in texts().items():
        assert (FOLDER / path).read_bytes() == text, f"{path} is {ANEW}"


def test_there_are_no_other_files_and_all_are_small() -> None:
    known = {"inputs.json", *NUMBERS, *texts()}
    there = {p.relative_to(FOLDER).as_posix(): p for p in FOLDER.rglob("*") if p.is_file() and p.suffix != ".pyc"}
    data = {path: file for path, file in there.items() if file.suffix not in CODE}
    assert set(data) == known
    assert sum(file.stat().st_size for file in data.values()) < 100_000


def test_a_number_that_moved_a_little_is_found_and_rounding_is_not() -> None:
    stored = {"a": [1.0, 2.0], "b": None}
    assert differences(stored, {"a": [1.0 + 1e-13, 2.0], "b": None}, EXACT, "") == []
    assert differences(stored, {"a": [1.0, 2.0 + 1e-11], "b": None}, EXACT, "") == ["a: 2.0 became 2.00000000001"]
    assert differences(stored, {"a": [1.0], "b": 0.5}, EXACT, "") == [
        "a: [1.0, 2.0] became [1.0]",
        "b: None became 0.5",
    ]
    assert differences(stored, {"a": [1.0, 2.0]}, EXACT, "") == ["b: only on one side"]
