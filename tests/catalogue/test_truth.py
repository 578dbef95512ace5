"""The organisers' tables: ground truth and attributes with every quirk they have."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdcli import catalogue
from asdcli.catalogue.edition import Truth
from asdcli.catalogue.truth import Table, read_attributes, read_truth, tables
from asdcli.editions import ground_truth
from asdcli.errors import BadData
from asdcli.fetch import client
from asdcli.vocabulary import Split, Subset

EVAL = (Subset.EVAL,)


def table(gives: str, form: str, machine_type: str | None = "fan", split: Split = Split.TEST) -> Table:
    truth = Truth(gives=gives, format=form, url="http://x/HEAD/a/b.csv")
    return Table(truth, truth.url, "b.csv", machine_type, split, "2022")


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "b.csv"
    file.write_text(text)
    return file


def test_flags_mean_conditions_or_domains(tmp_path: Path) -> None:
    file = write(tmp_path, "section_00_0000.wav,0\nsection_00_0001.wav,1\n\n")
    assert list(read_truth(file, table("condition", "flags")).values()) == ["normal", "anomaly"]
    assert read_truth(file, table("domain", "flags")) == {
        (Subset.EVAL, Split.TEST, "fan", "section_00_0000"): "source",
        (Subset.EVAL, Split.TEST, "fan", "section_00_0001"): "target",
    }


def test_the_list_of_2020_names_the_machine_type_on_a_line_of_its_own(tmp_path: Path) -> None:
    text = (
        "fan\nid_01_00000000.wav,normal_id_01_00000098.wav,0\npump\nid_01_00000000.wav,anomaly_id_01_00000003.wav,1\n"
    )
    said = read_truth(write(tmp_path, text), table("condition", "list", None))
    assert {key[2]: value for key, value in said.items()} == {"fan": "normal", "pump": "anomaly"}


def test_renamed_files_give_attributes_and_the_third_column_wins(tmp_path: Path) -> None:
    text = (
        "section_00_0000.wav,section_00_source_test_normal_0035_weight15_BckgF\n"
        "section_00_0001.wav,section_00_source_normal_0036_weight15_BckgF\n"  # RoboticArm 2024 lacks _test_
        "section_00_0002.wav,section_00_target_test_anomaly_0001_noAttribute,section_00_target_test_anomaly_0001_vel_3.wav\n"
        "section_00_0003.wav,section_00_target_test_anomaly_0002_noAttribute\n"
    )
    said = read_truth(write(tmp_path, text), table("attributes", "renamed"))
    assert list(said.values()) == ["weight15_BckgF", "weight15_BckgF", "vel_3", ""]


def test_correspondences_speak_of_the_distributed_name_whose_number_may_differ(tmp_path: Path) -> None:
    text = (
        "source_file_name,target_file_name\n"
        "section_00_source_test_anomaly_0001_car_B1.wav,section_00_source_test_anomaly_0021_noAttribute.wav\n"
    )
    said = read_truth(write(tmp_path, text), table("attributes", "correspondence"))
    assert {key[3]: value for key, value in said.items()} == {
        "section_00_source_test_anomaly_0021_noAttribute": "car_B1"
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("section_00_0000.wav,2\n", "line 1: condition is '2'"),
        ("section_00_0000.wav,0\nsection_00_0000.wav,1\n", "line 2: .* was 'normal' before"),
        ("section_00_0000.wav\n", "line 1: cannot read"),
        ("section_00_0000.wav,\n", "line 1: cannot read"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_by_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadData, match=words):
        read_truth(write(tmp_path, text), table("condition", "flags"))


def test_a_clip_before_any_machine_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="before any machine type"):
        read_truth(
            write(tmp_path, "id_01_00000000.wav,normal_id_01_00000098.wav,0\n"), table("condition", "list", None)
        )


def test_2022_takes_conditions_and_domains_from_the_two_right_folders_and_nothing_else() -> None:
    found = tables(catalogue.load("dcase2022"), EVAL, attributes=True)
    assert len(found) == 2 * 7 * 3
    folders = {(t.truth.gives, t.url.split("/HEAD/")[1].split("/")[0]) for t in found}
    assert folders == {("condition", "ground_truth_data"), ("domain", "ground_truth_domain")}


def test_tables_are_as_many_as_the_repositories_hold() -> None:
    def count(name: str, **options: object) -> int:
        return len(tables(catalogue.load(name), EVAL, **options))

    assert {n: count(n) for n in ("dcase2020", "dcase2021", "dcase2023", "dcase2024")} == {
        "dcase2020": 1,
        "dcase2021": 7 * 3 * 2,  # a file for each domain
        "dcase2023": 7 * 2,
        "dcase2024": 9 * 2,
    }
    assert count("dcase2023", machine_types=["Vacuum"]) == 2
    assert tables(catalogue.load("dcase2023"), [Subset.DEV]) == []


def test_released_attributes_are_off_unless_asked() -> None:
    edition = catalogue.load("dcase2025")
    assert not [t for t in tables(edition, list(Subset)) if t.truth.gives == "attributes"]
    released = [t for t in tables(edition, list(Subset), attributes=True) if t.truth.format == "correspondence"]
    assert {(t.machine_type, t.split) for t in released if t.truth.subset is Subset.DEV} == {
        (m, s) for m in ("ToyTrain", "bearing", "slider") for s in (Split.TRAIN, Split.TEST)
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file_name,d1p,d1v,d1p,d1v\nfan/train/x_a_1_b_2.wav,a,1,b,2\n", {"x_a_1_b_2": {"a": "1", "b": "2"}}),
        ("file_name,d1p,d1v\nToyCar/train/x.wav,mic,1.wav\n", {"x": {"mic": "1"}}),
        ("file_name,d1p,d1v\nfan_02named/train/x.wav,n,A\n", {"x": {"n": "A"}}),
        ("file_name,d1p,d1v\nx,n,A\n", {"x": {"n": "A"}}),  # neither folder nor suffix
        ("file_name\nslider/train/x.wav\n", {"x": {}}),
        ("file_name\n", {}),
        ("file_name,d1p,d1v,d2p,d2v\nToyTrain/train/x.wav,,,,\n", {"x": {}}),
        ("\ufefffile_name,d1p,d1v\r\nx.wav,n,A\r\n", {"x": {"n": "A"}}),
    ],
)
def test_attribute_tables_with_every_quirk_seen(tmp_path: Path, text: str, expected: object) -> None:
    assert read_attributes(write(tmp_path, text)) == expected


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "b.csv"
    file.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(BadData, match="no CSV text"):
        read_attributes(file)


@pytest.mark.parametrize("machine_type", ["ToyCar", "bearing", "fan"])
def test_the_real_tables_of_2024_agree_with_the_names_in_them(shared: Path, machine_type: str) -> None:
    from asdcli.clips import parse_attributes, parse_name

    said = read_attributes(shared / f"data/attributes-dcase2024/{machine_type}.attributes_00.csv")
    assert len(said) == 1200
    for stem, pairs in said.items():
        assert parse_attributes(parse_name(stem, "2022").attribute_string) == pairs


def clone(folder: Path, year: int, flag: str) -> None:
    for kind in ("data", "domain"):
        place = folder / f"dcase{year}_task2_evaluator" / f"ground_truth_{kind}"
        place.mkdir(parents=True)
        (place / "ground_truth_ToothBrush_section_00_test.csv").write_text(f"section_00_0000.wav,{flag}\n")


def test_of_two_years_clones_the_right_one_is_taken(tmp_path: Path) -> None:
    clone(tmp_path / "held", 2024, "0")
    clone(tmp_path / "held", 2026, "1")
    for year, word in ((2024, b",0\n"), (2026, b",1\n")):
        wanted = tables(catalogue.load(f"dcase{year}"), EVAL, ["ToothBrush"])
        with client() as http:
            failed = ground_truth.fetch(wanted, tmp_path / str(year), http=http, from_dir=tmp_path / "held")
        assert not failed
        assert all((tmp_path / str(year) / t.path).read_bytes().endswith(word) for t in wanted)


def test_tables_that_differ_and_fit_equally_are_not_guessed(tmp_path: Path) -> None:
    for name, flag in (("one", "0"), ("two", "1")):
        place = tmp_path / "held" / name / "ground_truth_data"
        place.mkdir(parents=True)
        (place / "ground_truth_ToothBrush_section_00_test.csv").write_text(f"section_00_0000.wav,{flag}\n")
    wanted = [t for t in tables(catalogue.load("dcase2024"), EVAL, ["ToothBrush"]) if t.truth.gives == "condition"]
    with client() as http:
        failed = ground_truth.fetch(wanted, tmp_path / "root", http=http, from_dir=tmp_path / "held")
    assert "differ" in str(failed[wanted[0].path])
    assert not (tmp_path / "root" / wanted[0].path).exists()
