"""Words for a condition in names of folders and files: which are read, which are refused, and that none is lost."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.errors import BadData, UsageError
from asdcli.layouts import Asked, Recording, assign_splits, meanings, read_folders, refuse_doubtful
from asdcli.layouts.names import Names, condition_of
from asdcli.vocabulary import Condition, ConditionFrom, Split

NORMAL, ANOMALY = Condition.NORMAL, Condition.ANOMALY


def indexed(paths: Sequence[str], words: Sequence[str] = (), machine: str | None = None, **how: Any) -> list[Recording]:
    """What `asd index` makes of names alone."""
    told = meanings(words)
    read, _, _ = read_folders(paths, told=told, machine=machine)
    kept, _, _ = assign_splits(read, test_fraction=0.2, seed=0, **how)
    refuse_doubtful(kept, Asked(told=told, machine=machine))
    return kept


def conditions(paths: Sequence[str], **how: Any) -> dict[str, Condition | None]:
    return {r.path: r.condition for r in indexed(paths, **how)}


@pytest.mark.parametrize(
    ("normal", "anomalous"),
    [
        ("0_normal", "1_abnormal"),
        ("normal_2024", "abnormal_2024"),
        ("Normal Operation", "Abnormal Operation"),
        ("OK_parts", "NG_parts"),
        ("OKparts", "NGparts"),
        ("normal1", "abnormal1"),
        ("Normal-Sound", "Anomaly-Sound"),
        ("NormalSound_IND", "AnomalousSound_IND"),
        ("no_fault", "fault"),
        ("Healthy", "Unhealthy"),
        ("defect-free", "defect"),
        ("faultless", "faulty"),
        ("ok", "not ok"),
        ("OK", "NotOK"),
        ("iO", "niO"),
        ("i.O.", "n.i.O."),
        ("undamaged", "damaged"),
        ("正常", "異常"),
        ("NORMAL", "ＡＢＮＯＲＭＡＬ"),
        ("fan_normal", "fan_abnormal"),
        ("Normal (3)", "AbNormal (3)"),
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_pairs_of_names_that_say_a_condition_are_read(normal: str, anomalous: str, in_file: bool) -> None:
    one, other = (f"{name}{'' if in_file else '/'}_{i}.wav" for i, name in enumerate((normal, anomalous)))
    assert conditions([one, other]) == {one: NORMAL, other: ANOMALY}


def test_what_is_left_of_a_pair_of_folders_is_the_machine() -> None:
    read, _, _ = read_folders(["engine1_ok/a.wav", "engine1_broken/a.wav", "engine2_ok/a.wav", "engine2-NG/a.wav"])
    assert [(r.machine_type, r.condition) for r in read] == [
        ("engine1", ANOMALY),
        ("engine1", NORMAL),
        ("engine2", ANOMALY),
        ("engine2", NORMAL),
    ]


def test_what_a_kind_of_fault_adds_to_a_name_is_no_machine_but_a_number_is() -> None:
    read, _, _ = read_folders(["compressor healthy/a.wav", "compressor bearing fault/a.wav"])
    assert [(r.machine_type, r.condition) for r in read] == [("compressor", ANOMALY), ("compressor", NORMAL)]
    with pytest.raises(BadData, match="'broken' in fan 2 broken"):
        indexed(["fan ok/a.wav", "fan 2 broken/b.wav"])


def test_machines_in_names_of_files_are_told() -> None:
    _, _, notes = read_folders([f"{m}_{c}_1.wav" for m in ("fan", "pump") for c in ("ok", "ng")])
    assert "names of files say fan, pump" in notes[0]
    _, _, notes = read_folders([f"fan_{c}_{i}.wav" for c in ("ok", "ng") for i in range(3)])
    assert not notes


def test_a_folder_called_as_another_with_a_condition_is_of_that_machine() -> None:
    read, _, _ = read_folders(["fan/a.wav", "fan_broken/b.wav"])
    assert [(r.machine_type, r.condition) for r in read] == [("fan", None), ("fan", ANOMALY)]


def test_splits_in_pairs_of_names_are_read_and_toytrain_stays_a_machine() -> None:
    read, _, _ = read_folders(["fan_train/a.wav", "fan_test/b.wav", "ToyTrain/c.wav", "test 1/d.wav", "train_1.wav"])
    assert {r.path: (r.machine_type, r.split) for r in read} == {
        "fan_train/a.wav": ("fan", Split.TRAIN),
        "fan_test/b.wav": ("fan", Split.TEST),
        "ToyTrain/c.wav": ("ToyTrain", None),
        "test 1/d.wav": ("test 1", None),
        "train_1.wav": (None, None),
    }
    read, _, _ = read_folders(["train_1.wav", "test_1.wav"])
    assert [r.split for r in read] == [Split.TEST, Split.TRAIN]


def test_kinds_of_faults_beside_a_plain_folder_are_anomalies() -> None:
    found = conditions(["normal/a.wav", "fault_inner_race/b.wav", "broken belt/c.wav"])
    assert found == {"normal/a.wav": NORMAL, "fault_inner_race/b.wav": ANOMALY, "broken belt/c.wav": ANOMALY}


def test_a_machine_that_is_named_explains_what_is_left_of_a_name() -> None:
    assert conditions(["October normal/a.wav"]) == {"October normal/a.wav": NORMAL}
    paths = ["October normal/a.wav", "week 47/b.wav"]
    with pytest.raises(BadData, match="'normal' in October normal"):
        indexed(paths)
    read = indexed(paths, machine="fan 3")
    assert [(r.condition, r.split, r.machine_type) for r in read] == [
        (NORMAL, Split.TRAIN, "fan 3"),
        (None, Split.TEST, "fan 3"),
    ]
    assert conditions(["fan/fan_abnormal_1.wav", "fan/fan_2.wav"])["fan/fan_abnormal_1.wav"] == ANOMALY


@pytest.mark.parametrize(
    ("paths", "word"),
    [
        (["engine1_ok/a.wav", "engine2_broken/b.wav"], "engine2_broken"),
        (["pump_broken/a.wav", "fan/b.wav"], "pump_broken"),
        (["fanabnormal01.wav", "fan01.wav"], "fanabnormal"),
        (["train/good and bad/a.wav"], "good and bad"),
        (["train/before failure/a.wav"], "before failure"),
        (["train/not very good/a.wav"], "not very good"),
        (["normal/rig_fault/a.wav", "normal/b.wav"], "rig_fault"),
        (["normal/a.wav", "abnormal/b.wav", "week 47/c.wav"], "'week 47'"),
        (["balanced/a.wav", "unbalanced/b.wav"], "'balanced' and 'unbalanced'"),
        (["conform/a.wav", "nonconform/b.wav"], "'conform' and 'nonconform'"),
        (["load/a.wav", "no_load/b.wav"], "'load' and 'no_load'"),
        (["positive/a.wav", "negative/a.wav"], "'negative' and 'positive'"),
        (["0/a.wav", "1/a.wav"], "'0' and '1'"),
        (["pass/a.wav", "fail/b.wav"], "'pass'"),
        (["p/load/a.wav", "p/no_load/b.wav"], "'p-load' and 'p-no_load'"),
    ],
)
def test_a_name_that_may_say_an_anomaly_and_cannot_be_read_is_refused_with_what_to_type(
    paths: list[str], word: str
) -> None:
    with pytest.raises(BadData) as refusal:
        indexed(paths)
    assert word in refusal.value.message
    assert "--condition-word" in (refusal.value.hint or "")


@pytest.mark.parametrize(
    ("paths", "words", "expected"),
    [
        (["engine1_ok/a.wav", "engine2_broken/b.wav"], ["broken=anomaly", "ok=normal"], [NORMAL, ANOMALY]),
        (["fanabnormal01.wav", "fan01.wav"], ["fanabnormal=anomaly"], [None, ANOMALY]),
        (["Bad Homburg/a.wav"], ["Bad Homburg=none"], [NORMAL]),
        (["normal/a.wav", "week 47/c.wav"], ["week 47=anomaly"], [NORMAL, ANOMALY]),
        (["normal/a.wav", "week 47/c.wav"], ["week 47=none"], [NORMAL, NORMAL]),
        (["balanced/a.wav", "unbalanced/b.wav"], ["unbalanced=anomaly", "balanced=normal"], [NORMAL, ANOMALY]),
        (["load/a.wav", "no_load/b.wav"], ["no_load=none"], [NORMAL, NORMAL]),
        (["0/0.wav", "1/0.wav", "1/1.wav"], ["0=normal", "1=anomaly"], [NORMAL, ANOMALY, ANOMALY]),
        (["p/load/a.wav", "p/no_load/b.wav"], ["no_load=none"], [NORMAL, NORMAL]),
        (["normal speed/a.wav"], ["normal=none"], [NORMAL]),
        (["train/before failure/a.wav"], ["before failure=normal"], [NORMAL]),
    ],
)
def test_what_the_user_tells_of_a_word_is_taken(
    paths: list[str], words: list[str], expected: list[Condition | None]
) -> None:
    kept = indexed(paths, words)
    assert sorted(str(r.condition) for r in kept) == sorted(map(str, expected))
    told = {r.condition_from for r in kept if any(w.partition("=")[0] in r.path and "none" not in w for w in words)}
    assert told <= {ConditionFrom.OPTION}


@pytest.mark.parametrize("spelling", ["niO", "=anomaly", "niO=bad", "_=none"])
def test_a_meaning_that_is_none_is_refused(spelling: str) -> None:
    with pytest.raises(UsageError, match="is not WORD=MEANING"):
        meanings([spelling])


@pytest.mark.parametrize("name", ["nook", "default", "studio", "ToyTrain", "mango", "goodyear", "fan_3", "raw"])
def test_names_that_only_look_like_words_say_no_condition(name: str) -> None:
    read = Names().of_folder(name)
    assert read.condition is None and not read.doubtful


def test_a_file_that_contradicts_its_folder_is_left_out() -> None:
    _, left, _ = read_folders(["normal/abnormal_1.wav", "normal/a.wav", "abnormal/normal_1.wav"])
    assert sorted(x.path for x in left) == ["abnormal/normal_1.wav", "normal/abnormal_1.wav"]
    assert all(x.is_loss for x in left)


def test_machines_below_conditions_are_machine_types_and_days_are_not() -> None:
    plants = [f"{c}/{m}/a.wav" for c in ("normal", "abnormal") for m in ("fan", "pump")]
    read, _, notes = read_folders(plants)
    assert {r.machine_type for r in read} == {"fan", "pump"}
    assert "--machine NAME" in notes[0]
    days = [f"{c}/{d}/a.wav" for c in ("normal", "abnormal") for d in ("2024-01-03", "Monday", "session 3")]
    read, _, notes = read_folders(days)
    assert {r.machine_type for r in read} == {None}
    assert "only group" in notes[0]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("not ok", ANOMALY), ("No Fault", NORMAL), ("Unhealthy", ANOMALY), ("fan ok", None), ("good/bad", None)],
)
def test_a_cell_says_a_condition_only_if_it_says_nothing_else(cell: str, expected: Condition | None) -> None:
    assert condition_of(cell) == expected


# --- the law -------------------------------------------------------------------------------------------------------

_LONG = ["abnormal", "anomaly", "anomalous", "broken", "defect", "defective", "damaged", "failure", "fault", "faulty"]
_SHORT = ["ng", "nok", "bad", "nio", "failed"]
_TURNED = ["not ok", "not normal", "no good", "unhealthy", "non-normal", "NotNormal", "not_healthy"]
_OTHERS = ["normal/a.wav", "fan/b.wav", "c.wav", "train/d.wav", "fan_ok/e.wav", "test/f.wav", "week 47/g.wav", "ok.wav"]
_CASES = [str, str.upper, str.title, str.capitalize]
_NAMES = ["", "fan", "pump 3", "engine2", "ToyCar", "2024", "A", "machine"]


@st.composite
def _anomalous(draw: st.DrawFn) -> str:
    """A name that holds a word for an anomaly in some spelling."""
    before, after = draw(st.sampled_from(_NAMES)), draw(st.sampled_from(["", "001", "sound", "IND", "B", "x y"]))
    mark = draw(st.sampled_from(["_", "-", " ", ".", " - ", ""]))
    words = _LONG if mark == "" else [*_LONG, *_SHORT, *_TURNED]
    word = draw(st.sampled_from(_CASES))(draw(st.sampled_from(words)))
    return mark.join(part for part in (before, word, after) if part)


@settings(max_examples=300, deadline=None)
@given(
    _anomalous(),
    st.sampled_from(["", "train/", "normal/", "fan/", "fan/normal/", "train/normal/", "2024-01-03/"]),
    st.booleans(),
    st.lists(st.sampled_from(_OTHERS)),
    st.sampled_from([None, "fan 3"]),
)
def test_no_spelling_of_an_anomaly_ends_as_a_normal_training_clip(
    name: str, above: str, in_file: bool, others: list[str], machine: str | None
) -> None:
    path = f"{above}{name}.wav" if in_file else f"{above}{name}/rec.wav"
    words: list[str] = []
    for _ in range(6):
        try:
            kept = indexed(sorted({path, *others}), words, machine=machine)
        except BadData as refusal:
            hint = shlex.split(refusal.hint or "")
            words += [word.rstrip(",") for before, word in pairwise(hint) if before == "--condition-word"]
            continue
        assert not any(r.path == path and r.split == Split.TRAIN for r in kept)
        return
    raise AssertionError(f"what is told to be typed is never enough: {words}")
