"""`distributions`: bins counted by hand, a lane a domain and condition, thresholds of these scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.errors import BadData, UsageError
from asdcli.plots import Material, Numbers
from asdcli.plots.distributions import SCHEMA, Distributions, _edges
from asdcli.progress import SILENT
from tests.helpers.calibrated_run import make, random_rows, rows
from tests.helpers.heard import Heard

Asd = Callable[..., int]
FEW = {
    "train/source/normal": [9.0, 9],
    "test/source/normal": [0.0, 1, 2, 4],
    "test/source/anomaly": [2.0, 4],
    "test/target/normal": [3.0],
    "test/target/": [4.0],
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def numbers(*methods: str, heard: Heard | None = None, thresholds: bool = False, **parameters: object) -> Numbers:
    files = {"scores": Path("runs/mine/scores"), "clips": Path("data/mine/clips.parquet")}
    files |= {"thresholds": Path("runs/mine/thresholds.parquet")} if thresholds else {}
    plot = Distributions(**parameters)  # type: ignore[arg-type]
    return plot.numbers(Material(files, methods), heard or SILENT)  # type: ignore[arg-type]


def test_each_domain_and_condition_is_counted_by_itself_in_the_same_bins() -> None:
    make(rows("fan", FEW))
    table = numbers(bins=4).table
    assert table.schema.equals(SCHEMA)
    found = table.to_pylist()
    assert [(row["low"], row["high"]) for row in found[:4]] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    lanes = {(row["domain"], row["condition"]): [] for row in found}
    for row in found:
        lanes[row["domain"], row["condition"]].append(row["clips"])
    assert lanes == {
        ("source", "normal"): [1, 1, 1, 1],
        ("source", "anomaly"): [0, 0, 1, 1],
        ("target", "normal"): [0, 0, 0, 1],
        ("target", None): [0, 0, 0, 1],
    }
    assert [row["share"] for row in found[:5]] == [0.25] * 4 + [0]
    assert (found[0]["median"], found[0]["n_clips"], found[0]["threshold"], found[0]["above"]) == (1.5, 4, None, None)


def test_training_clips_have_lanes_where_they_are_asked_for() -> None:
    make(rows("fan", FEW))
    assert set(numbers().table["split"].to_pylist()) == {"test"}
    first = numbers(training=True).facts[0]
    assert (first["split"], first["domain"], first["clips"]) == ("train", "source", 2)


def test_an_outlier_is_counted_in_the_outermost_bin_and_said_to_lie_beyond() -> None:
    make(rows("fan", {"test/source/normal": [1.0, 2, 3, 4, 1000]}))
    found = numbers(bins=3).table.to_pylist()
    assert [row["clips"] for row in found] == [1, 1, 3] and found[-1]["high"] == 4
    assert {(row["lower"], row["higher"]) for row in found} == {(0, 1)}
    assert "may lie beyond the axis" in " ".join(numbers(bins=3).caption)


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), min_size=1, max_size=4), st.integers(2, 50))
def test_the_median_of_every_lane_lies_within_the_bins(groups: list[list[float]], bins: int) -> None:
    edges = _edges([np.array(g) for g in groups], None, bins)
    assert len(edges) == bins + 1 and (np.diff(edges) >= 0).all() and edges[0] < edges[-1]
    assert all(edges[0] <= np.median(g) <= edges[-1] for g in groups)


def test_the_threshold_is_that_of_these_scores_and_the_shares_above_it_are_counted(asd: Asd) -> None:
    make(random_rows(["fan", "pump"]))
    assert asd("threshold", "--quantile", "0.8") == 0
    table = numbers(thresholds=True)
    for one in table.facts:
        own = [r for r in random_rows(["fan", "pump"]) if all(r[c] == one[c] for c in ("machine_type", "domain"))]
        own = [r for r in own if r["split"] == "test" and r["condition"] == one["condition"]]
        above = sum(r["score"] > one["threshold"] for r in own) / len(own)
        assert one["share_above_threshold"] == pytest.approx(above)
    make([{**row, "score": row["score"] + 1} for row in random_rows(["fan", "pump"])])
    heard = Heard()
    assert {one["threshold"] for one in numbers(thresholds=True, heard=heard).facts} == {None}
    assert any("fitted on other scores" in text for text in heard.warnings)


def test_what_is_drawn_are_the_numbers_methods_side_by_side() -> None:
    pytest.importorskip("matplotlib")
    make(rows("fan", FEW), ("nn", "kmeans"))
    found = numbers("nn", "kmeans", bins=4)
    figure = Distributions(bins=4).draw(found)
    assert [ax.texts[-1].get_text() for ax in figure.axes] == ["fan", "fan"]
    assert [ax.texts[-2].get_text() for ax in figure.axes] == ["nn", "kmeans"]
    assert len({ax.get_position().y0 for ax in figure.axes}) == 1
    first = figure.axes[0]
    labels = ["source normal", "source anomaly", "target normal", "target unlabelled"]
    assert [text.get_text() for text in first.get_yticklabels()] == labels
    heights = [patch.get_data().values - patch.get_data().baseline for patch in first.patches]
    for height, shares in zip(heights, ([1] * 4, [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1]), strict=True):
        assert height == pytest.approx(0.8 * np.array(shares))
    assert [bool(patch.get_hatch()) for patch in first.patches] == [False, True, False, False]
    assert first.get_xlabel() == "anomaly score"


def test_sixteen_machine_types_have_panels_that_do_not_overlap_and_more_than_a_page_holds_are_named() -> None:
    pytest.importorskip("matplotlib")
    make(random_rows([f"machine {i}" for i in range(16)], 3), ("nn", "kmeans"))
    boxes = [ax.get_position() for ax in Distributions().draw(numbers()).axes]
    assert len(boxes) == 32 and all(0 < b.x0 < b.x1 < 1 and 0 < b.y0 < b.y1 < 1 for b in boxes)
    for i, a in enumerate(boxes):
        assert all(a.x1 < b.x0 or b.x1 < a.x0 or a.y1 < b.y0 or b.y1 < a.y0 for b in boxes[:i])
    make(random_rows([f"machine {i:02}" for i in range(40)], 2), ("nn", "kmeans"))
    heard = Heard()
    assert len(set(numbers(heard=heard).table["machine_type"].to_pylist())) == 32
    assert any("32 of 40 machine types or sections are drawn" in text for text in heard.warnings)


def test_sections_have_panels_of_their_own_where_they_are_asked_for() -> None:
    clips = rows("fan", FEW) + [{**row, "section": "01", "clip_id": row["clip_id"] + "b"} for row in rows("fan", FEW)]
    make(clips)
    assert {one["section"] for one in numbers(by="section").facts} == {"00", "01"}
    (normal,) = [one for one in numbers().facts if (one["domain"], one["condition"]) == ("source", "normal")]
    assert (normal["section"], normal["clips"]) == (None, 8)


def test_without_test_clips_there_is_nothing_to_draw_but_training_clips() -> None:
    make(rows("fan", {"train/source/normal": [1.0, 2]}))
    with pytest.raises(BadData, match="no scores of test clips") as error:
        numbers()
    assert "distributions:training=true" in (error.value.hint or "")
    assert len(numbers(training=True).facts) == 1
    with pytest.raises(UsageError, match="distributions:bins must lie in 2 to 1000, got 1"):
        Distributions(bins=1)
