"""`asd score --from FILE`: scores from elsewhere go on like any other, or are refused by name."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asdcli import artifacts
from asdcli.errors import UsageError
from asdcli.stages.import_scores import method_name
from tests.helpers import noise_run

Asd = Callable[..., int]
ROWS = [row for machine_type in ("fan", "valve") for row in noise_run.rows(machine_type)]
IDS = [row["clip_id"] for row in ROWS]
SCORES = [float(row["condition"] == "anomaly") + i / 1000 for i, row in enumerate(ROWS)]


@pytest.fixture
def where(tmp_path: Path) -> tuple[object, ...]:
    """The options of a run of 28 labelled clips."""
    noise_run.write(tmp_path)
    return ("--data", tmp_path / "data", "--dataset", "noise", "--run", tmp_path / "runs" / "noise")


def write(path: Path, columns: dict[str, list[Any]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([columns, *zip(*columns.values(), strict=True)])
    elif path.suffix == ".npz":
        np.savez(path, **{name: np.array(values) for name, values in columns.items()})
    else:
        pq.write_table(pa.table(columns), path)
    return path


def read(tmp_path: Path, name: str) -> tuple[list[dict[str, Any]], artifacts.Header]:
    table, header = artifacts.read_table(tmp_path / "runs" / "noise" / "scores" / f"{name}.parquet", artifacts.SCORES)
    return table.to_pylist(), header


@pytest.mark.parametrize("suffix", ["csv", "npz", "parquet"])
def test_two_columns_are_enough_and_go_through_evaluate_threshold_submit_and_smooth(
    asd: Asd, where: tuple[object, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    source = write(tmp_path / f"mine.{suffix}", {"clip_id": IDS[::-1], "anomaly_score": SCORES[::-1]})
    assert asd("score", "--from", source, *where, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(o["kind"], o["method"]) for o in told["outputs"]] == [("scores", "mine")]
    rows, header = read(tmp_path, "mine")
    assert {r["clip_id"]: r["anomaly_score"] for r in rows} == dict(zip(IDS, SCORES, strict=True))
    assert {r["clip_id"]: (r["condition"], r["split"], r["section"]) for r in rows} == {
        r["clip_id"]: (r["condition"], r["split"], r["section"]) for r in ROWS
    }
    assert header.params == {"method": "mine"} and set(header.inputs) == {"source", "clips"}
    assert asd("score", "--from", source, *where) == 0
    assert "up to date" in capsys.readouterr().err
    assert asd("evaluate", *where) == 0
    assert "|method:mine|" in (told := capsys.readouterr().out) and "= 1.0000" in told
    assert asd("threshold", *where) == 0
    assert asd("submit", "--label", "Doe_Lab", "--edition", "dcase2023", "--subset", "dev", *where) in (0, 3)
    if suffix == "csv":
        vectors = {f"v{i}": list(np.random.default_rng(i).normal(size=28)) for i in range(3)}
        labels = {n: [r[n] for r in ROWS] for n in ("clip_id", "machine_type", "split", "section")}
        assert asd("embed", "--from", write(tmp_path / "v.csv", labels | vectors), *where) == 0
        assert asd("smooth", "--method", "mine", "-k", "2", *where) == 0
        capsys.readouterr()
        asd("doctor", *where, "--json")  # there is no audio, which is a problem of its own
        found = {f["name"]: f for f in json.loads(capsys.readouterr().out)["facts"]["findings"]}
        assert found["scores/mine"]["state"] == "ok"


def test_strangers_and_missing_clips_are_named_and_the_others_taken(
    asd: Asd, where: tuple[object, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = next(row["clip_id"] for row in ROWS if row["split"] == "test")
    ids = [f"stranger_{i}" for i in range(4)] + [i for i in IDS if i != missing]
    source = write(tmp_path / "mine.csv", {"clip_id": ids, "score": [0.5] * len(ids)})
    assert asd("score", "--from", source, "--name", "ours", *where) == 3
    told = " ".join(capsys.readouterr().err.split())
    assert "4 scored clips (stranger_0, stranger_1, stranger_2, …) are not in clips.parquet and left out" in told
    assert f"1 test clip ({missing}) is in clips.parquet but without a score" in told
    assert len(read(tmp_path, "ours")[0]) == 27
    errors = tmp_path / "runs" / "noise" / "errors-score-from-ours.parquet"
    assert artifacts.read_table(errors, artifacts.ERRORS)[0]["clip_id"].to_pylist() == ids[:4]
    write(source, {"clip_id": IDS, "score": [0.5] * 28})
    assert asd("score", "--from", source, "--name", "ours", *where) == 0
    assert not errors.exists()


def test_what_the_dataset_does_not_know_comes_from_the_file_and_what_it_knows_does_not(
    asd: Asd, where: tuple[object, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = tmp_path / "data" / "noise" / "clips.parquet"
    table, header = artifacts.read_table(clips, artifacts.CLIPS)
    hidden = [
        None if s == "test" else c
        for s, c in zip(table["split"].to_pylist(), table["condition"].to_pylist(), strict=True)
    ]
    column = table.column_names.index("condition")
    artifacts.write_table(clips, artifacts.CLIPS, table.set_column(column, "condition", pa.array(hidden)), header)
    said = [int(row["condition"] == "anomaly") for row in ROWS]
    said[0] = 1  # a training clip, of which the dataset knows better
    source = write(tmp_path / "mine.csv", {"clip_id": IDS, "anomaly_score": SCORES, "label": said})
    assert asd("score", "--from", source, *where) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert f"says condition anomaly of {IDS[0]}, where clips.parquet says normal; 1 clips differ so" in told
    assert {r["clip_id"]: r["condition"] for r in read(tmp_path, "mine")[0]} == {
        r["clip_id"]: r["condition"] for r in ROWS
    }


def test_without_a_dataset_the_file_says_all_that_is_needed(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: dict[str, list[Any]] = {"clip_id": IDS, "anomaly_score": SCORES}
    source = write(tmp_path / "mine.csv", columns)
    assert asd("score", "--from", source, "--run", "runs/none") == 1
    assert "machine_type is missing, and there is no dataset that knows" in " ".join(capsys.readouterr().err.split())
    columns |= {n: [r[n] for r in ROWS] for n in ("machine_type", "split", "condition", "section", "domain")}
    assert asd("score", "--from", write(source, columns), "--run", "runs/none") == 0
    assert asd("evaluate", "--run", "runs/none") == 0
    assert "none|dev|machines:2|clips:8/?|method:mine|" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"clip_id": IDS, "anomaly_score": ["nan", *SCORES[1:]]}, f"scores of 1 clips, the first of '{IDS[0]}'"),
        ({"clip_id": IDS, "anomaly_score": ["inf", *SCORES[1:]]}, f"scores of 1 clips, the first of '{IDS[0]}'"),
        ({"clip_id": IDS, "anomaly_score": ["", *SCORES[1:]]}, f"scores of 1 clips, the first of '{IDS[0]}'"),
        ({"clip_id": IDS, "anomaly_score": ["loud", *SCORES[1:]]}, "invalid value 'loud'"),
        ({"clip_id": IDS, "anomaly_score": ["1_02.5", *SCORES[1:]]}, "invalid value '1_02.5'"),
        ({"clip_id": [IDS[1], *IDS[1:]], "anomaly_score": SCORES}, f"clip '{IDS[1]}' stands 2 times"),
        ({"clip_id": ["", *IDS[1:]], "anomaly_score": SCORES}, "clip_id is empty in row 1"),
        ({"clip_id": IDS, "loudness": SCORES}, "column 'anomaly_score' is missing; it has: clip_id, loudness"),
        ({"number": IDS, "anomaly_score": SCORES}, "column 'clip_id' is missing"),
        (
            {"clip_id": IDS, "score": SCORES, "anomaly_score": SCORES},
            "score and anomaly_score both hold scores",
        ),
        (
            {"clip_id": IDS, "anomaly_score": SCORES, "label": ["odd"] * 28},
            "that are no condition: 'odd' (28 rows)",
        ),
        ({"clip_id": [f"{i}.wav" for i in IDS], "anomaly_score": SCORES}, "leave .wav out"),
        ({"clip_id": [], "anomaly_score": []}, "holds no scores"),
    ],
)
def test_scores_that_cannot_be_are_refused_by_name(
    asd: Asd,
    where: tuple[object, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    columns: dict[str, list[Any]],
    message: str,
) -> None:
    assert asd("score", "--from", write(tmp_path / "mine.csv", columns), *where) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert message in told and "mine.csv" in told
    assert not list((tmp_path / "runs" / "noise").rglob("scores/*"))


def test_how_windows_are_joined_is_not_asked_of_finished_scores(
    asd: Asd, where: tuple[object, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "mine.csv", {"clip_id": IDS, "anomaly_score": SCORES})
    assert asd("score", "--from", source, "--of-windows", "max", *where) == 2
    assert "--from brings scores that are finished" in capsys.readouterr().err


def test_text_in_a_typed_file_is_no_score(asd: Asd, where: tuple[object, ...], tmp_path: Path, capsys: Any) -> None:
    source = write(tmp_path / "mine.parquet", {"clip_id": IDS, "anomaly_score": ["high"] * 28})
    assert asd("score", "--from", source, *where) == 1
    assert "column 'anomaly_score' is string, not numbers" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("nn", "--name my-nn"),
        ("varmin:k=16", "--name varmin-k=16"),
        ("my scores (1)", "--name my-scores-1"),
        ("../evil", "--name evil"),
        ("mse+smooth", "--name mse-smooth"),
        ("gmm.tuned", "--name my-gmm"),
        ("", "--name mine"),
    ],
)
def test_a_name_that_means_something_else_is_refused_with_one_that_does_not(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        method_name(name)
    assert hint in str(caught.value.hint)


def test_scores_that_asd_made_are_not_overwritten(
    asd: Asd, where: tuple[object, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "mine.parquet"
    source = write(tmp_path / "brought.csv", {"clip_id": IDS, "anomaly_score": SCORES})
    assert asd("score", "--from", source, *where) == 0
    made, header = artifacts.read_table(tmp_path / "runs/noise/scores/brought.parquet", artifacts.SCORES)
    ours = artifacts.Header.make(artifacts.SCORES, dataset="noise", params=header.params)
    artifacts.write_table(target, artifacts.SCORES, made, ours)
    before = target.read_bytes()
    assert asd("score", "--from", source, "-o", target, "--force", *where) == 2
    assert "holds scores that were not brought" in " ".join(capsys.readouterr().err.split())
    assert target.read_bytes() == before


def test_options_that_say_how_to_score_do_not_go_with_finished_scores(
    asd: Asd, where: tuple[object, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "mine.csv", {"clip_id": IDS, "anomaly_score": SCORES})
    for words in (("--method", "nn"), ("-k", 3), ("--val", "test-all"), ("--unit", "section")):
        assert asd("score", "--from", source, *words, *where) == 2
    assert asd("score", "--name", "mine", *where) == 2
    assert "--from" in capsys.readouterr().err
