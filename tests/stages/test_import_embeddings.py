"""`asd embed --from FILE`: vectors from elsewhere become embeddings, or a refusal that names row and column."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asdcli import artifacts
from asdcli.errors import AsdError, BadData, MissingArtifact, UsageError
from asdcli.stages import import_embeddings

VECTORS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
LABELS: dict[str, list[str]] = {
    "clip_id": ["a", "b", "c", "d"],
    "machine_type": ["fan", "fan", "fan", "3DPrinter"],
    "section": ["00", "00", "01", ""],
    "domain": ["source", "target", "", ""],
    "split": ["train", "train", "test", "test"],
    "condition": ["normal", "normal", "anomaly", ""],
}


def write_csv(path: Path, labels: dict[str, list[Any]], vectors: np.ndarray) -> Path:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*labels, *(f"v{i}" for i in range(vectors.shape[1]))])
        for i, vector in enumerate(vectors):
            rows.writerow([*(values[i] for values in labels.values()), *vector.tolist()])
    return path


def write_parquet(path: Path, labels: dict[str, list[Any]], vectors: np.ndarray) -> Path:
    pq.write_table(pa.table(labels | {"vector": vectors.tolist()}), path)
    return path


def write_wide_parquet(path: Path, labels: dict[str, list[Any]], vectors: np.ndarray) -> Path:
    pq.write_table(pa.table(labels | {f"v{i}": vectors[:, i] for i in reversed(range(vectors.shape[1]))}), path)
    return path


def write_npz(path: Path, labels: dict[str, list[Any]], vectors: np.ndarray) -> Path:
    np.savez(path, vectors=vectors, **{name: np.array(values) for name, values in labels.items()})
    return path


def bring(source: Path, **options: Any) -> list[dict[str, Any]]:
    output = source.with_name("embeddings.parquet")
    import_embeddings.run(source, output, errors=source.with_name("errors.parquet"), dataset="mine", **options)
    return artifacts.read_table(output, artifacts.EMBEDDINGS)[0].to_pylist()


def refusal(source: Path) -> str:
    with pytest.raises(BadData) as error:
        bring(source)
    assert str(source) in error.value.message
    assert not source.with_name("embeddings.parquet").exists()
    return f"{error.value.message}\n{error.value.hint}"


FORMATS = [(write_csv, "x.csv"), (write_parquet, "x.parquet"), (write_wide_parquet, "x.parquet"), (write_npz, "x.npz")]


@pytest.mark.parametrize(("write", "name"), FORMATS)
def test_every_format_gives_the_same_table(tmp_path: Path, write: Callable[..., Path], name: str) -> None:
    rows = bring(write(tmp_path / name, LABELS, VECTORS))
    np.testing.assert_array_equal([r["vector"] for r in rows], VECTORS)
    for column, values in LABELS.items():
        assert [r[column] for r in rows] == [v or None for v in values], column
    assert {(r["subset"], r["window"]) for r in rows} == {("dev", 0)}


def test_section_domain_condition_are_optional_and_window_and_subset_are_taken(tmp_path: Path) -> None:
    labels = {name: LABELS[name] for name in ("clip_id", "machine_type", "split")}
    labels |= {"clip_id": ["a", "a", "b", "c"], "split": ["train"] * 2 + ["test"] * 2, "machine_type": ["fan"] * 4}
    rows = bring(write_csv(tmp_path / "x.csv", labels | {"window": [0, 1, 0, 0], "subset": ["eval"] * 4}, VECTORS))
    assert [(r["clip_id"], r["window"], r["subset"]) for r in rows] == [
        ("a", 0, "eval"),
        ("a", 1, "eval"),
        ("b", 0, "eval"),
        ("c", 0, "eval"),
    ]
    assert {r[name] for r in rows for name in ("section", "domain", "condition")} == {None}


def test_an_embeddings_table_of_our_own_can_be_imported(tmp_path: Path) -> None:
    first = bring(write_csv(tmp_path / "x.csv", LABELS, VECTORS))
    (tmp_path / "embeddings.parquet").rename(tmp_path / "ours.parquet")
    assert bring(tmp_path / "ours.parquet") == first


def test_the_same_file_again_is_nothing_to_do_and_a_changed_one_is(tmp_path: Path) -> None:
    mine: Any = {"errors": tmp_path / "errors.parquet", "dataset": "mine"}
    source, output = write_csv(tmp_path / "x.csv", LABELS, VECTORS), tmp_path / "e.parquet"
    assert import_embeddings.run(source, output, **mine).plain() == {
        "clips": 4,
        "vectors": 4,
        "dimensions": 3,
    }
    first = output.read_bytes()
    assert import_embeddings.run(source, output, **mine).status == "current"
    import_embeddings.run(source, output, **mine, force=True)
    assert output.read_bytes() == first
    write_csv(source, LABELS, VECTORS + 1)
    assert import_embeddings.run(source, output, **mine).status == "done"


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("domain", "sources", "no domain: 'sources' (1 row), the first in row 3\ndid you mean 'source'"),
        ("condition", "abnorml", "no condition: 'abnorml' (1 row), the first in row 3\ndid you mean 'abnormal'"),
        ("split", "trainig", "did you mean 'training'"),
        ("split", "", "split is empty in row 3"),
        ("machine_type", "", "machine_type is empty in row 3"),
        ("clip_id", "a", "clip 'a' stands twice with window 0, again in row 3"),
        ("window", "x", "window 'x' in row 3"),
    ],
)
def test_a_wrong_label_is_named_with_its_row(tmp_path: Path, column: str, value: str, words: str) -> None:
    labels = {name: list(values) for name, values in LABELS.items()} | {"window": ["0"] * 4}
    labels[column][2] = value
    assert words in refusal(write_csv(tmp_path / "x.csv", labels, VECTORS))


def test_the_columns_and_words_of_other_people_are_those_that_asd_index_takes(tmp_path: Path) -> None:
    labels = {
        "Clip_ID": ["a", "b", "c"],
        "Machine": ["fan", "fan", "fan"],
        "ID": [0, 1, 12],
        "Split": ["Training", "train", "val"],
        "label": [0, 1.0, "NG"],
    }
    (tmp_path / "x.csv").write_text("\ufeff" + write_csv(tmp_path / "x.csv", labels, VECTORS[:3]).read_text())
    commas = bring(tmp_path / "x.csv")
    assert [(r["clip_id"], r["machine_type"], r["section"], r["split"], r["condition"]) for r in commas] == [
        ("a", "fan", "00", "train", "normal"),
        ("b", "fan", "01", "train", "anomaly"),
        ("c", "fan", "12", "test", "anomaly"),
    ]
    for delimiter in ";\t":
        text = (tmp_path / "x.csv").read_text().replace(",", delimiter)
        (tmp_path / "y.csv").write_text(text)
        assert bring(tmp_path / "y.csv") == commas


def test_arrow_string_views_are_text_and_sections_with_gaps_are_whole_numbers(tmp_path: Path) -> None:
    labels = {name: pa.array(values).cast(pa.string_view()) for name, values in LABELS.items()}
    labels["section"] = pa.array([0.0, 1.0, None, 12.0])
    pq.write_table(pa.table({**labels, "vector": VECTORS.tolist()}), tmp_path / "x.parquet")
    assert [r["section"] for r in bring(tmp_path / "x.parquet")] == ["00", "01", None, "12"]


@pytest.mark.parametrize("column", ["clip_id", "machine_type", "split"])
@pytest.mark.parametrize(("write", "name"), FORMATS)
def test_a_missing_column_is_named(tmp_path: Path, write: Callable[..., Path], name: str, column: str) -> None:
    labels = {k: v for k, v in LABELS.items() if k != column}
    assert f"column {column!r} is missing" in refusal(write(tmp_path / name, labels, VECTORS))


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize(("write", "name"), FORMATS)
def test_what_float32_cannot_hold_is_named_with_its_clip(
    tmp_path: Path, write: Callable[..., Path], name: str, bad: float
) -> None:
    vectors = VECTORS.astype(np.float64)
    vectors[[1, 3], 2] = bad
    assert "2 vectors, the first of clip 'b'" in refusal(write(tmp_path / name, LABELS, vectors))


def test_windows_of_a_clip_must_agree_about_it(tmp_path: Path) -> None:
    labels = LABELS | {"clip_id": ["a", "b", "c", "c"], "window": ["0", "0", "0", "1"]}
    assert "the windows of clip 'c' disagree" in refusal(write_csv(tmp_path / "x.csv", labels, VECTORS))


def test_ragged_and_missing_vectors_are_named_with_their_row(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    for last, words in (([1.0, 2.0], "2 numbers in row 4, 3 in row 1"), (None, "0 numbers in row 4")):
        pq.write_table(pa.table(LABELS | {"vector": [[1.0, 2.0, 3.0]] * 3 + [last]}), path)
        assert words in refusal(path)
    pq.write_table(pa.table(LABELS | {"vector": ["[1, 2]"] * 4}), path)
    assert "not lists of numbers" in refusal(path)


def test_gaps_words_and_nothing_among_the_vector_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    write_csv(path, LABELS, VECTORS)
    text = path.read_text()
    path.write_text(text.replace("v1", "v7", 1))
    assert "column v1 is missing" in refusal(path)
    path.write_text(text.replace("v0,v1,v2", "x,y,z", 1))
    assert "no vectors" in refusal(path)
    path.write_text(text.replace("v0,v1", "v0,v0", 1))
    assert "'v0' stands twice" in refusal(path)
    path.write_text(text.splitlines()[0] + "\n")
    assert "no vectors" in refusal(path)
    path.write_text(text + "e,fan\n")
    assert "cannot be read as CSV" in refusal(path)
    path.write_text(text.replace(text.split(",")[-1], "loud\n"))
    assert "cannot be read as CSV" in refusal(path)


def test_broken_files_pickles_and_odd_shapes_are_refused(tmp_path: Path) -> None:
    for name in ("x.csv", "x.parquet", "x.npz"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00<html>")
        assert "cannot be read" in refusal(tmp_path / name)
    objects = {name: np.array(values, dtype=object) for name, values in LABELS.items()}
    np.savez(tmp_path / "x.npz", vectors=VECTORS, **objects)
    assert "objects" in refusal(tmp_path / "x.npz")
    assert "shape (4, 3, 1)" in refusal(write_npz(tmp_path / "x.npz", LABELS, VECTORS[..., None]))
    short = LABELS | {"domain": ["source"]}
    assert "domain has 1 entries, the others have 4" in refusal(write_npz(tmp_path / "x.npz", short, VECTORS))
    assert "has no vectors, only: clip_id" in refusal(write_npz_without_vectors(tmp_path / "x.npz"))
    pq.write_table(pa.table(LABELS | {"section": [0.5] * 4, "v0": [1.0] * 4}), tmp_path / "x.parquet")
    assert "'section' is double, not text" in refusal(tmp_path / "x.parquet")


def test_text_in_another_encoding_than_utf8_is_refused_in_words(tmp_path: Path) -> None:
    write_npz(tmp_path / "x.npz", {**LABELS, "machine_type": [b"L\xfcfter"] * len(LABELS["clip_id"])}, VECTORS)
    assert "'machine_type' holds bytes that are not UTF-8 text" in refusal(tmp_path / "x.npz")


def write_npz_without_vectors(path: Path) -> Path:
    np.savez(path, clip_id=np.array(LABELS["clip_id"]))
    return path


def test_missing_files_and_unknown_formats_are_refused(tmp_path: Path) -> None:
    wrong: list[tuple[str, type[AsdError]]] = [("none.csv", MissingArtifact), ("x.xlsx", UsageError)]
    for name, kind in wrong:
        with pytest.raises(kind):
            bring(tmp_path / name)


def test_the_command_imports_into_a_run_without_any_dataset_on_disk(asd: Callable[..., int], tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", LABELS, VECTORS)
    for options, name in ((("--run", "runs/a", "--dataset", "mine"), "mine"), (("--run", "runs/b"), "b"), ((), "x")):
        assert asd("embed", "--from", "x.csv", "--data", f"data-{name}", *options) == 0
        run = tmp_path / (options[1] if options else "runs/x")
        table, header = artifacts.read_table(run / "embeddings.parquet", artifacts.EMBEDDINGS)
        assert (len(table), header.dataset) == (4, name)
    assert asd("embed", "--from", "gone.csv", "--run", "runs/a") == 1
    assert asd("embed", "--data", "none") == 1


def test_imported_vectors_can_be_scored(asd: Callable[..., int], tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", {n: v[:3] for n, v in LABELS.items()}, VECTORS[:3])
    assert asd("embed", "--from", "x.csv", "--run", "runs/mine") == 0
    assert asd("score", "--method", "nn", "--run", "runs/mine") == 0
    scores = artifacts.read_table(tmp_path / "runs/mine/scores/nn.parquet", artifacts.SCORES)[0].to_pylist()
    assert {s["clip_id"] for s in scores} >= {"c"}


# --- labels that stand elsewhere ---------------------------------------------------------------------------------


def published(folder: Path, names: list[str], labels: dict[str, list[Any]]) -> tuple[Path, Path]:
    """Vectors and names as an npz, and a table of labels beside it, in another order."""
    np.savez(folder / "theirs.npz", embeddings=VECTORS[: len(names)], filename=np.array(names))
    order = list(reversed(range(len(labels["clip_id"]))))
    pq.write_table(pa.table({k: [v[i] for i in order] for k, v in labels.items()}), folder / "labels.parquet")
    return folder / "theirs.npz", folder / "labels.parquet"


@pytest.mark.parametrize("ids", [["a", "b", "c", "d"], ["raw/fan/a", "raw/fan/b", "raw/fan/c", "raw/3DPrinter/d"]])
def test_vectors_without_labels_are_joined_with_a_table_that_has_them(tmp_path: Path, ids: list[str]) -> None:
    source, table = published(tmp_path, ["a.wav", "b.wav", "c.WAV", "d.flac"], LABELS | {"clip_id": ids})
    rows = bring(source, labels=table)
    assert [r["clip_id"] for r in rows] == ids
    assert [r["machine_type"] for r in rows] == LABELS["machine_type"]
    assert [r["section"] or "" for r in rows] == LABELS["section"]
    np.testing.assert_array_equal([r["vector"] for r in rows], VECTORS)


def test_the_labels_win_over_those_beside_the_vectors_which_fill_their_gaps(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "x.csv", {**LABELS, "domain": ["target"] * 4, "split": ["test"] * 4}, VECTORS)
    table = tmp_path / "labels.csv"
    table.write_text("clip_id;Split;domain\na;train;source\nb;train;\nc;test;\nd;test;source\n")
    rows = bring(source, labels=table)
    assert [(r["split"], r["domain"]) for r in rows] == [
        ("train", "source"),
        ("train", "target"),
        ("test", "target"),
        ("test", "source"),
    ]


def test_clips_that_the_labels_do_not_know_are_left_out_and_named(asd: Callable[..., int], tmp_path: Path) -> None:
    labels = {name: values[:3] for name, values in LABELS.items()}
    source, table = published(tmp_path, ["a", "b", "c", "stranger"], labels)
    words = ("embed", "--from", source, "--labels", table, "--dataset", "mine", "-q")
    assert asd(*words) == 3
    assert len(pq.read_table(tmp_path / "runs/mine/embeddings.parquet")) == 3
    (error,) = artifacts.read_table(tmp_path / "runs/mine/errors-embed.parquet", artifacts.ERRORS)[0].to_pylist()
    assert error["clip_id"] == "stranger" and "has no such clip" in error["error"]
    assert asd(*words) == 3, "what was left out is said again"


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (["a", "a", "c", "d"], "'a' stands 2 times"),
        (["x/a", "y/a", "c2", "d2"], "'a' stands 2 times"),
        (["p", "q", "r", "s"], "knows not one clip"),
    ],
)
def test_labels_that_cannot_be_joined_are_refused(tmp_path: Path, ids: list[str], words: str) -> None:
    source, table = published(tmp_path, ["a", "b", "c", "d"], LABELS | {"clip_id": ids})
    with pytest.raises(BadData, match=words):
        bring(source, labels=table)


def test_vectors_that_name_no_clips_are_refused_with_what_to_add(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", vectors=VECTORS)
    _, table = published(tmp_path, ["a", "b", "c", "d"], LABELS)
    with pytest.raises(BadData, match="names no clips") as error:
        bring(tmp_path / "x.npz", labels=table)
    assert "clip_id" in str(error.value.hint)


def test_a_clip_with_a_broken_vector_is_left_out_with_all_its_windows_where_that_is_asked(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = {name: [values[0], values[0], *values[1:3]] for name, values in LABELS.items()} | {
        "window": ["0", "1", "0", "0"]
    }
    broken = VECTORS.copy()
    broken[1, 2] = np.nan
    source = write_csv(tmp_path / "x.csv", labels, broken)
    assert asd("embed", "--from", source, "--dataset", "mine", "-q") == 1
    assert "--on-error skip" in capsys.readouterr().err
    assert asd("embed", "--from", source, "--dataset", "mine", "--on-error", "skip", "-q") == 3
    assert pq.read_table(tmp_path / "runs/mine/embeddings.parquet")["clip_id"].to_pylist() == ["b", "c"]
    (error,) = artifacts.read_table(tmp_path / "runs/mine/errors-embed.parquet", artifacts.ERRORS)[0].to_pylist()
    assert error["clip_id"] == "a" and "NaN" in error["error"]


def test_labels_and_leaving_out_are_for_vectors_that_are_brought(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("--labels", tmp_path / "x.csv"), ("--on-error", "skip")):
        assert asd("embed", *words) == 2
        assert "--from FILE" in capsys.readouterr().err
