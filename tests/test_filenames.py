"""Names of files made of words."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.filenames import stem
from asdcli.scorers import PAPER


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("varmin:k=16,val=test-all", "varmin.k=16,val=test-all"),
        ("varmin:alpha_range=0..1,k=16", "varmin.alpha_range=0..1,k=16"),
        ("mypkg.lof:LOF,k=8", "mypkg.lof.LOF,k=8"),
        ("serial-oe:weights=/a/b c.safetensors", "serial-oe.weights=%2Fa%2Fb%20c.safetensors"),
        ("../../evil", "%2E.%2F..%2Fevil"),
        ("..", "%2E."),
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


def test_long_words_that_begin_alike_have_names_of_their_own() -> None:
    assert stem("a" * 400 + "b") != stem("a" * 400 + "c")
