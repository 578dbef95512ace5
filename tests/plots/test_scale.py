"""`scale`: the slope that `asd score` finds, the points ringed, and the line without them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdcli.errors import BadData
from asdcli.plots import Material, Numbers
from asdcli.plots.scale import SCHEMA, Scale
from asdcli.progress import SILENT
from tests.helpers.heard import Heard
from tests.helpers.vectors_run import make, rows

Asd = Callable[..., int]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def numbers(heard: Heard | None = None, **parameters: Any) -> Numbers:
    files = {"embeddings": Path("runs/mine/embeddings.parquet"), "clips": Path("data/mine/clips.parquet")}
    return Scale(**{"k": 3, **parameters}).numbers(Material(files), heard or SILENT)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "method",
    [
        "k=3,val=train-all",
        "k=3,val=train-all,loo=loose,space=log",
        "k=2,val=test-all",
        "k=3,val=train-all,slope=theil-sen",
    ],
)
def test_the_slope_is_the_alpha_of_score(asd: Asd, capsys: pytest.CaptureFixture[str], method: str) -> None:
    make([*rows("fan"), *rows("pump")], windows=2)
    assert asd("score", "-m", f"varmin:{method}", "--json") == 0
    units = json.loads(capsys.readouterr().out)["facts"]["methods"][0]["units"]
    parameters = dict(word.split("=") for word in method.split(","))
    found = numbers(**{**parameters, "k": int(parameters["k"])})
    for one in found.facts:
        assert one["alpha"] == pytest.approx(units[one["machine_type"]]["alpha"], abs=1e-12)
        assert one["points"] == units[one["machine_type"]]["n_val"]


def test_held_out_points_are_those_of_clips_that_no_model_has_seen(
    asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    make(rows("fan"), seen=False)
    assert asd("score", "-m", "varmin:k=3,val=held-out", "--json") == 0
    (units,) = json.loads(capsys.readouterr().out)["facts"]["methods"][0]["units"].values()
    (one,) = numbers(val="held-out").facts
    assert (one["alpha"], one["points"]) == (pytest.approx(units["alpha"], abs=1e-12), units["n_val"])
    make(rows("fan"), seen=True)
    with pytest.raises(BadData, match="no unit has a clip of held-out to set alpha on") as error:
        numbers(val="held-out")
    assert "asd train --hold-out" in (error.value.hint or "")


def test_without_the_points_of_most_leverage_the_slope_is_that_of_the_others() -> None:
    make(rows("fan"))
    table = numbers().table
    assert table.schema.equals(SCHEMA)
    found = table.to_pylist()
    assert [row["clip_id"].split("/")[2] for row in found].count("train") == len(found) == 28
    ringed = [row for row in found if row["first"]]
    assert len(ringed) == 1 and ringed[0]["leverage"] == max(row["leverage"] for row in found)
    rest = [row for row in found if not row["first"]]
    slope = np.polyfit([row["v"] for row in rest], [row["u"] for row in rest], 1)[0]
    assert found[0]["alpha_without_first"] == pytest.approx(slope)
    assert {row["domain"] for row in found} == {"source", "target"}


def test_what_is_drawn_are_the_numbers() -> None:
    pytest.importorskip("matplotlib")
    make([*rows("fan"), *rows("pump")])
    found = numbers()
    figure = Scale(k=3).draw(found)
    assert [ax.texts[-1].get_text() for ax in figure.axes] == ["fan", "pump"]
    for ax, one in zip(figure.axes, found.facts, strict=True):
        own = [row for row in found.table.to_pylist() if row["machine_type"] == one["machine_type"]]
        points = np.concatenate([c.get_offsets() for c in ax.collections if c.get_zorder() == 2])
        assert sorted(map(tuple, points.tolist())) == sorted((row["v"], row["u"]) for row in own)
        rings = np.concatenate([c.get_offsets() for c in ax.collections if c.get_zorder() == 3])
        assert len(rings) == one["first"]
        lines = [line for line in ax.lines if line.get_zorder() == 4]
        slopes = [float(np.diff(line.get_ydata())[0] / np.diff(line.get_xdata())[0]) for line in lines]
        assert slopes == pytest.approx([one["alpha"], one["alpha_without_first"]])
    assert "b(y*)" in figure.axes[0].get_xlabel() and "D(z, y*)" in figure.axes[0].get_ylabel()


def test_a_machine_type_of_one_training_clip_is_named_and_left_out() -> None:
    single = [r for r in rows("pump", source=1, target=0) if r["split"] == "train"]
    make([*rows("fan"), *single])
    heard = Heard()
    assert [one["machine_type"] for one in numbers(heard).facts] == ["fan"]
    assert any("not drawn: pump" in text for text in heard.warnings)


def test_a_figure_of_many_points_is_the_same_bytes_again(asd: Asd) -> None:
    pytest.importorskip("matplotlib")
    make(rows("fan", source=3100))
    for name in "ab":
        assert asd("plot", "scale:k=3", "-o", f"{name}.svg") == 0
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()
    assert "<image" in Path("a.svg").read_text()
