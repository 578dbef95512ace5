"""The meta file as text: facts put into their places, everything else as it was, and what may not be !!null."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.errors import BadData
from asdcli.submission import meta, meta_text
from tests.helpers.meta_files import AUTHORS, finished

LABEL = "Doe_Lab_task2_1"
FACTS = {
    "submission.label": LABEL,
    "system.description.input_sampling_rate": "16kHz",
    "system.description.machine_learning_method": "nn",
    "system.complexity.total_parameters": 1234,
    "system.complexity.MACS": 10**9,
    "results.development_dataset": {"ToyCar": {"auc_source": 71.2345, "pauc": 50.0}, "3DPrinter": {"pauc": 49.5}},
}


def at(text, place):
    value = yaml.safe_load(text)
    for name in place.split("."):
        value = value[name]
    return value


def test_a_new_meta_file_holds_every_fact_and_marks_the_rest():
    text = meta.new(FACTS)
    assert {place: at(text, place) for place in FACTS} == FACTS
    assert "total_parameters: 1234\n" in text and "name: !!null  # to fill in\n" in text
    assert 'development_dataset:  # [%]\n    "ToyCar":\n      "auc_source": 71.2345\n' in text


def test_a_fact_that_is_not_known_stays_marked():
    text = meta.new(FACTS | {"system.complexity.total_parameters": None, "results.development_dataset": None})
    assert "total_parameters: !!null  # to fill in\n" in text and "development_dataset: !!null  # [%]\n" in text


def test_what_the_authors_filled_in_stays_to_the_letter_when_nothing_changed():
    text = finished(meta.new(FACTS)) + "# a note at the end\nextra: [1, 2]\n"
    assert meta_text.filled(text, FACTS, FACTS) == meta_text.Filled(text)


def test_only_facts_that_changed_are_written_and_everything_else_stays():
    text = finished(meta.new(FACTS)).replace("    MACS:", "    # counted by us\n    MACS:")
    facts = FACTS | {"system.complexity.total_parameters": 99, "results.development_dataset": {"fan": {"pauc": 51.0}}}
    filled = meta_text.filled(text, facts, FACTS)
    before, after = text.splitlines(), filled.text.splitlines()
    assert set(after) - set(before) == {"    total_parameters: 99", '    "fan":', '      "pauc": 51.0'}
    assert all(at(filled.text, place) == fact for place, fact in facts.items()) and filled.kept == {}
    assert at(filled.text, "submission.authors")[0]["lastname"] == "Doe" and "# mine" in filled.text


def test_a_fact_that_the_authors_changed_is_theirs_and_is_named_once_it_differs_anew():
    text = finished(meta.new(FACTS)).replace('machine_learning_method: "nn"', "machine_learning_method: kNN, k = 1")
    assert meta_text.filled(text, FACTS, FACTS) == meta_text.Filled(text)
    changed = FACTS | {"system.description.machine_learning_method": "varmin"}
    kept = {"system.description.machine_learning_method": "varmin"}
    assert meta_text.filled(text, changed, FACTS) == meta_text.Filled(text, kept)


def test_a_number_of_a_table_that_the_authors_changed_stays_with_their_comments_while_the_others_move_on():
    text = meta.new(FACTS).replace('"pauc": 50.0', '"pauc": 52.5  # ours')
    facts = FACTS | {
        "results.development_dataset": {"ToyCar": {"auc_source": 72.0, "pauc": 51.0}, "3DPrinter": {"pauc": 49.5}}
    }
    filled = meta_text.filled(text, facts, FACTS)
    assert filled.text == text.replace("71.2345", "72.0")
    assert filled.kept == {"results.development_dataset.ToyCar.pauc": 51.0}


def test_a_file_that_leaves_no_room_for_a_fact_is_refused_and_not_bent():
    twice = "system:\n  complexity:\n    total_parameters: 1\n" * 2
    with pytest.raises(BadData, match="leaves no room"):
        meta_text.filled(twice, {"system.complexity.total_parameters": 2}, {"system.complexity.total_parameters": 1})


@pytest.mark.parametrize("written", ["|-\n      nn\n", "'nn'   # as asd says\n", "nn\n", "&method nn\n"])
def test_a_word_of_asd_that_is_written_otherwise_is_still_its_own(written):
    text = f"system:\n  description:\n    machine_learning_method: {written}    other: 1\n"
    place = "system.description.machine_learning_method"
    filled = meta_text.filled(text, {place: "varmin"}, {place: "nn"})
    assert at(filled.text, place) == "varmin" and at(filled.text, "system.description.other") == 1
    assert ("# as asd says" in filled.text) == ("# as asd says" in written)


def test_a_fact_that_is_no_longer_known_does_not_stay_as_it_was():
    text = meta_text.filled(meta.new(FACTS), FACTS | {"system.complexity.MACS": None}, FACTS).text
    assert at(text, "system.complexity.MACS") is None


def test_a_template_of_the_organisers_gets_the_facts_that_it_asks_for():
    theirs = "submission:\n    label: !!null\n"
    theirs += "system:\n    complexity: {total_parameters: null, MACS: 1}\nresults: !!null\n"
    filled = meta_text.filled(theirs, FACTS, {})
    assert filled.text == theirs.replace("label: !!null", f'label: "{LABEL}"').replace(
        "total_parameters: null", "total_parameters: 1234"
    )
    assert filled.kept == {"system.complexity.MACS": 10**9}


def test_carriage_returns_and_a_missing_last_newline_are_kept():
    text = finished(meta.new(FACTS)).rstrip("\n").replace("\n", "\r\n")
    filled = meta_text.filled(text, FACTS | {"system.complexity.MACS": 7}, FACTS).text
    assert filled == text.replace(str(10**9), "7")


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(set(FACTS) - {"results.development_dataset"})),
        st.one_of(st.none(), st.integers(), st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))),
    ),
    st.dictionaries(st.text("abcXYZ 0:#{", min_size=1), st.just({"pauc": 50.5}), max_size=3),
)
def test_whatever_a_fact_is_it_is_read_back_from_where_it_was_put(some, machine_types):
    facts = FACTS | some | {"results.development_dataset": machine_types or None}
    text = meta_text.filled(meta.new(FACTS), facts, FACTS).text
    assert {place: at(text, place) for place in facts} == facts
    assert meta_text.filled(text, facts, facts).text == text


def test_a_finished_meta_file_has_nothing_wrong():
    assert list(meta.problems(finished(meta.new(FACTS)), LABEL)) == []


def test_everything_that_is_not_filled_in_is_named():
    (lacking,) = meta.problems(meta.new(FACTS), LABEL)
    assert lacking == (
        "not filled in: submission.name, submission.abbreviation, system.description.acoustic_features, "
        "submission.authors.lastname, submission.authors.firstname, submission.authors.email, "
        "submission.authors.affiliation.abbreviation, submission.authors.affiliation.institute, "
        "submission.authors.affiliation.location"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (LABEL, "Doe_Lab_task2_2", "submission.label is 'Doe_Lab_task2_2', not 'Doe_Lab_task2_1'"),
        ("abbreviation: mine", "abbreviation: twelve chars", "'twelve chars' has more than 10 characters"),
        ("corresponding: true", "corresponding: false", "0 corresponding authors instead of one"),
        ("total_parameters: 1234", "total_parameters: many", "total_parameters is 'many', not a number"),
        ("total_parameters: 1234", "total_parameters: !!null", "not filled in: system.complexity.total_parameters"),
        ("email: jane@example.org", "email:", "not filled in: submission.authors.email"),
        (AUTHORS, "  authors: Jane\n", "submission.authors is no list"),
        (f'"{LABEL}"', "[1, 2]", "submission.label is a list, not"),
        ("submission:", "submission", "the meta file is no YAML, line"),
    ],
)
def test_what_is_wrong_with_a_meta_file_is_said(old, new, message):
    text = finished(meta.new(FACTS))
    assert old in text
    assert any(message in problem for problem in meta.problems(text.replace(old, new, 1), LABEL))


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "a: b: c", "\t- x", "!!python/object:os.system {}", "{" * 3000, "a: *b"]
)
def test_what_is_no_meta_file_is_refused_in_words(text):
    with pytest.raises(BadData, match="the meta file"):
        meta_text.filled(text, FACTS, {})
    assert len(list(meta.problems(text, LABEL))) == 1
