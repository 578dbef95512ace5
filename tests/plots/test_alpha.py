"""`alpha`: marks are what `asd score` finds and `asd evaluate` measures; the curve is scored weight by weight."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdcli.errors import BadData, UsageError
from asdcli.plots import Material, Numbers
from asdcli.plots.alpha import SCHEMA, Alpha
from asdcli.progress import SILENT
from tests.helpers.heard import Heard
from tests.helpers.vectors_run import make, rows

Asd = Callable[..., int]
SMALL = {"k": 3, "steps": 5}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def numbers(heard: Heard | None = None, **parameters: Any) -> Numbers:
    files = {"embeddings": Path("runs/mine/embeddings.parquet"), "clips": Path("data/mine/clips.parquet")}
    return Alpha(**{**SMALL, **parameters}).numbers(Material(files), heard or SILENT)  # type: ignore[arg-type]


@pytest.mark.parametrize(("windows", "seen"), [(1, False), (2, True)])
def test_a_mark_is_what_score_finds_and_what_evaluate_measures(
    asd: Asd, capsys: pytest.CaptureFixture[str], windows: int, seen: bool
) -> None:
    make([*rows("fan"), *rows("pump", each=4)], windows=windows, seen=seen)
    sets = ["train-all", "train-random", "train-cluster", "test-all", *([] if seen else ["held-out"])]
    shown = {one["machine_type"]: one for one in numbers().facts}
    capsys.readouterr()
    assert asd("score", *(word for val in sets for word in ("-m", f"varmin:k=3,val={val}")), "--json") == 0
    scored = json.loads(capsys.readouterr().out)["facts"]["methods"]
    assert asd("evaluate", "--json") == 0
    results = json.loads(capsys.readouterr().out)["facts"]["results"]
    for val in sets:
        (units,) = (one["units"] for one in scored if one["method"].endswith(val))
        (told,) = (one["machine_types"] for one in results if one["method"].endswith(val))
        for machine_type, one in shown.items():
            assert one["alpha"][val] == pytest.approx(units[machine_type]["alpha"], abs=1e-12)
            assert one["official"][val] == pytest.approx(told[machine_type], abs=1e-9)
    assert all(list(one["alpha"]) == sets for one in shown.values())


def test_the_curve_is_the_score_of_each_weight_by_itself(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    make(rows("fan"))
    curve = [row for row in numbers().table.to_pylist() if row["chosen_by"] is None]
    assert len(curve) == 5 and curve[0]["alpha"] <= 0 and curve[-1]["alpha"] >= 1
    for row in (curve[1], curve[4]):
        assert asd("score", "-m", f"varmin:k=3,alpha={row['alpha']!r}", "-o", "one.parquet", "--force") == 0
        capsys.readouterr()
        assert asd("evaluate", "one.parquet", "--json") == 0
        (told,) = json.loads(capsys.readouterr().out)["facts"]["results"]
        assert row["official"] == pytest.approx(told["official"], abs=1e-9)


def test_what_is_drawn_are_the_numbers() -> None:
    pytest.importorskip("matplotlib")
    make([*rows("fan"), *rows("pump")])
    found = numbers()
    assert found.table.schema.equals(SCHEMA)
    figure = Alpha(**SMALL).draw(found)
    assert [ax.texts[-1].get_text() for ax in figure.axes] == ["fan", "pump"]
    for ax, one in zip(figure.axes, found.facts, strict=True):
        curve = next(line for line in ax.lines if len(line.get_xdata()) == 5)
        own = [r for r in found.table.to_pylist() if r["machine_type"] == one["machine_type"] and not r["chosen_by"]]
        assert list(curve.get_ydata()) == pytest.approx([100 * row["official"] for row in own])
        marks = [line for line in ax.lines if line.get_zorder() == 3]
        assert [float(np.ravel(line.get_xdata())[0]) for line in marks] == pytest.approx(list(one["alpha"].values()))
        assert len({line.get_marker() for line in marks}) == len(marks)
        assert ax.texts[0].get_text().startswith(f"train-all: {one['alpha']['train-all']:.3f}, ")
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("alpha", "official score (%)")


def test_sections_are_units_where_they_are_asked_for_and_labels_that_came_later_count() -> None:
    clips = [*rows("fan"), *rows("fan", section="01")]
    path = make([{**c, "condition": c["condition"] if c["split"] == "train" else None} for c in clips])
    with pytest.raises(BadData, match="no test clip has a known condition") as error:
        numbers()
    assert "asd index DIR" in (error.value.hint or "")
    held = path.read_bytes()
    make(clips)
    path.write_bytes(held)
    assert {(one["section"], one["clips"]) for one in numbers(unit="section").facts} == {("00", 24), ("01", 24)}
    assert [(one["section"], one["clips"]) for one in numbers().facts] == [(None, 48)]


def test_a_machine_type_without_anomalies_is_named_and_left_out() -> None:
    make([*rows("fan"), *(r for r in rows("pump") if r["condition"] == "normal")])
    heard = Heard()
    assert [one["machine_type"] for one in numbers(heard).facts] == ["fan"]
    assert any("not drawn: pump" in text for text in heard.warnings)


def test_fallbacks_of_a_validation_set_are_told() -> None:
    make([r for r in rows("fan") if r["domain"] == "source"])
    heard = Heard()
    numbers(heard)
    assert any("train-all is used instead (varmin:k=3,val=train-random" in text for text in heard.warnings)


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("alpha:k=0", 2, "alpha:k must be at least 1, got 0"),
        ("alpha:low=1", 2, "alpha:low must be below alpha:high, got 1 and 1"),
        ("alpha:steps=1", 2, "alpha:steps must lie in 2 to 10000, got 1"),
        ("alpha:loo=x", 2, "unknown alpha:loo 'x'"),
        ("alpha -m nn", 2, "alpha shows no scores of methods"),
        ("alpha --run runs/none", 1, "embeddings"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(
    asd: Asd, capsys: pytest.CaptureFixture[str], line: str, code: int, message: str
) -> None:
    pytest.importorskip("matplotlib")
    make(rows("fan"))
    assert asd("plot", *line.split()) == code
    assert message in " ".join(capsys.readouterr().err.split())
    with pytest.raises(UsageError):
        Alpha(low=2)


def test_the_same_embeddings_give_the_same_bytes(asd: Asd) -> None:
    pytest.importorskip("matplotlib")
    make(rows("fan"))
    for name in "ab":
        assert asd("plot", "alpha:k=3,steps=9", "-o", f"{name}.svg", "--numbers", f"{name}.csv") == 0
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()
