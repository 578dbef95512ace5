"""The grammar of file names: what each edition writes is what we read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from asdcli.clips import parse_attributes, parse_name, parse_path, without_suffix
from asdcli.errors import BadData, UsageError
from asdcli.vocabulary import Condition, Domain, Split, Subset

N, A = Condition.NORMAL, Condition.ANOMALY
S, T = Domain.SOURCE, Domain.TARGET


@pytest.mark.parametrize(
    ("name", "era", "section", "index", "domain", "condition", "attributes"),
    [
        ("normal_id_00_00000012.wav", "2020", "00", 12, None, N, None),
        ("anomaly_id_06_00000000.wav", "2020", "06", 0, None, A, None),
        ("id_01_00000123.wav", "2020", "01", 123, None, None, None),
        ("section_01_target_train_normal_0002_strength_1_ambient.wav", "2021", "01", 2, T, N, "strength_1_ambient"),
        ("section_02_source_test_anomaly_0099.wav", "2021", "02", 99, S, A, None),
        ("section_03_source_test_0007.wav", "2021", "03", 7, S, None, None),
        ("section_00_source_train_normal_0000_vel_12.wav", "2022", "00", 0, S, N, "vel_12"),
        ("section_00_source_test_normal_0010_volt_3.0.wav", "2022", "00", 10, S, N, "volt_3.0"),
        ("section_00_target_test_anomaly_0049_noAttribute.wav", "2022", "00", 49, T, A, None),
        ("section_00_source_test_normal_0001_noAttribute_.wav", "2022", "00", 1, S, N, None),
        ("section_00_source_normal_0035_weight15_BckgF", "2022", "00", 35, S, N, "weight15_BckgF"),
        ("section_03_0000.wav", "2022", "03", 0, None, None, None),
        ("section_03_test_0000.wav", "2022", "03", 0, None, None, None),
        ("ToyCar/test/section_00_0199.flac", "2022", "00", 199, None, None, None),
    ],
)
def test_a_name_of_each_form_says_what_the_organisers_meant(
    name: str, era: str, section: str, index: int, domain: object, condition: object, attributes: object
) -> None:
    said = parse_name(name, era)
    assert (said.section, said.index, said.domain, said.condition, said.attribute_string) == (
        section,
        index,
        domain,
        condition,
        attributes,
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("section_00_source_supplemental_machine_0000.wav", "machine"),
        ("section_00_noise_supplemental_normal_0000.wav", "noise"),
        ("section_00_machine_source_0000_noAttribute.wav", "machine"),
    ],
)
def test_supplemental_names_are_read_in_any_word_order(name: str, kind: str) -> None:
    clip = parse_path(f"dev_data/raw/fan/supplemental/{name}", "2022")
    assert clip.split is Split.SUPPLEMENTAL
    assert clip.attributes["supplemental"] == kind
    assert clip.condition is None  # a recording of noise alone is no machine in any condition


@pytest.mark.parametrize(
    ("name", "era"),
    [
        ("normal_id_0_00000000.wav", "2020"),
        ("section_00_0000.wav", "2021"),
        ("normal_id_00_00000000.wav", "2022"),
        ("section_00_source_train_broken_0000.wav", "2022"),
        ("recording.wav", "2022"),
    ],
)
def test_a_name_of_no_form_is_refused_with_an_example(name: str, era: str) -> None:
    with pytest.raises(BadData, match="fits no file name") as error:
        parse_name(name, era)
    assert "looks like" in (error.value.hint or "")


def test_an_unknown_era_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="grammar"):
        parse_name("section_00_0000.wav", "1999")


word = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789.-", min_size=1, max_size=6).filter(
    lambda w: not w.endswith((".wav", ".flac")) and w != "noAttribute"
)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 99),
    st.sampled_from(Domain),
    st.sampled_from(["train", "test"]),
    st.sampled_from(Condition),
    st.integers(0, 9999),
    st.lists(word, min_size=1, max_size=6),
    st.sampled_from([".wav", ".flac", ".WAV", ""]),
)
def test_reading_undoes_writing(
    section: int, domain: Domain, split: str, condition: Condition, index: int, words: list[str], suffix: str
) -> None:
    attributes = "_".join(words)
    assume(suffix or without_suffix(attributes) == attributes)  # attributes that end like an audio file are its suffix
    said = parse_name(f"section_{section:02d}_{domain}_{split}_{condition}_{index:04d}_{attributes}{suffix}", "2022")
    assert (said.section, said.domain, said.condition, said.index) == (f"{section:02d}", domain, condition, index)
    assert said.attribute_string == attributes


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("car_B1_spd_31V_mic_1", {"car": "B1", "spd": "31V", "mic": "1"}),
        ("spd1000_BckgC", {"spd": "1000", "Bckg": "C"}),
        ("mic_imp23absu_mic_pos_A_grind_0_bkg_B", {"mic": "imp23absu", "mic_pos": "A", "grind": "0", "bkg": "B"}),
        ("m-n_W", {"m-n": "W"}),
        ("volt_3.0", {"volt": "3.0"}),
        ("v1pat_A_v2pat_none", {"v1pat": "A", "v2pat": "none"}),
        ("vel", {"vel": ""}),
        (None, {}),
    ],
)
def test_attribute_pairs_of_real_strings(text: str | None, pairs: dict[str, str]) -> None:
    assert parse_attributes(text) == pairs


def test_folders_give_machine_type_subset_and_split() -> None:
    clip = parse_path("eval_data/raw/3DPrinter/test/section_00_0001.wav", "2022")
    assert (clip.clip_id, clip.machine_type) == ("eval_data/raw/3DPrinter/test/section_00_0001", "3DPrinter")
    assert (clip.subset, clip.split) == (Subset.EVAL, Split.TEST)
    assert parse_path("dev_data/raw/fan/target_test/section_00_target_test_normal_0000.wav", "2021").split is Split.TEST


@pytest.mark.parametrize("path", ["fan/train/a.wav", "dev_data/fan/train/a.wav", "dev_data/raw/fan/test_rename/a.wav"])
def test_a_path_of_no_edition_is_refused(path: str) -> None:
    with pytest.raises(BadData):
        parse_path(path, "2022")


def test_a_suffix_is_taken_off_once_and_other_dots_stay() -> None:
    assert without_suffix("a_volt_3.0.wav") == "a_volt_3.0"
    assert without_suffix("a_volt_3.0") == "a_volt_3.0"


def test_the_real_names_of_2025_are_fifty_of_each_kind(shared: Path) -> None:
    lines = (shared / "data/filenames/dcase2025_dev_test.txt").read_text().split()[1:]
    clips = [parse_path(f"dev_data/raw/{line}", "2022") for line in lines]
    counts = Counter((c.machine_type, c.domain, c.condition) for c in clips)
    assert len(clips) == 1400
    assert set(counts.values()) == {50}
    assert {c.machine_type for c in clips if c.attribute_string is None} == {"ToyTrain", "bearing", "slider"}
