"""`asd score` from embeddings on disk to tables of scores: the front door, order and company of clips, bad input."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asdcli import artifacts
from asdcli.errors import BadArtifact, BadData, MissingArtifact
from asdcli.scorers import PAPER
from asdcli.stages import score
from asdcli.views.embeddings import read_embeddings
from asdcli.views.scores import ScoreFiles
from asdcli.vocabulary import Unit
from tests.helpers.heard import Heard
from tests.helpers.rewrite import spoil

Rows = list[dict[str, Any]]


def make_rows(machine_types: tuple[str, ...] = ("fan",), sections: tuple[str, ...] = ("00",), windows: int = 1) -> Rows:
    """24 source, 4 target and 10 test clips a section, drawn from a seed of their own for each machine type."""
    rows: Rows = []
    for machine_type in machine_types:
        rng = np.random.default_rng(sum(map(ord, machine_type)))
        centres = rng.standard_normal((2, 8))
        for section in sections:
            for split, domain, n in (
                ("train", "source", 24),
                ("train", "target", 4),
                ("test", "source", 5),
                ("test", "target", 5),
            ):
                for i in range(n):
                    for window in range(windows):
                        rows.append(
                            {
                                "clip_id": f"dev_data/raw/{machine_type}/{split}/section_{section}_{domain}_{i:04d}",
                                "window": window,
                                "machine_type": machine_type,
                                "section": section,
                                "subset": "dev",
                                "split": split,
                                "domain": domain,
                                "condition": "anomaly" if split == "test" and i % 2 else "normal",
                                "attributes": [("vel", str(i))],
                                "attribute_string": f"vel_{i}",
                                "vector": (centres[int(domain == "target")] + 0.5 * rng.standard_normal(8)).tolist(),
                            }
                        )
    return rows


def write(path: Path, rows: Rows) -> Path:
    types = {"window": pa.int32(), "attributes": pa.map_(pa.string(), pa.string()), "vector": pa.list_(pa.float32())}
    columns = {name: pa.array([row[name] for row in rows], types.get(name, pa.string())) for name in rows[0]}
    header = artifacts.Header.make(artifacts.EMBEDDINGS, dataset="toy", seed=0)
    artifacts.write_table(path, artifacts.EMBEDDINGS, pa.table(columns), header)
    return path


def scores_of(folder: Path, rows: Rows, *methods: str, **options: Any) -> dict[str, dict[str, float]]:
    """method -> clip_id -> score, through the stage."""
    folder.mkdir()
    outputs = {m: ScoreFiles.beside(folder / f"{i}.parquet") for i, m in enumerate(methods)}
    score.run(write(folder / "e.parquet", rows), outputs, errors=folder / "errors.parquet", **options)
    tables = {method: artifacts.read_table(files.clips, artifacts.SCORES)[0] for method, files in outputs.items()}
    return {
        m: dict(zip(t["clip_id"].to_pylist(), t["anomaly_score"].to_pylist(), strict=True)) for m, t in tables.items()
    }


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run with embeddings of two machine types, as `asd embed` leaves it."""
    run = tmp_path / "runs" / "toy"
    run.mkdir(parents=True)
    write(run / "embeddings.parquet", make_rows(("fan", "valve")))
    (tmp_path / "data" / "toy").mkdir(parents=True)
    (run / "run.json").write_text('{"dataset": "toy"}')
    (tmp_path / "data" / "current").write_text("toy\n")
    return run


# ---------------------------------------------------------------------------------------------------------------------
# The front door


def test_the_card_as_typed_writes_scores_of_varmin_on_test_all(asd: Callable[..., int], run_folder: Path) -> None:
    assert asd("score", "--method", "varmin", "--val", "test-all") == 0
    table, header = artifacts.read_table(run_folder / "scores" / "varmin.k=16,val=test-all.parquet", artifacts.SCORES)
    assert set(table["method"].to_pylist()) == {"varmin:k=16,val=test-all"}
    assert len(table) == 2 * 38
    assert sorted(set(table["split"].to_pylist())) == ["test", "train"]
    assert set(artifacts.CLIP_COLUMNS) <= set(table.column_names)
    assert header.params["method"] == "varmin:k=16,val=test-all"
    assert header.dataset == "toy"
    fan = header.diagnostics["units"]["fan"]
    assert (fan["n_val"], fan["k"], fan["n_reference"], fan["rules"]) == (10, 16, 28, [])
    assert fan["variance_after"] <= fan["variance_before"]


