"""What of an edition is not on disk is named, with the command that brings it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from asdcli import catalogue
from asdcli.catalogue.chosen import chosen
from asdcli.editions.gaps import gaps
from asdcli.errors import UsageError
from tests.helpers.score_files import clip_rows, write_clips

DEV, EVAL = (
    [row for row in clip_rows("dcase2023", subset=subset, train=1, each=1) if row["machine_type"] != "ToyCar"]
    for subset in ("dev", "eval")
)


def told(data: Path, rows: list[dict], name: str = "dcase2023") -> list[str]:
    if rows:
        write_clips(data, name, rows)
    clips = data / name / "clips.parquet"
    return [str(gap) for gap in gaps(catalogue.load(name), clips, ["--data", "far away"])]


def test_of_an_edition_that_was_not_downloaded_everything_is_missing(tmp_path: Path) -> None:
    again = "asd download dcase2023 --data 'far away' --subset dev --subset eval"
    assert told(tmp_path, []) == [f"not there: dcase2023 dev and eval: {again}"]


def test_subsets_machine_types_and_truth_are_missed_one_by_one(tmp_path: Path) -> None:
    dev, *rest = told(tmp_path, [*DEV, *({**row, "condition": None} for row in EVAL)])
    begin = "asd download dcase2023 --data 'far away'"
    assert dev == f"not there: dcase2023 ToyCar of dev: {begin} --machine-type ToyCar"
    n_test = sum(row["split"] == "test" for row in EVAL)
    assert rest == [f"not there: dcase2023 the truth of {n_test} test clips of eval: {begin} --subset eval"]
    assert told(tmp_path, DEV)[1:] == [f"not there: dcase2023 eval: {begin} --subset eval"]


def test_a_machine_type_without_training_clips_is_not_there(tmp_path: Path) -> None:
    rows = [row for row in [*DEV, *EVAL] if (row["machine_type"], row["split"]) != ("fan", "train")]
    (found,) = told(tmp_path, rows)
    machine_types = [m for m in catalogue.load("dcase2023").dev.machine_types if m in ("fan", "ToyCar")]
    assert found.startswith(f"not there: dcase2023 {', '.join(machine_types)} of dev: asd download")


def test_what_was_rendered_is_rendered_again_and_another_edition_does_not_stand_in(tmp_path: Path) -> None:
    assert told(tmp_path, [], "synthetic") == ["not there: synthetic dev: asd download synthetic --data 'far away'"]
    write_clips(tmp_path, "synthetic2021", DEV)
    (tmp_path / "synthetic2021").rename(tmp_path / "synthetic")
    (found,) = told(tmp_path, [], "synthetic")
    assert found.startswith(f"not there: synthetic ({tmp_path / 'synthetic'} holds synthetic2021): asd download")


def test_a_truth_that_nobody_published_is_missed_without_a_command_that_would_bring_it(tmp_path: Path) -> None:
    hidden = [{**row, "condition": None} for row in DEV if row["split"] == "test"]
    shown = [row for row in DEV if row["split"] != "test"]
    found = told(tmp_path, [*shown, *hidden, *EVAL])
    assert found[1] == f"not there: dcase2023 the truth of {len(hidden)} test clips of dev"


def test_recordings_of_ones_own_are_indexed_again(tmp_path: Path) -> None:
    own = catalogue.load("dcase2023").model_copy(update={"records": ()})
    (gap,) = gaps(own, tmp_path / "my pumps" / "clips.parquet", ["--data", str(tmp_path)])
    assert shlex.split(gap.mends) == [
        "asd",
        "index",
        f"{tmp_path}/my pumps",
        "--name",
        "my pumps",
        "--data",
        str(tmp_path),
    ]


# --- how editions are named ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("2020-2022", ["dcase2020", "dcase2021", "dcase2022"]),
        ("2023,2025", ["dcase2023", "dcase2025"]),
        ("dcase2023", ["dcase2023"]),
        (" 2025, dcase2020 ,2024-2026,mine", ["dcase2025", "dcase2020", "dcase2024", "dcase2026", "mine"]),
        ("synthetic2021", ["synthetic2021"]),
    ],
)
def test_editions_are_years_spans_and_names_in_their_order_each_once(text: str, names: list[str]) -> None:
    assert chosen(text, ["mine"]) == names


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("2019-2021", "there is no edition of 2019", "those from 2020 to 2026 are known: asd datasets"),
        ("dcase2032", "unknown edition 'dcase2032'", "did you mean 'dcase2026'"),
        ("2022-2020", "cannot read editions '2022-2020'", "0-9"),
        ("2020,", "unknown edition ''", "known: dcase2020"),
    ],
)
def test_what_names_no_edition_is_refused(text: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        chosen(text)
    assert error.value.message.startswith(said) and hint in (error.value.hint or "")
