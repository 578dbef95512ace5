"""`asd bench`: an encoder on every edition that is there, each a run as any other, and what is not there by name."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.cli import call
from asdcli.pipeline.steps import evaluate
from asdcli.pipeline.workspace import Workspace
from tests.helpers.many_runs import results
from tests.helpers.sweeps import HERE, NOWHERE, OBEDIENT, ORDER
from tests.helpers.tiny_encoders import tiny
from tests.helpers.typed import typed

Told = Callable[..., dict[str, Any]]
METHODS = ("nn", "rescale:k=1")
BOTH = ("--editions", "2023,synthetic", "-m", "nn", "-m", "ratio", "--bootstrap", "50")


@pytest.fixture(scope="module")
def made(everything: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with two editions, rendered machines and some of these as if of 2023, and a third dataset."""
    place = tmp_path_factory.mktemp("editions")
    data = place / "data"
    for name in ("synthetic", "dcase2023", "mine"):
        (data / name).mkdir(parents=True)
        (data / name / "dev_data").symlink_to(everything / "data/synthetic/dev_data")
    table, header = artifacts.read_table(everything / "data/synthetic/clips.parquet", artifacts.CLIPS)
    artifacts.write_table(data / "synthetic/clips.parquet", artifacts.CLIPS, table, header)
    for name, params, kept in (("dcase2023", {"edition": "dcase2023"}, 6), ("mine", {}, 1)):
        other = Header.make(artifacts.CLIPS, dataset=name, params=params)
        part = table.filter([i % 7 < kept for i in range(len(table))])
        artifacts.write_table(data / name / "clips.parquet", artifacts.CLIPS, part, other)
    (place / "runs").mkdir()
    (place / "runs/synthetic").symlink_to(everything / "runs/synthetic")
    return place


@pytest.fixture(scope="module")
def done(made: Path) -> Path:
    """The same after a bench."""
    return typed(made, ["bench", "logmel", *BOTH[2:], "--engine", HERE])


