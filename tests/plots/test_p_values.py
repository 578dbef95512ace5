"""`p-values`: the numbers worked out by hand, what is drawn is those, and what cannot be drawn is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.errors import BadData, UsageError
from asdcli.plots import Material, Numbers
from asdcli.plots.p_values import PValues
from asdcli.plots.scored import MOST_METHODS
from asdcli.progress import SILENT
from asdcli.views.fresh import SCHEMA, share_at
from tests.helpers.calibrated_run import Rows, make, random_rows, rows
from tests.helpers.heard import Heard

NINE = [1.0, 2, 3, 4, 5, 6, 7, 8, 9]
FEW = {
    "train/source/normal": NINE,
    "test/source/normal": [0.5, 9.5, 5],
    "test/source/anomaly": [99.0],
    "test/source/": [99],
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def numbers(p: str = "clip", *methods: str, heard: Heard | None = None) -> Numbers:
    files = {"scores": Path("runs/mine/scores"), "clips": Path("data/mine/clips.parquet")}
    plot = PValues(p=p)  # type: ignore[arg-type]
    return plot.numbers(Material(files, methods), heard or SILENT)  # type: ignore[arg-type]


def test_of_three_normal_clips_and_nine_to_calibrate_on_one_counts_what_is_drawn() -> None:
    make(rows("fan", FEW))
    table = numbers().table
    assert table.schema.equals(SCHEMA)
    found = table.to_pylist()
    assert [(row["anomaly_score"], row["p_value"]) for row in found] == [(9.5, 0.1), (5, 0.6), (0.5, 1.0)]
    assert [row["share"] for row in found] == pytest.approx([1 / 3, 2 / 3, 1])
    assert (found[0]["low"], found[0]["high"]) == pytest.approx((0, 2 / 3))  # P(one at most of 3 at 0.1) = 0.972
    assert {(row["n_clips"], row["n_calibration"], row["n_groups"], row["scored_as"]) for row in found} == {
        (3, 9, 3, "left-out group")
    }


def test_each_group_counts_once_where_groups_are_asked_for() -> None:
    make(rows("fan", FEW))
    # groups 1 4 7, 2 5 8 and 3 6 9; as high as 5: one third, two thirds and two thirds of them
    assert numbers("group").table["p_value"].to_pylist() == pytest.approx([1 / 4, (1 + 5 / 3) / 4, 1])


@given(st.lists(st.integers(1, 20), min_size=1, max_size=30), st.floats(0, 1))
def test_the_share_is_that_of_the_clips_with_a_p_value_as_small(p: list[int], at: float) -> None:
    values = np.array(p) / 20
    assert share_at(values, at) == pytest.approx(sum(v <= at + 1e-9 for v in values) / len(p))
    assert share_at(np.array([0.1]), 1 - 0.9) == 1  # which is a little less than 0.1


def test_what_is_drawn_are_the_numbers_and_a_line_a_domain() -> None:
    pytest.importorskip("matplotlib")
    make([*rows("fan", {**FEW, "train/target/normal": [1, 2], "test/target/normal": [1.5]}), *rows("pump", FEW)])
    found = numbers()
    figure = PValues().draw(found)
    fan, pump = figure.axes
    assert [text.get_text() for text in fan.texts] == [
        "source: n = 3; m = 9 in 3 groups",
        "target: n = 1; m = 2 in 2 groups",
        "calibration clips scored as: left-out group",
        "fan",
    ]
    curves = [line for line in fan.lines if line.get_drawstyle() == "steps-post" and line.get_linewidth() > 1]
    source, target = curves
    assert source.get_xdata() == pytest.approx([0, 0.1, 0.6, 1, 1])
    assert source.get_ydata() == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert (list(target.get_xdata()), list(target.get_ydata())) == ([0, 2 / 3, 1], [0, 1, 1])
    assert source.get_linestyle() != target.get_linestyle() and source.get_color() != target.get_color()
    assert len([line for line in pump.lines if line.get_drawstyle() == "steps-post"]) == 1
    assert "Where the other domain has another n" in " ".join(found.caption)
    assert "normal clips" in fan.get_ylabel() and "(%)" in fan.get_xlabel() and pump.get_ylabel() == ""


def test_methods_stand_side_by_side_where_there_is_one_machine_type() -> None:
    pytest.importorskip("matplotlib")
    make(rows("fan", FEW), ("nn", "kmeans"))
    figure = PValues().draw(numbers())
    assert [ax.texts[-1].get_text() for ax in figure.axes] == ["kmeans", "nn"]
    assert len({ax.get_position().y0 for ax in figure.axes}) == 1


@pytest.mark.parametrize("n", [7, 16])
def test_many_machine_types_have_panels_that_do_not_overlap_and_lie_on_the_page(n: int) -> None:
    pytest.importorskip("matplotlib")
    make(random_rows([f"machine {i} of {'a long name ' * (i % 3)}hall" for i in range(n)], 3), ("nn", "kmeans"))
    figure = PValues().draw(numbers())
    boxes = [ax.get_position() for ax in figure.axes]
    assert len(boxes) == 2 * n
    assert all(0 < b.x0 < b.x1 < 1 and 0 < b.y0 < b.y1 < 1 for b in boxes)
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a.x1 < b.x0 or b.x1 < a.x0 or a.y1 < b.y0 or b.y1 < a.y0


def test_without_a_domain_there_is_one_line_of_all() -> None:
    pytest.importorskip("matplotlib")
    make(rows("fan", {"train//normal": NINE, "test//normal": [5.0, 6]}))
    (ax,) = PValues().draw(numbers()).axes
    assert ax.texts[0].get_text() == "all: n = 2; m = 9 in 3 groups"


def test_a_domain_without_clips_to_calibrate_on_is_held_against_all() -> None:
    make(rows("fan", {"train/source/normal": NINE, "test/target/normal": [9.5]}))
    (row,) = numbers().table.to_pylist()
    assert (row["domain"], row["p_value"], row["n_calibration"]) == ("target", 0.1, 9)


def test_labels_that_came_later_count_and_clips_without_one_do_not() -> None:
    clips = rows("fan", FEW)
    make(clips)
    assert {row["clip_id"].split("/")[2][:13] for row in numbers().table.to_pylist()} == {"source-normal"}
    later: Rows = [{**row, "condition": row["condition"] or "normal"} for row in clips]
    make(later, name="later")
    files = {"scores": Path("runs/mine/scores"), "clips": Path("data/later/clips.parquet")}
    assert len(PValues().numbers(Material(files), SILENT).table) == 4  # type: ignore[arg-type]


def test_machine_types_that_the_model_has_seen_whole_are_named_and_left_out() -> None:
    make(random_rows(["fan", "pump"], 3, lambda m: "seen" if m == "fan" else "held-out"))
    heard = Heard()
    assert set(numbers(heard=heard).table["machine_type"].to_pylist()) == {"pump"}
    assert any("nn, fan, because the model was trained on all normal clips" in text for text in heard.warnings)


@pytest.mark.parametrize(
    ("scored_as", "p", "message", "hint"),
    [
        ("seen", "clip", "the model was trained on all normal clips", "asd train --hold-out 0.1"),
        ("seen", "group", "the model was trained on all normal clips", "asd train --hold-out 0.1"),
        ("left-out clip", "group", "no training clips were scored without their groups: nn, fan", "--p clip"),
        (None, "group", "no training clips were scored without their groups: nn, fan", "--p clip"),
    ],
)
def test_where_nothing_is_promised_nothing_is_drawn(scored_as: str | None, p: str, message: str, hint: str) -> None:
    make(rows("fan", FEW, scored_as=scored_as))
    with pytest.raises(BadData, match=message) as error:
        numbers(p)
    assert hint in (error.value.hint or "")


@pytest.mark.parametrize("scored_as", ["left-out clip", None])
def test_clip_wise_p_values_take_what_there_is_and_the_figure_says_how_it_was_scored(scored_as: str | None) -> None:
    pytest.importorskip("matplotlib")
    make(rows("fan", FEW, scored_as=scored_as))
    (ax,) = PValues().draw(numbers()).axes
    assert ax.texts[1].get_text() == f"calibration clips scored as: {scored_as or 'nobody knows how'}"


def test_scores_without_training_clips_are_named() -> None:
    make(rows("fan", {"test/source/normal": [1.0, 2]}))
    with pytest.raises(BadData, match="there are no scores of training clips: nn, fan"):
        numbers()


def test_without_a_label_there_is_nothing_to_hold_promises_against() -> None:
    make(rows("fan", {"train/source/normal": NINE, "test/source/": [1.0, 2], "test/source/anomaly": [3.0]}))
    with pytest.raises(BadData, match="no test clip is known to be normal") as error:
        numbers()
    assert "asd index DIR" in (error.value.hint or "")


def test_of_many_methods_the_first_are_drawn_and_the_others_named_unless_asked_for() -> None:
    names = [f"kmeans:k={k}" for k in range(2, 8)]
    make(rows("fan", FEW), names)
    heard = Heard()
    found = numbers(heard=heard)
    assert list(dict.fromkeys(found.table["method"].to_pylist())) == names[:MOST_METHODS]
    assert any(
        "4 methods of 6 are drawn; others by --method: kmeans:k=6, kmeans:k=7" in text for text in heard.warnings
    )
    assert set(numbers("clip", *names).table["method"].to_pylist()) == set(names)
    with pytest.raises(UsageError, match="unknown method 'nn'"):
        numbers("clip", "nn")
