"""The catalogue: every edition loads, and the irregular facts stand in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from asdcli import catalogue
from asdcli.catalogue.edition import Edition
from asdcli.errors import UsageError
from asdcli.vocabulary import Subset

YEARS = [f"dcase{y}" for y in range(2020, 2027)]


def test_all_editions_are_there_and_load() -> None:
    assert [n for n in catalogue.names() if n.startswith("dcase")] == YEARS
    for name in catalogue.names():
        assert catalogue.load(name).name == name


@pytest.mark.parametrize("name", YEARS)
def test_every_record_names_one_zip_for_each_machine_type(name: str) -> None:
    edition = catalogue.load(name)
    assert [r.part for r in edition.records] == ["development", "additional training", "evaluation test"]
    for record in edition.records:
        part = edition.part(record.subset)
        assert part is not None
        names = [record.zip_name(m) for m in part.machine_types]
        assert len(set(names)) == len(part.machine_types)
        assert all(m in z for m, z in zip(part.machine_types, names, strict=True))
        assert set(record.md5) <= set(part.machine_types)
        assert all(re.fullmatch("[0-9a-f]{32}", m) for m in record.md5.values())


def test_no_checksum_stands_twice() -> None:
    sums = [m for name in YEARS for r in catalogue.load(name).records for m in r.md5.values()]
    assert len(sums) == len(set(sums)) == 18 + 21 + 11


@pytest.mark.parametrize(
    ("name", "index", "machine_type", "zip_name"),
    [
        ("dcase2020", 1, "fan", "eval_data_train_fan.zip"),  # 2020 has the split before the machine type
        ("dcase2021", 0, "fan", "dev_data_fan.zip"),
        ("dcase2021", 1, "fan", "eval_data_fan_train.zip"),
        ("dcase2022", 0, "fan", "dev_fan.zip"),  # dev_data_ became dev_
        ("dcase2024", 1, "3DPrinter", "eval_data_3DPrinter_train_r2.zip"),
        ("dcase2024", 1, "RoboticArm", "eval_data_RoboticArm_train_r2.zip"),
        ("dcase2024", 1, "Scanner", "eval_data_Scanner_train.zip"),
        ("dcase2026", 0, "ToyCar", "dev_ToyCar_r2.zip"),
    ],
)
def test_zip_names_follow_each_years_own_rule(name: str, index: int, machine_type: str, zip_name: str) -> None:
    assert catalogue.load(name).records[index].zip_name(machine_type) == zip_name


def test_superseded_records_are_not_used() -> None:
    used = {r.record for name in YEARS for r in catalogue.load(name).records}
    assert not used & {"11183284", "7687464"}


def test_training_lengths_and_score_rules_are_those_of_the_papers() -> None:
    facts = {n: (catalogue.load(n).clip_length_s, catalogue.load(n).metric) for n in YEARS}
    assert facts == {
        "dcase2020": (None, "dcase2020"),
        "dcase2021": (10.0, "dcase2021"),
        "dcase2022": (10.0, "dcase2022"),
        "dcase2023": (18.0, "dcase2022"),
        "dcase2024": (12.0, "dcase2022"),
        "dcase2025": (12.0, "dcase2022"),
        "dcase2026": (12.0, "dcase2022"),
    }


def test_only_2026_has_two_channels() -> None:
    channels = {n: catalogue.load(n).channels for n in YEARS}
    assert channels.pop("dcase2026") == ("near", "far")
    assert set(channels.values()) == {("mono",)}


def test_sections_of_2020_differ_by_machine_type_and_subset() -> None:
    edition = catalogue.load("dcase2020")
    assert edition.dev.sections_for("fan") == ("00", "02", "04", "06")
    assert edition.dev.sections_for("ToyConveyor") == ("01", "02", "03")
    assert edition.part(Subset.EVAL).sections_for("ToyCar") == ("05", "06", "07")


def test_an_unknown_edition_gets_a_suggestion() -> None:
    with pytest.raises(UsageError) as error:
        catalogue.load("dcase23")
    assert "dcase2023" in error.value.hint


def test_an_unknown_key_in_a_toml_is_refused() -> None:
    good = catalogue.load("synthetic").model_dump()
    with pytest.raises(ValidationError, match="machine_typos"):
        Edition(**good, machine_typos=1)


def test_loading_an_edition_imports_neither_torch_nor_pyarrow() -> None:
    code = (
        "import sys; from asdcli import catalogue; catalogue.load('dcase2023');"
        "print([m for m in ('torch', 'pyarrow', 'numpy', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_asd_datasets_lists_and_shows(asd: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert asd("datasets") == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in YEARS)
    assert asd("datasets", "dcase2024") == 0
    shown = capsys.readouterr().out
    for fact in ("eval_data_RoboticArm_train_r2.zip", "10902294", "CC BY-NC-SA 4.0", "7.90225", "arXiv", "16000 Hz"):
        assert fact in shown
    assert asd("datasets", "dcase2026", "--json") == 0
    assert json.loads(capsys.readouterr().out)["facts"]["channels"] == ["near", "far"]
    assert asd("datasets", "dcase2032") == 2
