"""`fractions` and `neighbours`: the tables of smooth and tune as they are, bands, marks, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadData, MissingArtifact
from asdcli.plots import Material
from asdcli.plots.fractions import Fractions
from asdcli.plots.neighbours import SmoothingByK
from asdcli.progress import SILENT

Asd = Callable[..., int]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(kind: artifacts.Kind, rows: list[dict[str, Any]]) -> Path:
    """A table of a run as its stage writes it."""
    path = Path("runs/mine") / f"{kind.name}.parquet"
    schema = pa.schema([(column.name, column.type) for column in kind.columns])
    header = Header.make(kind, dataset="mine", seed=0, params={"metric": "auc-pauc"})
    artifacts.write_table(path, kind, pa.Table.from_pylist(rows, schema), header)
    return path


def fractions() -> Path:
    rows = [
        {"method": method, "machine_type": name, "fraction": share, "mean": mean, "std": 0.1 * (1 - share)}
        for method, mean in (("mse", 0.5), ("mse+smooth", 0.6))
        for name in ("all", "fan")
        for share in (0.5, 1.0)
    ]
    return write(artifacts.FRACTIONS, [{**row, "n_repeats": 4, "n_clips": 10.0} for row in rows])


def tuning(reported: float | None = 0.7) -> Path:
    rows = [
        {
            "method": "mse+smooth",
            "machine_type": name,
            "params": f"k={k},data={data}",
            "chosen_on": 0.5 + k / 10,
            "reported_on": reported and reported + (name == "pump") / 10 + (data == "all") / 100,
            "chosen": (k, data) == (4, "all"),
            "oracle": (k, data) == (1, "all"),
        }
        for name in ("fan", "pump")
        for k in (4, 1)
        for data in ("source", "all")
    ]
    mixture = {**rows[0], "method": "gmm", "params": "clusters=8,data=all"}
    return write(artifacts.TUNING, [mixture, *rows])


def test_fractions_are_drawn_with_a_band_of_one_standard_deviation_all_machine_types_first() -> None:
    pytest.importorskip("matplotlib")
    found = Fractions().numbers(Material({"fractions": fractions()}), SILENT)
    assert [signature.split("|")[2] for signature in found.signatures] == ["method:mse", "method:mse+smooth"]
    assert "auc-pauc over 4 random subsets" in found.caption[0]
    figure = Fractions().draw(found)
    assert [ax.texts[-1].get_text() for ax in figure.axes] == ["all machine types", "fan"]
    ax = figure.axes[0]
    assert [list(line.get_ydata()) for line in ax.lines] == [[50, 50], [60, 60]]
    assert list(ax.lines[0].get_xdata()) == [50, 100]
    band = ax.collections[1].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((55, 65))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("clips smoothed over (%)", "auc-pauc (%)")


def test_neighbours_are_in_order_of_k_with_the_mean_of_machine_types_first_and_the_choice_marked() -> None:
    pytest.importorskip("matplotlib")
    found = SmoothingByK().numbers(Material({"tuning": tuning()}), SILENT)
    rows = found.table.to_pylist()
    mean = next(r for r in rows if (r["machine_type"], r["data"], r["k"]) == ("all", "source", 4))
    assert (mean["mean"], mean["std"], mean["n_machine_types"]) == (pytest.approx(0.75), pytest.approx(0.05), 2)
    assert {r["method"] for r in rows} == {"mse+smooth"}
    figure = SmoothingByK().draw(found)
    assert [ax.texts[-1].get_text() for ax in figure.axes] == ["mean of machine types", "fan", "pump"]
    fan = figure.axes[1]
    lines = [line for line in fan.lines if line.get_linestyle() != "None"]
    assert [list(line.get_xdata()) for line in lines] == [[1, 4], [1, 4]]
    marks = [(line.get_marker(), *np.ravel(line.get_xydata())) for line in fan.lines if line.get_zorder() == 4]
    assert [m for m in marks if len(m) == 3] == [("x", 1, pytest.approx(71)), ("o", 4, pytest.approx(71))]
    chosen = SmoothingByK(on="choosing").numbers(Material({"tuning": tuning()}), SILENT)
    assert {(r["k"], r["mean"]) for r in chosen.table.to_pylist()} == {(1, 0.6), (4, 0.9)}


def test_a_single_machine_type_has_no_mean() -> None:
    path = tuning()
    table, header = artifacts.read_table(path, artifacts.TUNING)
    artifacts.write_table(path, artifacts.TUNING, table.slice(0, 5), header)
    found = SmoothingByK().numbers(Material({"tuning": path}), SILENT)
    assert set(found.table["machine_type"].to_pylist()) == {"fan"} and "band" not in found.caption[0]


def test_what_was_not_measured_is_not_drawn(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(BadData, match="says nothing of K on the sections that were reported"):
        SmoothingByK().numbers(Material({"tuning": tuning(None)}), SILENT)
    for figure, kind in (("fractions", artifacts.FRACTIONS), ("neighbours", artifacts.TUNING)):
        assert asd("plot", figure, "--run", "runs/none", "--dataset", "mine") == 1
        assert kind.made_by in capsys.readouterr().err
    with pytest.raises(MissingArtifact):
        Fractions().numbers(Material({"fractions": Path("none.parquet")}), SILENT)
