"""Recordings that are said to be normal: the machine that folders name, and names that say otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.errors import BadData
from asdcli.layouts import Asked, machine_of, meanings, read_normals, refuse_doubtful
from asdcli.vocabulary import Condition, ConditionFrom, Split


@pytest.mark.parametrize(
    ("folders", "machine"),
    [
        (["fan 3", "October normal"], "fan 3"),
        (["fan 3", "normal in October"], "fan 3"),
        (["fan 3", "normal recordings of week 40"], "fan 3"),
        (["plant", "fan 3", "normal", "2024-01-03"], "fan 3"),
        (["fan_3_normal"], "fan_3"),
        (["pump", "recordings", "week 47"], "pump"),
        (["2024", "raw"], None),
        ([], None),
    ],
)
def test_the_machine_is_the_nearest_folder_that_names_one(folders: list[str], machine: str | None) -> None:
    assert machine_of(folders) == machine


def test_everything_trains_and_is_normal_by_the_users_word() -> None:
    found, left = read_normals(["a/1.wav", "October/2.wav"], ["home", "fan 3"])
    assert [(r.path, r.machine_type) for r in found] == [("October/2.wav", "fan 3"), ("a/1.wav", "a")]
    said = {(r.split, r.condition, r.condition_from) for r in found}
    assert said == {(Split.TRAIN, Condition.NORMAL, ConditionFrom.OPTION)} and not left


def test_names_that_say_an_anomaly_are_left_out_and_those_that_may_are_refused() -> None:
    found, left = read_normals(["abnormal/1.wav", "ok/2.wav", "ok/broken_3.wav", "no fault/4.wav"], ["fan"])
    assert [r.path for r in found] == ["no fault/4.wav", "ok/2.wav"]
    assert [(x.path, x.is_loss) for x in left] == [("abnormal/1.wav", True), ("ok/broken_3.wav", True)]
    found, _ = read_normals(["before failure/1.wav"], ["fan"])
    with pytest.raises(BadData, match="although a name says, or may say, an anomaly") as caught:
        refuse_doubtful(found, Asked("fan"))
    assert "--condition-word" in str(caught.value.hint)
    told = meanings(["before failure=normal"])
    found, left = read_normals(["before failure/1.wav"], ["fan"], told=told)
    refuse_doubtful(found, Asked("fan", told))
    assert len(found) == 1 and not left


def test_a_folder_that_is_itself_called_abnormal_teaches_nothing() -> None:
    found, left = read_normals(["1.wav"], ["fan", "abnormal"])
    assert not found and left[0].path == "1.wav"


def test_what_lies_in_test_is_for_later_only_where_others_lie_in_train() -> None:
    found, left = read_normals(["train/1.wav", "test/2.wav", "test/normal/3.wav"], ["fan"])
    assert [r.path for r in found] == ["train/1.wav", "test/normal/3.wav"][::-1]
    assert [x.path for x in left] == ["test/2.wav"] and not left[0].is_loss
    found, left = read_normals(["test/2.wav"], ["fan"])
    assert len(found) == 1 and not left


@given(st.lists(st.sampled_from(["fan 3/1.wav", "fan 3/May/2.wav", "week 1/3.wav", "4.wav"]), unique=True))
def test_one_machine_typed_is_the_machine_of_all(paths: list[str]) -> None:
    found, left = read_normals(paths, ["home"], machine="pump")
    assert sorted(r.path for r in found) == sorted(paths) and not left
    assert {r.machine_type for r in found} <= {"pump"}
