"""`map`: principal components by scikit-learn, the same places each time, and what is drawn of whom."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli import artifacts
from asdcli.errors import AsdError, BadData, UsageError
from asdcli.filenames import stem
from asdcli.plots import Material, Numbers
from asdcli.plots.map import SCHEMA, Map
from asdcli.plots.projection import project
from asdcli.progress import SILENT
from tests.helpers.heard import Heard
from tests.helpers.score_files import random_scores, write_scores
from tests.helpers.vectors_run import make, rows, vectors

Asd = Callable[..., int]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def numbers(*methods: str, heard: Heard | None = None, **parameters: Any) -> Numbers:
    files = {"embeddings": Path("runs/mine/embeddings.parquet"), "clips": Path("data/mine/clips.parquet")}
    files["scores"] = Path("runs/mine/scores")
    return Map(**parameters).numbers(Material(files, methods), heard or SILENT)  # type: ignore[arg-type]


def test_principal_components_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    x = vectors(rows("fan"))
    plane = project(x, "pca", seed=0)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    theirs = PCA(2).fit(unit)
    assert np.abs(plane.places) == pytest.approx(np.abs(theirs.transform(unit)), abs=1e-9)
    assert plane.explained == pytest.approx(theirs.explained_variance_ratio_)


@pytest.mark.parametrize("n_attributes", [0, 1, 2, 3])
def test_clips_that_all_have_as_many_attributes_are_drawn_like_others(n_attributes: int) -> None:
    """numpy makes a table of lists that are equally long."""
    attributes = [("noise", "a"), ("vel", "1"), ("volt", "2")][:n_attributes]
    make(rows("fan"))
    without = numbers().table
    make([{**row, "attributes": attributes} for row in rows("fan")])
    found = numbers().table
    assert found.drop_columns(["signature"]).equals(without.drop_columns(["signature"]))  # which names the files


@given(st.integers(1, 7), st.integers(1, 4), st.integers(0, 99))
def test_any_vectors_have_finite_places(n: int, dims: int, seed: int) -> None:
    x = np.random.default_rng(seed).integers(-2, 3, size=(n, dims)).astype(float)
    assert np.isfinite(project(x, "pca", seed=0).places).all()


def test_t_sne_keeps_what_is_together_together_and_is_the_same_each_time() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat(np.eye(3), 20, axis=0) + rng.normal(scale=0.05, size=(60, 3))
    places = project(x, "tsne", seed=1).places
    assert (places == project(x, "tsne", seed=1).places).all()
    centres = places.reshape(3, 20, 2).mean(axis=1)
    near = ((places[:, None] - centres) ** 2).sum(-1).argmin(1)
    assert (near == np.repeat(np.arange(3), 20)).all()


@pytest.mark.slow
def test_umap_is_the_same_each_time() -> None:
    pytest.importorskip("umap")
    x = vectors(rows("fan"))
    assert (project(x, "umap", seed=1).places == project(x, "umap", seed=1).places).all()


def test_umap_is_seeded_and_on_one_thread_and_its_absence_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    make(rows("fan"))
    asked: list[dict[str, Any]] = []

    class Umap:
        def __init__(self, **how: Any) -> None:
            asked.append(how)

        def fit_transform(self, x: np.ndarray) -> np.ndarray:
            return np.asarray(x[:, :2], np.float32)

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Umap))
    assert numbers(by="umap", seed=5).table["explained_x"].null_count == 52
    assert {name: asked[0][name] for name in ("random_state", "n_jobs", "metric", "n_neighbors")} == {
        "random_state": 5,
        "n_jobs": 1,
        "metric": "cosine",
        "n_neighbors": 15,
    }
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(AsdError, match="umap-learn, which is not installed") as error:
        numbers(by="umap")
    assert "pip install 'asdcli[plot]'" in (error.value.hint or "")


def test_a_panel_has_the_test_clips_of_its_section_and_all_training_clips() -> None:
    make([*rows("fan"), *rows("fan", section="01", each=2), *rows("pump")], windows=2)
    found = numbers()
    assert found.table.schema.equals(SCHEMA)
    assert [(one["machine_type"], one["section"], one["train"], one["test"]) for one in found.facts] == [
        ("fan", "00", 56, 24),
        ("fan", "01", 56, 8),
        ("pump", "00", 28, 24),
    ]
    places = {(r["machine_type"], r["clip_id"]): set() for r in found.table.to_pylist()}
    for row in found.table.to_pylist():
        places[row["machine_type"], row["clip_id"]].add((row["x"], row["y"]))
    assert all(len(of) == 1 for of in places.values())  # the same axes in all panels
    (one,) = numbers(of="fan", section="01").facts
    assert (one["section"], one["test"]) == ("01", 8)


def test_what_is_drawn_are_the_numbers_and_each_kind_of_clip_has_a_mark_of_its_own() -> None:
    pytest.importorskip("matplotlib")
    clips = rows("fan")
    clips[-1]["condition"] = None
    make(clips)
    found = numbers()
    figure = Map().draw(found)
    (ax,) = figure.axes
    drawn = np.concatenate([np.column_stack(line.get_data()) for line in ax.lines])
    assert sorted(map(tuple, drawn.tolist())) == sorted((r["x"], r["y"]) for r in found.table.to_pylist())
    looks = {(line.get_marker(), str(line.get_markerfacecolor()), line.get_markersize()) for line in ax.lines}
    assert len(looks) == len(ax.lines) == 7
    assert "% of variance" in ax.get_xlabel() and "% of variance" in ax.get_ylabel()


def test_scores_before_and_after_smoothing_are_what_is_coloured_with_three_clips_in_ten() -> None:
    pytest.importorskip("matplotlib")
    clips = rows("fan")
    make(clips)
    made = artifacts.read_table_header(Path("data/mine/clips.parquet"), artifacts.CLIPS)
    for i, method in enumerate(("kmeans:clusters=2", "nn", "nn+smooth:k=3")):
        write_scores(Path(f"runs/mine/scores/{stem(method)}.parquet"), clips, random_scores(clips, i), made, method)
    found = numbers(colour="score")
    methods = list(dict.fromkeys(found.table["method"].to_pylist()))
    assert methods[0] == "nn" and methods[1:] == ["nn+smooth:k=3"]
    own = [row for row in found.table.to_pylist() if row["method"] == "nn"]
    assert len(own) == round(0.3 * 52)
    assert all((row["anomaly_score"] is None) == (row["split"] == "train") for row in own)
    assert [r["clip_id"] for r in found.table.to_pylist()] == [r["clip_id"] for r in own] * 2
    figure = Map(colour="score").draw(found)
    before = next(ax for ax in figure.axes if ax.texts)
    coloured = np.concatenate([c.get_array() for c in before.collections])
    assert sorted(coloured) == pytest.approx(sorted(r["anomaly_score"] for r in own if r["split"] == "test"))
    bars = [ax.get_ylabel() for ax in before.child_axes]
    assert bars == ["anomaly score"]
    assert set(numbers("kmeans:clusters=2", colour="score").table["method"].to_pylist()) == {"kmeans:clusters=2"}


def test_of_many_machine_types_the_first_are_laid_out_by_t_sne_and_the_others_are_named() -> None:
    make([row for i in range(5) for row in rows(f"m{i}", source=4, target=1, each=1)])
    heard = Heard()
    assert [one["machine_type"] for one in numbers(heard=heard, by="tsne").facts] == ["m0", "m1", "m2", "m3"]
    assert any("4 machine types of 5 are drawn by tsne" in t and "map:of=NAME: m4" in t for t in heard.warnings)
    assert len(numbers().facts) == 5


def test_what_cannot_be_drawn_is_refused_in_words(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    make(rows("fan"))
    with pytest.raises(UsageError, match="unknown machine type 'fann'"):
        numbers(of="fann")
    with pytest.raises(BadData, match="no clip is of section 07"):
        numbers(section="07")
    with pytest.raises(UsageError, match=r"map:share must lie in \(0, 1\], got 2"):
        Map(share=2)
    for line, code, message in (
        ("map -m nn", 2, "map shows no scores of methods"),
        ("map:colour=score", 1, "no scores at runs/mine/scores"),
        ("map:by=lda", 2, "unknown map:by 'lda'"),
    ):
        assert asd("plot", *line.split()) == code
        assert message in " ".join(capsys.readouterr().err.split())
    for name in "ab":
        assert asd("plot", "map:by=tsne", "-o", f"{name}.png") == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
