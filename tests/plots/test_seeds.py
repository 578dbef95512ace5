"""`seeds`: quartiles over runs, a panel a model, and what of many runs has nothing to give."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from asdcli.pipeline import many_runs as reading
from asdcli.plots import Material, Numbers
from asdcli.plots.seeds import SCHEMA, Seeds
from asdcli.progress import SILENT
from tests.helpers import many_runs

Said = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seeds of one model and one of another, evaluated; and a run that was not."""
    root = tmp_path_factory.mktemp("tree")
    clips, rows = many_runs.write_clips(root, "dcase2023")
    how = {"methods": ("smote", "nn"), "skill": lambda method, seed: 0.4 * seed + (method == "nn")}
    for seed in range(4):
        many_runs.write_run(root, "dcase2023", clips, rows, seed=seed, **how)  # type: ignore[arg-type]
    many_runs.write_run(root, "dcase2023", clips, rows, model=many_runs.TRAINABLE, **how)  # type: ignore[arg-type]
    many_runs.write_run(root, "dcase2023", clips, rows, seed=7, evaluated=False)
    return root


@pytest.fixture
def said(
    tree: Path, asd: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Said:
    """What `asd plot … --json` prints, in that folder."""
    monkeypatch.chdir(tree)

    def said(*words: object) -> dict[str, Any]:
        capsys.readouterr()
        asd("plot", *words, "--json", "--force")
        return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]

    return said


def numbers(tree: Path, *methods: str) -> Numbers:
    found = reading.results(reading.below([tree / "runs"]), tree / "data")
    return Seeds().numbers(Material({}, methods, runs=found.runs), SILENT)


def plainly(tree: Path, label: str, method: str, subset: str) -> list[float]:
    """The official scores of a label's runs, read the plain way, by seed."""
    runs = sorted((tree / "runs/dcase2023" / label).glob("seed-[0-3]"))
    return [many_runs.results(run)[method, subset] / 100 for run in runs]


def test_every_point_is_a_run_and_facts_are_the_quartiles_over_seeds(tree: Path) -> None:
    found = numbers(tree)
    assert found.table.schema.equals(SCHEMA) and len(found.table) == 2 * 2 * (4 + 1)
    fact: Mapping[str, Any] = next(
        f for f in found.facts if (f["model"], f["method"], f["subset"]) == (many_runs.FIXED, "nn", "dev")
    )
    a, b, c, d = sorted(plainly(tree, "fixed", "nn", "dev"))
    assert fact["seeds"] == 4
    by_hand = ((b + c) / 2, b - (b - a) / 4, c + (d - c) / 4, a, d)
    names = ("median", "first_quartile", "third_quartile", "least", "most")
    np.testing.assert_allclose([fact[name] for name in names], by_hand, rtol=1e-12)
    assert found.signatures[0].startswith(
        "dcase2023|dev|machines:7|runs:4|methods:2|seeds:0-3|embedder:discriminative:centers=fixed|made:"
    )
    assert found.signatures[0].partition("|figure:")[2].startswith("seeds|asd:")


def test_what_is_drawn_are_the_numbers_the_papers_order_first_and_one_run_has_no_box(tree: Path) -> None:
    pytest.importorskip("matplotlib")
    fixed, single, *_ = Seeds().draw(numbers(tree)).axes
    assert [label.get_text() for label in fixed.get_yticklabels()] == ["nn", "smote"]
    points = [line for line in fixed.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points[0].get_xdata(), np.multiply(plainly(tree, "fixed", "nn", "dev"), 100))
    assert (len(fixed.patches), len(single.patches)) == (2, 0)
    assert fixed.get_xlim() == single.get_xlim() and fixed.get_xlabel() == "official score (%)"


@pytest.mark.parametrize("n", [1, 2, 3])
def test_so_many_runs_are_so_many_points_on_their_lane_and_a_box_from_three_on(tree: Path, n: int) -> None:
    places = [tree / f"runs/dcase2023/fixed/seed-{seed}" for seed in range(n)]
    found = Seeds().numbers(Material({}, ("nn",), runs=reading.results(places, tree / "data").runs), SILENT)
    panel, *_ = Seeds().draw(found).axes
    (points,) = [line for line in panel.lines if line.get_linestyle() == "None"]
    assert sorted(points.get_xdata()) == sorted(plainly(tree, "fixed", "nn", "dev")[:n] * np.array([100.0]))
    assert (len(panel.patches), len(set(points.get_ydata()))) == ((1, 3) if n == 3 else (0, 1))


def test_runs_are_named_or_found_and_the_figure_lies_beside_them(said: Said) -> None:
    drawn = said("seeds", "-m", "nn", "--numbers", "n.parquet")
    assert drawn["outputs"][0]["path"] == "runs/plots/seeds.svg"
    assert {fact["method"] for fact in drawn["facts"]["shown"]} == {"nn"}
    assert any("seed-7 is left out: it was not evaluated: asd evaluate" in told for told in drawn["warnings"])
    assert len(pq.read_table("n.parquet")) == 2 * 5
    first = Path("runs/plots/seeds.svg").read_bytes()
    said("seeds", "runs/dcase2023/fixed", "runs/dcase2023/trainable", "-m", "nn", "-o", "again.svg")
    assert Path("again.svg").read_bytes() == first
    assert said("seeds", "runs/dcase2023/fixed")["outputs"][0]["path"] == "runs/dcase2023/fixed/plots/seeds.svg"
    one = said("seeds", "--run", "runs/dcase2023/trainable/seed-0")
    assert one["outputs"][0]["path"] == "runs/dcase2023/trainable/seed-0/plots/seeds.svg"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("seeds", "-m", "nm"), "unknown method 'nm'"),
        (("curves", "runs"), "curves is of one run"),
        (("seeds", "runs/dcase2023/fixed/seed-7"), "none of 1 run has anything for"),
        (("seeds", "nowhere"), "no folder nowhere"),
        (("seeds", "--dataset", "dcase2024"), "none of 5 runs is of dataset dcase2024"),
    ],
)
def test_what_cannot_be_drawn_is_refused(said: Said, words: tuple[str, ...], message: str) -> None:
    assert message in said(*words)["error"]["message"]
