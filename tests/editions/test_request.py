"""The command that a request names asks for the same, typed through the front door."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asdcli.editions.fit import digest_of_names
from asdcli.editions.request import Request
from asdcli.outcome import Outcome
from asdcli.pipeline.steps import download
from asdcli.vocabulary import Subset

DEV, EVAL = Subset.DEV, Subset.EVAL
ASKED = {
    "edition": st.sampled_from(["dcase2023", "dcase2025"]),
    "subsets": st.sampled_from([(DEV,), (EVAL,), (DEV, EVAL)]),
    "machine_types": st.sampled_from([None, ("ToyCar",), ("ToyCar", "fan")]),
    "base_url": st.sampled_from([None, "http://localhost/a b"]),
    "from_dir": st.sampled_from([None, Path("the zips")]),
    "truth_url": st.sampled_from([None, "http://localhost/truth"]),
    "truth": st.booleans(),
    "released_attributes": st.booleans(),
    "keep_archives": st.booleans(),
    "connections": st.integers(1, 4),
}


def test_all_that_can_be_asked_for_is_tried_below() -> None:
    assert {field.name for field in fields(Request)} - ASKED.keys() == {"force"}  # which is for once


@given(st.fixed_dictionaries(ASKED))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_command_that_goes_on_asks_for_the_same(
    asd: Callable[..., int], monkeypatch: pytest.MonkeyPatch, asked: dict
) -> None:
    request, heard = Request(**asked), []

    def run(_data: Path, typed: Request, **_: object) -> Outcome:
        heard.append(typed)
        return Outcome(Path("clips.parquet"), "current")

    monkeypatch.setattr(download, "run", run)
    program, command, *words = shlex.split(request.again("--data", "far away"))
    assert (program, command) == ("asd", "download")
    assert asd(command, *words, "-q") == 0
    assert heard == [request]


def test_another_edition_and_other_machine_types_take_the_place_of_those_of_a_request() -> None:
    again = Request("dcase2023", (EVAL,), ("ToyCar",)).again(edition="dcase2024", machine_types=["fan", "my pump"])
    assert again == "asd download dcase2024 --subset eval --machine-type fan --machine-type 'my pump'"


def test_the_digest_of_names_is_of_their_last_parts_without_suffix_in_their_order() -> None:
    wanted = hashlib.blake2b(b"a\nb", digest_size=16).hexdigest()
    assert digest_of_names(["x/y/b.wav", "z/a.flac"]) == wanted