@pytest.fixture
def there(done: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(done)
    return done


def cells(told: dict[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """(method, dataset, subset) -> the cell of the table."""
    (sheet,) = told["facts"]["tables"]
    assert sheet["name"] == "bench"
    return {(cell["method"], cell["dataset"], cell["subset"]): cell for cell in sheet["cells"]}


def test_each_number_is_that_of_its_run_with_the_interval_of_evaluate_and_a_second_call_does_nothing(
    there: Path, told: Told
) -> None:
    said = told("bench", "logmel", *BOTH, "--engine", NOWHERE)
    assert (said["status"], said["exit_code"]) == ("current", 3)
    assert [output["path"] for output in said["outputs"]] == [
        f"runs/bench/{name}/logmel/seed-0" for name in ("dcase2023", "synthetic")
    ]
    found = cells(said)
    for output, dataset in zip(said["outputs"], ("dcase2023", "synthetic"), strict=True):
        run = Path(output["path"])
        for method, official in results(run).items():
            assert found[method[0], dataset, "dev"]["mean"] == pytest.approx(official, abs=1e-12)
        report = evaluate.run(
            Workspace(Path("data"), run, dataset, selects=False),
            options=evaluate.Options(n_resamples=50),
            output=there / "elsewhere.parquet",
        )
        for one in report.evaluations:
            cell = found[one.method, dataset, "dev"]
            assert one.interval is not None
            assert (cell["low"], cell["high"]) == pytest.approx([100 * end for end in one.interval], abs=1e-10)
            assert cell["signature"].startswith(f"{dataset}|dev|table:compare|runs:1|seeds:0|embedder:logmel|method:")


def test_the_means_are_those_of_the_columns(there: Path, told: Told) -> None:
    found = cells(told("bench", "logmel", *BOTH, "--engine", NOWHERE))
    assert len(found) == len(METHODS) * 4
    for method in METHODS:
        a, b = (found[method, dataset, "dev"]["mean"] for dataset in ("dcase2023", "synthetic"))
        mean, harmonic = (found[method, f"{kind} mean", "dev"] for kind in ("arithmetic", "harmonic"))
        assert mean["mean"] == pytest.approx((a + b) / 2)
        assert harmonic["mean"] == pytest.approx(2 / (1 / a + 1 / b))
        assert mean["low"] < mean["mean"] < mean["high"]
        begins = "dcase2023+synthetic|dev|mean:arithmetic|table:compare|runs:2|seeds:0|embedder:logmel|"
        assert mean["signature"].startswith(begins)


def test_what_is_not_there_is_named_with_the_command_that_brings_it(there: Path, told: Told) -> None:
    said = told("bench", "logmel", *BOTH, "--engine", NOWHERE)
    missing = {(gap["edition"], gap["what"]): gap["mends"] for gap in said["facts"]["missing"]}
    assert missing["dcase2023", "eval"] == "asd download dcase2023 --subset eval"
    (machine_types,) = [what for edition, what in missing if edition == "dcase2023" and "of dev" in what]
    assert "ToyCar" in machine_types and "fan" not in machine_types
    assert missing["synthetic", "bearing, compressor, gearbox, pump, slider of dev"] == "asd download synthetic"
    assert all(
        f"not there: {edition} {what}: {mends}" in said["warnings"] for (edition, what), mends in missing.items()
    )
    (sheet,) = said["facts"]["tables"]
    assert {str(note).partition(":")[0] for note in sheet["notes"]} >= {"not there"}


def test_without_named_editions_all_that_are_there_are_taken_and_the_rest_is_no_fault(there: Path, told: Told) -> None:
    said = told("bench", "logmel", "-m", "nn", "--bootstrap", "10", "--engine", NOWHERE)
    assert (said["status"], said["exit_code"], len(said["outputs"])) == ("current", 0, 2)
    assert {method for method, _, _ in cells(said)} == {"nn"}


def test_a_dataset_of_ones_own_lacks_nothing(there: Path, told: Told) -> None:
    said = told("bench", "logmel", "--editions", "mine", "-m", "nn", "--bootstrap", "10", "--engine", HERE)
    assert (said["status"], said["exit_code"], said["facts"]["missing"]) == ("done", 0, [])
    assert [place for _, *place in cells(said)] == [["mine", "dev"]]


def test_a_table_in_a_file_says_the_same(there: Path, told: Told, tmp_path: Path) -> None:
    file = tmp_path / "bench.csv"
    told("bench", "logmel", *BOTH, "--engine", NOWHERE, "-o", str(file))
    rows = list(csv.DictReader(file.read_text().splitlines()))
    found = cells(told("bench", "logmel", *BOTH, "--engine", NOWHERE))
    for row in rows:
        cell = found[row["method"], row["dataset"], row["subset"]]
        assert float(row["mean"]) == cell["mean"] and row["signature"] == cell["signature"]
    assert len(rows) == len(found) and "not there: dcase2023 eval" in rows[0]["notes"]
    lines = told("bench", "logmel", *BOTH, "--engine", NOWHERE, "--format", "markdown", "-o", str(tmp_path / "x"))
    assert lines["outputs"][-1]["kind"] == "table"
    assert (tmp_path / "x").read_text().startswith("**Official score")


def test_trained_is_what_the_model_of_the_editions_own_run_embedded(there: Path, told: Told) -> None:
    said = told("bench", "trained", "--editions", "2023,synthetic", "-m", "nn", "--bootstrap", "10", "--engine", HERE)
    assert [output["path"] for output in said["outputs"]] == ["runs/bench/synthetic/trained/seed-0"]
    found = cells(said)
    assert {dataset for _, dataset, _ in found} == {"synthetic"}  # nothing to take a mean of
    own = results(Path("runs/synthetic"))["nn", "dev"]
    assert found["nn", "synthetic", "dev"]["mean"] == pytest.approx(own)
    told_of = next(gap for gap in said["facts"]["missing"] if "trained model" in gap["what"])
    assert told_of["edition"] == "dcase2023"
    assert told_of["mends"].endswith("asd train --dataset dcase2023 && asd embed --dataset dcase2023")
    again = told("bench", "trained", "--editions", "synthetic", "-m", "nn", "--bootstrap", "10", "--engine", NOWHERE)
    assert again["status"] == "current"


def test_an_encoder_of_other_weights_is_benched_anew(there: Path, told: Told) -> None:
    pytest.importorskip("transformers")
    line = ("bench", "ast:checkpoint=weights", "logmel", "--editions", "mine", "-m", "nn", "--bootstrap", "10")
    tiny("ast", there / "weights")
    first = told(*line, "--device", "cpu", "--engine", HERE)
    models = {cell["model"] for cell in first["facts"]["tables"][0]["cells"]}
    assert models == {"logmel", "pretrained:model=ast,checkpoint=weights"}
    assert told(*line, "--engine", NOWHERE)["status"] == "current"
    tiny("ast", there / "weights", seed=1)
    again = told(*line, "--device", "cpu", "--engine", HERE)
    assert [cell["state"] for cell in again["facts"]["cells"]] == ["done", "current"]


def test_an_edition_that_fails_is_named_and_does_not_stop_the_others(there: Path, told: Told) -> None:
    line = ("bench", "logmel", *BOTH[:2], "-m", OBEDIENT, "--bootstrap", "10", "--runs", "runs/odd", "--engine", HERE)
    Path(ORDER).write_text("refuse")
    said = told(*line)
    assert (said["exit_code"], [cell["state"] for cell in said["facts"]["cells"]]) == (3, ["failed", "done"])
    assert any("nothing can be made of this" in warning for warning in said["warnings"])
    assert {dataset for _, dataset, _ in cells(said)} == {"synthetic"}
    assert [cell["state"] for cell in told(*line)["facts"]["cells"]] == ["done", "current"]
    Path(ORDER).write_text("refuse")
    failed = told(*(word.replace("2023,synthetic", "2023") for word in line), "--force")
    assert failed["error"]["message"] == "not one edition could be scored: nothing can be made of this"
    assert failed["error"]["hint"] == "bring something else"


@pytest.mark.parametrize(
    ("line", "code", "said", "hint"),
    [
        ("logmle", 2, "unknown embedder 'logmle'", "did you mean 'logmel'?"),
        ("autoencoder", 2, "unknown embedder 'autoencoder'", "known: ast"),
        ("beats", 2, "embedder 'beats' needs checkpoint", "write beats:checkpoint=…"),
        ("beats:checkpoint=no/such.pt --editions synthetic", 1, "there is no checkpoint no/such.pt", "name its file"),
        ("trained:k=1", 2, "embedder 'trained' has no parameter 'k'", "it takes: none"),
        ("logmel --editions 2031", 2, "there is no edition of 2031", "2020 to 2026"),
        ("logmel --editions dcase2032", 2, "unknown edition 'dcase2032'", "did you mean 'dcase2026'?"),
        ("logmel --editions 2024", 1, "nothing to score; not there: dcase2024 dev and eval", "asd download dcase2024"),
        ("logmel --data none", 1, "no edition of the challenge is under none", "asd download EDITION"),
        ("trained --editions 2023", 1, "nothing to score; not there: dcase2023", "asd train --dataset dcase2023 &&"),
        ("logmel -m mse", 2, "mse looks at what an autoencoder misses", "asd methods"),
        ("logmel -m nn+mse+fuse:by=z", 2, "mse looks at what an autoencoder misses", "asd methods"),
        ("logmel -m vramin", 2, "unknown method 'vramin'", "did you mean 'varmin'?"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    there: Path, capsys: pytest.CaptureFixture[str], line: str, code: int, said: str, hint: str
) -> None:
    capsys.readouterr()
    assert call(["bench", *line.split(), "--json", "--engine", NOWHERE]) == code
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"].startswith(said) and hint in error["hint"]