@pytest.mark.parametrize(
    ("arguments", "spelling"),
    [
        ((), "varmin:k=16,val=train-all"),
        (("--method", "varmin:k=8,val=train-all"), "varmin:k=8,val=train-all"),
        (("--method", "varmin", "-k", "8", "--val", "train-random"), "varmin:k=8,val=train-random"),
        (("--val", "train-cluster"), "varmin:k=16,val=train-cluster"),
        (("--method", "nn"), "nn"),
        (("--method", "nn", "-k", "2"), "nn:k=2"),
    ],
)
def test_options_are_sugar_for_the_spelling(
    asd: Callable[..., int], run_folder: Path, arguments: tuple[str, ...], spelling: str
) -> None:
    assert asd("score", *arguments) == 0
    assert [p.name for p in (run_folder / "scores").iterdir()] == [f"{spelling.replace(':', '.')}.parquet"]


def test_all_runs_the_thirteen_and_a_second_time_does_nothing(
    asd: Callable[..., int], run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("score", "--method", "all", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["method"] for one in told["outputs"]] == list(PAPER)
    assert {one["status"] for one in told["outputs"]} == {"done"}
    assert {one["clips"] for one in told["facts"]["methods"]} == {76}
    before = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in (run_folder / "scores").iterdir()}
    assert len(before) == 13
    assert asd("score", "--method", "all", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert {again["status"], *(one["status"] for one in again["outputs"])} == {"current"}
    assert {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in (run_folder / "scores").iterdir()} == before
    assert asd("score", "--method", "all", "--force") == 0
    assert {p.name: p.read_bytes() for p in (run_folder / "scores").iterdir()} == {n: b for n, (_, b) in before.items()}


def test_another_seed_unit_or_embedding_makes_scores_stale(asd: Callable[..., int], run_folder: Path) -> None:
    path = run_folder / "scores" / "nn.parquet"
    stamps = []
    for change in ((), ("--seed", "1"), ("--seed", "1", "--unit", "section")):
        assert asd("score", "--method", "nn", *change) == 0
        stamps.append(path.stat().st_mtime_ns)
    write(run_folder / "embeddings.parquet", make_rows(("fan", "valve", "pump")))
    assert asd("score", "--method", "nn", *change) == 0
    assert len({*stamps, path.stat().st_mtime_ns}) == 4


def test_verbose_shows_what_was_found_in_every_unit(
    asd: Callable[..., int], run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):  # also when nothing is to be done
        assert asd("score", "-v", "-k", "40") == 0
        shown = capsys.readouterr().out
        for word in (
            "varmin:k=40,val=train-all",
            "fan",
            "valve",
            "alpha",
            "n_val",
            "variance",
            "corr.",
            "k-reduced",
            "27",
        ):
            assert word in shown


def with_twins(rows: Rows) -> Rows:
    """Of each machine type 200 training clips of the source domain; two are like one another and like no other."""
    rows, more = [row for row in rows if row["split"] == "test" or row["domain"] == "source"], []
    for machine_type in sorted({row["machine_type"] for row in rows}):
        first = next(row for row in rows if row["machine_type"] == machine_type and row["split"] == "train")
        rng = np.random.default_rng(0)
        for i in range(176):
            sign, width = (-1, 0.01) if i < 2 else (1, 0.5)
            vector = sign * np.array(first["vector"]) + width * rng.standard_normal(8)
            clip_id = first["clip_id"].replace("source_0000", f"source_1{i:03d}")
            more.append(first | {"clip_id": clip_id, "vector": vector.tolist()})
    return rows + more


def test_an_alpha_that_hangs_on_few_clips_is_warned_of_in_one_sentence_and_is_in_the_header(
    asd: Callable[..., int], run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(run_folder / "embeddings.parquet", with_twins(make_rows(("fan", "valve"))))
    assert asd("score", "-v", "-m", "varmin:k=8", "-m", "varmin:k=8,slope=theil-sen") == 0
    shown = capsys.readouterr()
    told = [line for line in shown.err.splitlines() if "alpha hangs on few clips" in line]
    assert len(told) == shown.err.count("warning:") == 1
    for words in ("fan (", "valve (", "% of the leverage; alpha ", "-m varmin:k=8,val=train-all,slope=theil-sen"):
        assert words in told[0]
    for words in ("top 1 %", "without", "alpha-on-few"):
        assert words in shown.out
    units = {
        name: artifacts.read_header(
            run_folder / "scores" / f"varmin.k=8,val=train-all{name}.parquet", artifacts.SCORES
        ).diagnostics["units"]["fan"]
        for name in ("", ",slope=theil-sen")
    }
    robust, ols = units[",slope=theil-sen"], units[""]
    assert ols["leverage_top1"] > 0.9
    assert ols["rules"] == ["alpha-on-few"]
    assert f"alpha {ols['alpha']:.2g}, without them {ols['alpha_without_top1']:.2g}" in told[0]
    assert abs(robust["alpha"] - ols["alpha_without_top1"]) < abs(ols["alpha"] - ols["alpha_without_top1"])
    assert robust["rules"] == []


def test_any_embeddings_can_be_scored_without_a_run(asd: Callable[..., int], tmp_path: Path) -> None:
    write(tmp_path / "mine.parquet", make_rows())
    foreign = pq.read_table(tmp_path / "mine.parquet").replace_schema_metadata(None)
    pq.write_table(foreign, tmp_path / "foreign.parquet")
    for name in ("mine", "foreign"):
        assert (
            asd("score", "--method", "nn", "--embeddings", f"{name}.parquet", "-o", f"out/{name}-scores.parquet") == 0
        )
    one, other = (pq.read_table(tmp_path / "out" / f"{n}-scores.parquet") for n in ("mine", "foreign"))
    assert one["anomaly_score"].to_pylist() == other["anomaly_score"].to_pylist()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--method", "varmni"), "did you mean 'varmin'"),
        (("--method", "varmin", "--val", "test"), "did you mean 'test-all'"),
        (("--method", "nn", "--val", "test-all"), "it takes: k"),
        (("--method", "kmeans", "-k", "8"), "it takes: clusters"),
        (("--method", "all", "--val", "test-all"), "belong to one method"),
        (("--method", "varmin", "-k", "0"), "at least 1"),
        (("--method", "nn", "--method", "smote", "-o", "x.parquet"), "-o names one file"),
        (("--unit", "machine"), "machine-type"),
    ],
)
def test_wrong_use_exits_2_with_a_hint(
    asd: Callable[..., int],
    run_folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    assert asd("score", *arguments) == 2
    assert words in capsys.readouterr().err.replace("\n", " ")
    assert not (run_folder / "scores").exists()


def test_missing_embeddings_name_the_command_that_makes_them(
    asd: Callable[..., int], run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run_folder / "embeddings.parquet").unlink()
    assert asd("score") == 1
    assert "asd embed" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_run_is_a_named_error(asd: Callable[..., int], run_folder: Path) -> None:
    run_folder.chmod(0o500)
    try:
        assert asd("score", "--method", "nn") == 1
    finally:
        run_folder.chmod(0o700)


def test_a_file_in_the_place_of_the_scores_folder_is_a_named_error(
    asd: Callable[..., int], run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run_folder / "scores").write_text("")
    assert asd("score", "--method", "nn") == 1
    assert "error:" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------------------------------
# Order and company of clips


METHODS = (
    "nn",
    "kmeans:clusters=4",
    "smote:ratio=0.5",
    "rescale:k=8",
    "varmin:k=4,val=train-random",
    "varmin:k=4,val=train-cluster",
)


def test_neither_the_order_of_clips_nor_other_machine_types_change_a_bit(tmp_path: Path) -> None:
    rows = make_rows(("fan",), windows=2)
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    company = make_rows(("valve", "bearing"), windows=2)
    alone = scores_of(tmp_path / "a", rows, *METHODS)
    together = scores_of(tmp_path / "b", company + shuffled, *METHODS)
    for method in METHODS:
        assert len(alone[method]) == 38
        assert {clip: together[method][clip] for clip in alone[method]} == alone[method]


def test_two_threads_give_the_same_bytes_as_one(tmp_path: Path) -> None:
    rows = make_rows()
    rng = np.random.default_rng(0)
    more = [rows[0] | {"clip_id": f"{i}", "vector": rng.standard_normal(8).tolist()} for i in range(900)]  # 4 blocks
    write(tmp_path / "e.parquet", rows + more)
    files = []
    for threads in ("1", "2"):
        out = tmp_path / f"{threads}.parquet"
        command = ["score", "--embeddings", tmp_path / "e.parquet", "-o", out]
        environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        subprocess.run([sys.executable, "-m", "asdcli", *map(str, command)], check=True, env=environment)
        files.append(out.read_bytes())
    assert files[0] == files[1]


def test_a_clip_of_several_windows_gets_their_mean_and_is_never_compared_with_itself(tmp_path: Path) -> None:
    rows = make_rows(windows=3)
    got = scores_of(tmp_path / "a", rows, "nn")["nn"]
    x = np.array([row["vector"] for row in rows], np.float32).astype(float)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    ids = np.array([row["clip_id"] for row in rows])
    train = np.array([row["split"] == "train" for row in rows])
    for clip in set(ids):
        windows = [min((1 - x[train & (ids != clip)] @ x[i]) / 2) for i in np.flatnonzero(ids == clip)]
        assert got[clip] == pytest.approx(np.mean(windows), abs=1e-12)


def test_scores_of_several_windows_are_kept_beside_their_mean(asd: Callable[..., int], run_folder: Path) -> None:
    write(run_folder / "embeddings.parquet", make_rows(windows=3))
    assert asd("score", "--method", "nn", "--method", "gmm:clusters=1") == 0
    for name in ("nn", "gmm.clusters=1,data=all"):
        windows, _ = artifacts.read_table(run_folder / f"window-scores/{name}.parquet", artifacts.WINDOW_SCORES)
        clips, _ = artifacts.read_table(run_folder / f"scores/{name}.parquet", artifacts.SCORES)
        assert windows["window"].to_pylist() == [0, 1, 2] * 38
        means = windows["anomaly_score"].to_numpy().reshape(38, 3).mean(axis=1)
        np.testing.assert_allclose(clips["anomaly_score"].to_numpy(), means, rtol=1e-12)
    (run_folder / "window-scores/nn.parquet").unlink()
    assert asd("score", "--method", "nn") == 0  # and it is made again
    assert (run_folder / "window-scores/nn.parquet").exists()
    write(run_folder / "embeddings.parquet", make_rows())
    assert asd("score", "--method", "nn") == 0
    assert not (run_folder / "window-scores/nn.parquet").exists()


def test_an_inlier_model_is_of_a_section_unless_another_unit_is_asked_for(tmp_path: Path) -> None:
    rows, method = make_rows(sections=("00", "01")), "gmm:clusters=2"
    own, section, machine_type = (
        scores_of(tmp_path / str(unit), rows, method, "nn", unit=unit)
        for unit in (None, Unit.SECTION, Unit.MACHINE_TYPE)
    )
    assert own[method] == section[method] != machine_type[method]
    assert own["nn"] == machine_type["nn"] != section["nn"]


def test_units_of_sections_equal_scoring_each_section_alone(tmp_path: Path) -> None:
    rows = make_rows(sections=("00", "01"))
    both = scores_of(tmp_path / "a", rows, "varmin:k=4", unit=Unit.SECTION)["varmin:k=4"]
    for section in ("00", "01"):
        own = [row for row in rows if row["section"] == section]
        alone = scores_of(tmp_path / section, own, "varmin:k=4")["varmin:k=4"]
        assert {clip: both[clip] for clip in alone} == alone


def test_a_section_without_training_clips_is_scored_against_its_machine_type(tmp_path: Path) -> None:
    rows = make_rows(sections=("00", "01"))
    lacking = [row for row in rows if row["section"] == "00" or row["split"] == "test"]
    heard = Heard()
    got = scores_of(tmp_path / "a", lacking, "varmin:k=4", unit=Unit.SECTION, progress=heard)["varmin:k=4"]
    machine = scores_of(tmp_path / "b", lacking, "varmin:k=4")["varmin:k=4"]
    of_01 = [row["clip_id"] for row in lacking if row["section"] == "01"]
    assert {clip: got[clip] for clip in of_01} == {clip: machine[clip] for clip in of_01}
    assert len(got) == 38 + 10
    assert "10 clips of section 01" in heard.warnings[0]


def test_hidden_test_domains_and_conditions_change_nothing(tmp_path: Path) -> None:
    rows = make_rows()
    hidden = [row | ({"domain": None, "condition": None} if row["split"] == "test" else {}) for row in rows]
    assert scores_of(tmp_path / "a", rows, *PAPER) == scores_of(tmp_path / "b", hidden, *PAPER)


# ---------------------------------------------------------------------------------------------------------------------
# Bad input


def test_clips_without_any_training_clips_are_left_out_named_and_exit_3(
    asd: Callable[..., int], run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = make_rows(("fan", "valve"))
    write(run_folder / "embeddings.parquet", [r for r in rows if r["machine_type"] == "fan" or r["split"] == "test"])
    assert asd("score", "--method", "nn") == 3
    assert "valve has no training clips" in capsys.readouterr().err
    errors, _ = artifacts.read_table(run_folder / "errors-score.parquet", artifacts.ERRORS)
    assert len(errors) == 10
    assert all("/valve/test/" in clip for clip in errors["clip_id"].to_pylist())
    assert len(artifacts.read_table(run_folder / "scores" / "nn.parquet", artifacts.SCORES)[0]) == 38
    assert asd("score", "--method", "nn") == 3  # up to date, and still not whole
    write(run_folder / "embeddings.parquet", rows)
    assert asd("score", "--method", "nn") == 0
    assert not (run_folder / "errors-score.parquet").exists()


def test_the_only_training_clip_is_named_and_the_test_clips_still_scored(tmp_path: Path) -> None:
    rows = make_rows()
    one = [r for r in rows if r["split"] == "test" or r["clip_id"].endswith("train/section_00_source_0000")]
    heard = Heard()
    got = scores_of(tmp_path / "a", one, "varmin:k=4", "rescale:k=4", "nn", progress=heard)
    assert len(got["nn"]) == 10
    assert got["varmin:k=4"] == got["rescale:k=4"] == got["nn"]
    assert any("one reference clip has no neighbours" in w for w in heard.warnings)
    assert any("only training clip" in w for w in heard.warnings)


def test_a_training_clip_known_to_be_anomalous_is_no_reference(tmp_path: Path) -> None:
    rows = make_rows()
    odd = [row | ({"condition": "anomaly"} if i == 3 else {}) for i, row in enumerate(rows)]
    without = [row for i, row in enumerate(rows) if i != 3]
    assert scores_of(tmp_path / "a", odd, "nn") == scores_of(tmp_path / "b", without, "nn")


def test_fallbacks_are_told_once_a_rule(tmp_path: Path) -> None:
    rows = [r for r in make_rows(("fan", "valve")) if r["split"] == "test" or r["domain"] == "source"]
    heard = Heard()
    scores_of(tmp_path / "a", rows, *PAPER, progress=heard)
    told = [w for w in heard.warnings if w.startswith("no target training clips")]
    assert told == ["no target training clips (kmeans, smote, … 6 methods; fan, valve)"]
    assert sum("train-all is used instead" in w for w in heard.warnings) == 1


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("vector", [float("nan")] * 8, "vector of {clip}: it is not finite"),
        ("vector", [None] * 8, "vector of {clip}: it is not finite"),
        ("vector", [1.0] * 7, "vector of {clip}: it has 7 dimensions, the first one 8"),
        ("split", "validation", "split of {clip} is 'validation': it is none of train, test, supplemental"),
        ("domain", "target ", "domain of {clip} is 'target ': it is none of source, target"),
    ],
)
def test_unusable_embeddings_are_refused_by_the_clips_name(
    tmp_path: Path, column: str, value: object, words: str
) -> None:
    rows = make_rows()
    spoil(write(tmp_path / "e.parquet", rows), 7, **{column: value})
    outputs = {"nn": ScoreFiles.beside(tmp_path / "nn.parquet")}
    with pytest.raises(BadArtifact, match=re.escape(words.format(clip=rows[7]["clip_id"]))):
        score.run(tmp_path / "e.parquet", outputs, errors=tmp_path / "errors.parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["e.parquet"]


def test_embeddings_without_training_clips_or_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no training clips"):
        scores_of(tmp_path / "a", [r for r in make_rows() if r["split"] == "test"], "nn")
    scores_of(tmp_path / "b", make_rows(), "nn")
    with pytest.raises(BadArtifact, match="holds scores, not embeddings"):
        read_embeddings(tmp_path / "b" / "0.parquet")
    with pytest.raises(MissingArtifact):
        read_embeddings(tmp_path / "none.parquet")


def test_the_method_in_a_file_is_the_canonical_spelling(tmp_path: Path) -> None:
    scores_of(tmp_path / "a", make_rows(), "varmin:val=train-all,loo=strict,k=4", "nn:k=1")
    for name, spelling in (("0", "varmin:k=4,val=train-all"), ("1", "nn")):
        table, header = artifacts.read_table(tmp_path / "a" / f"{name}.parquet", artifacts.SCORES)
        assert header.params["method"] == spelling
        assert set(table["method"].to_pylist()) == {spelling}
