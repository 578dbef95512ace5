"""Names of files made of words."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.filenames import fault, stem, twins
from asdcli.scorers import PAPER


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("varmin:k=16,val=test-all", "varmin.k=16,val=test-all"),
        ("varmin:alpha_range=0..1,k=16", "varmin.alpha_range=0..1,k=16"),
        ("mypkg.lof:LOF,k=8", "mypkg.lof.LOF,k=8"),
        ("serial-oe:weights=/a/b c.safetensors", "serial-oe.weights=%2Fa%2Fb%20c.safetensors"),
        ("../../evil", "%2E.%2F..%2Fevil"),
        ("..", "%2E%2E"),
        ("nn.", "nn%2E"),
        ("nul", "%6Eul"),
        ("Com1.x", "%43om1.x"),
        ("\x1b[31m", "%1B%5B31m"),
        ("éa%", "%C3%A9a%25"),
    ],
)
def test_a_word_becomes_one_name(word: str, name: str) -> None:
    assert stem(word) == name


@settings(max_examples=200)
@given(st.one_of(st.text(min_size=1, max_size=300), st.sampled_from(PAPER)))
def test_no_word_leaves_its_folder_or_is_hidden_there(word: str) -> None:
    name = stem(word)
    for flavour in (PurePosixPath, PureWindowsPath):
        assert flavour("folder", f"{name}.parquet").parent == flavour("folder")
    assert not name.startswith(".") and len(name.encode()) <= 200 and name.isascii()
    assert fault(name) is None or len(name) > 180


def test_long_words_that_begin_alike_have_names_of_their_own() -> None:
    assert stem("a" * 400 + "b") != stem("a" * 400 + "c")


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("", "it is empty"),
        ("../../evil", "it holds '/'"),
        ("a\\b", "it holds '\\\\'"),
        ("fan: 3", "it holds ':'"),
        ("..", "it begins or ends with a dot or a blank"),
        (".hidden", "it begins or ends with a dot or a blank"),
        ("fan ", "it begins or ends with a dot or a blank"),
        ("a\x1b[31mb", "it holds the invisible character U+001B"),
        ("a\nb", "it holds the invisible character U+000A"),
        ("a\u202eb", "it holds the invisible character U+202E"),
        ("a\udc80", "it holds the invisible character U+DC80"),
        ("CON", "Windows keeps it for a device"),
        ("lpt1.fan", "Windows keeps it for a device"),
        ("ü" * 91, "it is longer than 180 bytes"),
    ],
)
def test_a_word_that_cannot_be_a_name_on_every_system_is_told_why(word: str, why: str) -> None:
    assert fault(word) == why


@pytest.mark.parametrize("word", ["ToyCar", "fan 3", "Pumpe Süd (2)", "a.b", "console", "com10", "ü" * 90])
def test_names_that_people_give_are_names(word: str) -> None:
    assert fault(word) is None


def test_names_that_some_systems_take_for_the_same_are_twins() -> None:
    assert twins(["fan", "pump", "fan"]) is None
    assert twins(["fan", "pump", "Fan"]) == ("fan", "Fan")
    assert twins(["S\u00fcd", "Su\u0308d"]) == ("S\u00fcd", "Su\u0308d")
