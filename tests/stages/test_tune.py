"""Choosing parameters on some sections and reporting on others: nothing of the reported ones leaks into the choice."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import hmean
from sklearn.metrics import roc_auc_score

from asdcli import artifacts
from asdcli.stages.tune import Choice, best, select
from tests.helpers import two_runs
from tests.helpers.rewrite import rewrite

GRID = ("-k", "1,4,16", "--clusters", "1,2")


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    return two_runs.write(tmp_path, two_runs.rows(["fan", "valve"]))


def tune(asd: Callable[..., int], runs: tuple[Path, Path], *more: object, run: str = "out") -> int:
    options = ("--embeddings", runs[1], "--dataset", "made", "--run", run, *GRID)
    return asd("tune", "--scores", runs[0], *options, *more)


def grid(run: Path) -> list[dict]:
    return pq.read_table(run / "tuning.parquet").to_pylist()


def areas(scores: dict[str, float], machine_type: str, sections: tuple[str, ...]) -> list[float]:
    found = []
    for section in sections:
        own = [(s, "anomaly" in i) for i, s in scores.items() if f"/{machine_type}/test/section_{section}" in i]
        found += [roc_auc_score([y for _, y in own], [s for s, _ in own], max_fpr=p) for p in (None, 0.1)]
    return found


def scores_of(path: Path) -> dict[str, float]:
    table = pq.read_table(path)
    return dict(zip(table["clip_id"].to_pylist(), table["anomaly_score"].to_pylist(), strict=True))


def flip(runs: tuple[Path, Path], sections: tuple[str, ...]) -> None:
    """Turn the conditions of the test clips of some sections around, in both runs."""
    other = {"normal": "anomaly", "anomaly": "normal"}
    for path in (*runs[0].glob("*/mse.parquet"), runs[1] / "embeddings.parquet"):
        table = pq.read_table(path)
        conditions = [
            other[r["condition"]] if r["section"] in sections and r["split"] == "test" else r["condition"]
            for r in table.select(["condition", "section", "split"]).to_pylist()
        ]
        place = table.column_names.index("condition")
        rewrite(path, table.set_column(place, "condition", pa.array(conditions)))


def test_labels_of_the_reported_sections_never_change_a_choice(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path
) -> None:
    assert tune(asd, runs) == 0
    flip(runs, ("03", "04", "05"))
    assert tune(asd, runs, run="flipped") == 0
    before, after = grid(tmp_path / "out"), grid(tmp_path / "flipped")
    assert [(r["params"], r["chosen"], r["chosen_on"]) for r in before] == [
        (r["params"], r["chosen"], r["chosen_on"]) for r in after
    ]
    assert [r["reported_on"] for r in before] != [r["reported_on"] for r in after]
    for method in ("mse+smooth:tuned", "gmm:tuned"):
        name = f"scores/{method.replace(':', '.')}.parquet"
        assert scores_of(tmp_path / "out" / name) == scores_of(tmp_path / "flipped" / name)


def test_labels_of_the_choosing_sections_do_change_it(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path
) -> None:
    assert tune(asd, runs) == 0
    flip(runs, ("00", "01", "02"))
    assert tune(asd, runs, run="flipped") == 0
    chosen = [[r["params"] for r in grid(tmp_path / run) if r["chosen"]] for run in ("out", "flipped")]
    assert chosen[0] != chosen[1]


def test_the_table_is_what_the_score_files_are_worth(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert tune(asd, runs, "--json", "-q") == 0
    table = json.loads(capsys.readouterr().out)["facts"]["table"]
    reported = ("03", "04", "05")
    rows = {row[0]: dict(zip(table["columns"], row, strict=True)) for row in table["rows"]}
    assert list(rows) == ["gmm", "mse", "mse+smooth", "mse+smooth (oracle)"]
    files = {"gmm": "gmm.tuned", "mse+smooth": "mse+smooth.tuned"}
    for method, name in files.items():
        scores = scores_of(tmp_path / "out/scores" / f"{name}.parquet")
        for machine_type in ("fan", "valve"):
            assert rows[method][machine_type] == pytest.approx(hmean(areas(scores, machine_type, reported)), abs=1e-9)
        everything = areas(scores, "fan", reported) + areas(scores, "valve", reported)
        assert rows[method]["all"] == pytest.approx(hmean(everything), abs=1e-9)
    assert all(rows["mse+smooth (oracle)"][m] >= rows["mse+smooth"][m] for m in ("fan", "valve"))
    assert rows["mse"]["fan"] == pytest.approx(hmean(areas(scores_of(runs[0] / "scores/mse.parquet"), "fan", reported)))
    worst = [c for c in rows["gmm"] if "-0" in c]
    assert len(worst) == 1 and rows["gmm"][worst[0]] == min(
        areas(scores_of(tmp_path / "out/scores/gmm.tuned.parquet"), m, (s,))[0]
        for m in ("fan", "valve")
        for s in reported
    )


def test_the_grid_is_stored_whole_with_one_choice_and_one_oracle_a_machine_type(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path
) -> None:
    assert tune(asd, runs) == 0
    rows = grid(tmp_path / "out")
    assert len(rows) == 2 * (3 * 2 + 2 * 2)
    for method in ("gmm", "mse+smooth"):
        for machine_type in ("fan", "valve"):
            own = [r for r in rows if (r["method"], r["machine_type"]) == (method, machine_type)]
            (chosen,), (oracle,) = ([r for r in own if r[flag]] for flag in ("chosen", "oracle"))
            assert chosen["chosen_on"] == max(r["chosen_on"] for r in own)
            assert oracle["reported_on"] == max(r["reported_on"] for r in own)


def test_tuned_scores_equal_smoothing_with_the_chosen_parameters(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path
) -> None:
    assert tune(asd, runs, "--machine-type", "fan", "--clusters", "none") == 0
    (chosen,) = (r["params"] for r in grid(tmp_path / "out") if r["chosen"])
    k, data = (part.split("=")[1] for part in chosen.split(","))
    options = ("--embeddings", runs[1], "--dataset", "made", "--run", "out", "--machine-type", "fan")
    assert asd("smooth", "--scores", runs[0], *options, "-k", k, "--neighbours", data) == 0
    scores = tmp_path / "out/scores"
    assert scores_of(scores / "mse+smooth.tuned.parquet") == scores_of(scores / f"mse+smooth.{chosen}.parquet")


def test_tuning_again_does_nothing_and_shows_the_same(
    asd: Callable[..., int], runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(asd, runs) == 0
    first = capsys.readouterr()
    assert tune(asd, runs) == 0
    again = capsys.readouterr()
    assert "up to date" in again.err and again.out == first.out


@pytest.mark.parametrize(
    "forged",
    [
        {"choices": None},
        {"choices": {}, "oracle": {}},
        {"oracle": {"gmm": {"fan": "clusters=1", "valve": "clusters=1"}}},
        {"choices": {"gmm": {"fan": "clusters=1"}, "mse+smooth": {"valve": "k=1,data=all"}}},
        {"table": []},
        {"table": {"columns": ["method"], "rows": [["nn", 0.5]]}},
        {"table": {"columns": ["method", "fan"], "rows": [["nn", "0.5"]]}},
    ],
)
def test_a_tuning_that_does_not_say_what_was_found_is_made_again(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], forged: dict
) -> None:
    assert tune(asd, runs) == 0
    first = capsys.readouterr().out
    table, header = artifacts.read_table(tmp_path / "out/tuning.parquet", artifacts.TUNING)
    header = dataclasses.replace(header, diagnostics={**header.diagnostics, **forged})
    artifacts.write_table(tmp_path / "out/tuning.parquet", artifacts.TUNING, table, header)
    assert tune(asd, runs) == 0
    again = capsys.readouterr()
    assert "up to date" not in again.err and again.out == first


def test_sections_without_labels_are_refused_in_words(
    asd: Callable[..., int], runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(asd, runs, "--choose", "11,12") == 2
    assert "sections with labels: 00, 01, 02, 03, 04, 05" in capsys.readouterr().err


def test_without_labels_to_report_the_choice_is_still_made(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(asd, runs, "--report", "11") == 0
    assert "nothing is reported" in capsys.readouterr().err
    rows = grid(tmp_path / "out")
    assert sum(r["chosen"] for r in rows) == 4 and not any(r["oracle"] for r in rows)


def test_a_tie_goes_to_the_first_of_the_grid() -> None:
    choices = [Choice("k=1", 0.5, 0.9), Choice("k=2", 0.7, 0.1), Choice("k=4", 0.7, 0.9)]
    assert select(choices, "fan", ["00"]) == "k=2"
    assert best(choices) == "k=1"


def test_parameters_tried_are_whole_numbers(
    asd: Callable[..., int], runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(asd, runs, "-k", "1,two") == 2
    assert "cannot read -k '1,two'" in capsys.readouterr().err


def test_scores_are_finite_for_every_clip(asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path) -> None:
    assert tune(asd, runs) == 0
    scores = scores_of(tmp_path / "out/scores/gmm.tuned.parquet")
    assert len(scores) == 2 * 6 * 16 and np.isfinite(list(scores.values())).all()
