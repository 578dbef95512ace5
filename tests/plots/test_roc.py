"""`roc`: a curve by hand, scikit-learn's curve and areas, the curves of each edition's rule, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.errors import BadData, UsageError
from asdcli.metrics import roc
from asdcli.plots import Material, Numbers
from asdcli.plots.roc import SCHEMA, Roc
from asdcli.plots.style import STROKES
from asdcli.progress import SILENT
from asdcli.views.roc_curves import operating_points
from tests.helpers.calibrated_run import make, random_rows, rows
from tests.helpers.heard import Heard
from tests.helpers.score_files import make_run

SCORES = st.lists(st.integers(0, 6), min_size=1, max_size=25)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def numbers(*methods: str, heard: Heard | None = None, run: str = "mine", **parameters: Any) -> Numbers:
    files = {"scores": Path(f"runs/{run}/scores"), "clips": Path(f"data/{run}/clips.parquet")}
    return Roc(**parameters).numbers(Material(files, methods), heard or SILENT)  # type: ignore[arg-type]


def test_of_two_normal_and_two_anomalous_clips_the_corners_are_these() -> None:
    fpr, tpr, at = operating_points(np.array([1.0, 3]), np.array([2.0, 4]))
    assert (fpr.tolist(), tpr.tolist()) == ([0, 0, 0.5, 0.5, 1], [0, 0.5, 0.5, 1, 1])
    assert np.isnan(at[0]) and at[1:].tolist() == [4, 3, 2, 1]
    tie = operating_points(np.array([1.0, 1]), np.array([1.0, 2]))
    assert (tie[0].tolist(), tie[1].tolist()) == ([0, 0, 1], [0, 0.5, 1])


@settings(max_examples=40)
@given(SCORES, SCORES)
def test_the_curve_is_that_of_scikit_learn_and_has_the_areas_of_roc(normal: list[int], anomalous: list[int]) -> None:
    from sklearn.metrics import roc_curve

    fpr, tpr, at = operating_points(np.array(normal, float), np.array(anomalous, float))
    truth = np.repeat([0, 1], [len(normal), len(anomalous)])
    theirs = roc_curve(truth, np.array(normal + anomalous, float), drop_intermediate=False)
    assert {*zip(fpr.tolist(), tpr.tolist(), strict=True)} <= {
        *zip(theirs[0].tolist(), theirs[1].tolist(), strict=True)
    }
    area = float(((fpr[1:] - fpr[:-1]) * (tpr[1:] + tpr[:-1])).sum() / 2)
    assert area == pytest.approx(roc.auc(normal, anomalous))
    for x, y, score in zip(fpr[1:], tpr[1:], at[1:], strict=True):
        assert (np.mean(np.array(normal) >= score), np.mean(np.array(anomalous) >= score)) == pytest.approx((x, y))


@pytest.mark.parametrize(
    ("edition", "curves"),
    [
        ("dcase2020", [(None, True)]),
        ("dcase2021", [("source", True), ("target", True)]),
        ("dcase2023", [("source", False), ("target", False), (None, True)]),
    ],
)
def test_the_curves_are_those_of_the_editions_rule(edition: str, curves: list[tuple[str | None, bool]]) -> None:
    make_run(Path(), edition, machine_types=["fan"], each=4)
    found = numbers(run=edition)
    first = found.facts[: len(curves)]
    assert [(one["domain"], one["pauc"] is not None) for one in first] == curves
    assert len({(one["machine_type"], one["section"]) for one in found.facts}) == len(found.facts) / len(curves)
    assert found.table.schema.equals(SCHEMA)


def test_areas_are_those_of_evaluate(asd: Any, capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow.parquet as pq

    make(random_rows(["fan", "pump"]))
    shown = numbers().facts
    assert asd("evaluate") == 0
    terms = {(r["machine_type"], r["term"]): r["value"] for r in pq.read_table("runs/mine/results.parquet").to_pylist()}
    for one in shown:
        if one["domain"]:
            assert one["auc"] == pytest.approx(terms[one["machine_type"], f"auc_{one['domain']}"])
        else:
            assert one["pauc"] == pytest.approx(terms[one["machine_type"], "pauc"])


def test_what_is_drawn_are_the_numbers_and_the_region_of_pauc() -> None:
    pytest.importorskip("matplotlib")
    make(random_rows(["fan", "pump"], 5), ("nn", "kmeans"))
    found = numbers("nn", "kmeans", max_fpr=0.2)
    figure = Roc(max_fpr=0.2).draw(found)
    assert [ax.texts[-1].get_text() for ax in figure.axes] == ["fan 00", "fan 00", "pump 00", "pump 00"]
    assert [ax.texts[-2].get_text() for ax in figure.axes] == ["nn", "kmeans"] * 2
    first = figure.axes[0]
    own = [r for r in found.table.to_pylist() if r["machine_type"] == "fan" and r["method"] == "nn"]
    own = [r for r in own if r["domain"] == "source"]
    curve = next(line for line in first.lines if line.get_zorder() == 3)
    assert list(curve.get_xdata()) == pytest.approx([100 * r["false_positive_rate"] for r in own])
    assert list(curve.get_ydata()) == pytest.approx([100 * r["true_positive_rate"] for r in own])
    (region,) = first.patches
    assert region.get_extents().width == pytest.approx(0.2 * first.bbox.width)
    styles = [(line.get_color(), line.get_linestyle()) for line in first.lines if line.get_zorder() == 3]
    assert styles == [(STROKES[d].color, "-" if d == "source" else "--") for d in ("source", "target", None)]


def test_a_section_of_one_condition_is_named_and_without_any_other_nothing_is_drawn() -> None:
    one_sided = rows("pump", {"test/source/normal": [1.0, 2]})
    make([*rows("fan", {"test/source/normal": [1.0], "test/source/anomaly": [2.0]}), *one_sided])
    heard = Heard()
    assert {one["machine_type"] for one in numbers(heard=heard).facts} == {"fan"}
    assert any("not drawn: pump 00" in text for text in heard.warnings)
    make(one_sided)
    with pytest.raises(BadData, match="no section has labelled clips of both conditions"):
        numbers()
    make(rows("pump", {"test/source/": [1.0, 2]}))
    with pytest.raises(BadData, match="no test clip has a known condition"):
        numbers()
    with pytest.raises(UsageError, match=r"roc:max_fpr must lie in \(0, 1\], got 0"):
        Roc(max_fpr=0)
