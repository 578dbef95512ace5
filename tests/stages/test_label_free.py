"""Choosing without anomalies: the criterion by hand, what may choose and what may not, and what is said of it."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import kendalltau, spearmanr

from asdcli import artifacts
from asdcli.pipeline import mending
from asdcli.pipeline.freshness import Freshness
from asdcli.pipeline.workspace import Workspace
from asdcli.scorers import Fitted
from asdcli.scorers.reference import Vectors
from asdcli.scorers.unit import UnitVectors
from tests.helpers import vectors_run
from tests.helpers.rewrite import rewrite

Asd = Callable[..., int]
Capture = pytest.CaptureFixture[str]
LINE = ("tune", "--objective", "label-free")
METHODS = ("-m", "nn:k=1|3", "-m", "varmin", "-k", "1,4")
FILE = Path("runs/mine/tuning-label-free.parquet")
CLIPS = [*vectors_run.rows("fan", source=16, each=4), *vectors_run.rows("valve", source=16, each=4)]


@dataclass(frozen=True)
class Peeks:
    """A(x) = |x - mu|, mu the mean of all that it is shown."""

    def fit(self, unit: UnitVectors) -> Fitted:
        shown = np.concatenate([unit.train.raw, unit.test.raw, *(one.unit.test.raw for one in unit.left_out)])
        return Fitted(self, {"mean": shown.mean(axis=0)})

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        return np.asarray(np.linalg.norm(windows.raw - learnt["mean"], axis=1))


def facts(capsys: Capture) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(capsys.readouterr().out)["facts"]
    return said


def mend() -> str | None:
    """The command that brings what was chosen up to date; None where it is."""
    space = Workspace(Path("data"), Path("runs/mine"), "mine")
    look = Freshness(space).look(FILE)
    assert look is not None
    return mending.command(look, space) if look.is_stale else None


def few(of: dict[str, list[tuple[int, int]]], train: int = 2) -> tuple[list[dict], np.ndarray]:
    """Clips of few vectors: of each machine type the first so many to train, of one domain, the others to test."""
    clips = []
    for machine_type, vectors in of.items():
        for i in range(len(vectors)):
            split = "train" if i < train else "test"
            labels = {"machine_type": machine_type, "section": "00", "subset": "dev", "split": split, "group": None}
            clips.append({"clip_id": f"{machine_type}/{i}", **labels, "domain": "source", "condition": "normal"})
    return clips, np.array([vector for vectors in of.values() for vector in vectors], np.float64)


def flipped(path: Path) -> None:
    """Turn the conditions of all test clips around."""
    other = {"normal": "anomaly", "anomaly": "normal"}
    table = pq.read_table(path)
    rows = table.select(["condition", "split"]).to_pylist()
    conditions = [other[r["condition"]] if r["split"] == "test" else r["condition"] for r in rows]
    rewrite(path, table.set_column(table.column_names.index("condition"), "condition", pa.array(conditions)))


@pytest.fixture
def mine(asd: Asd) -> Path:
    return vectors_run.make(CLIPS)


def test_the_criterion_is_what_it_is_on_paper(asd: Asd, capsys: Capture) -> None:
    """D = (1 - cos) / 2. The clips of fan are 0.2 apart, and those of valve 0.8 and 0.5 from the nearer of them: mu is
    0.45, Var_out 0.0225, the bound 0.2025 : 0.2250. Those of valve are 0.5 apart, those of fan 0.5 and 0.8 from the
    nearer of them: mu is 0.15, Var_out 0.0225, the bound 0.0225 : 0.0450. Of four pairs one ties.
    """
    clips, x = few({"fan": [(1, 0), (3, 4)], "valve": [(-1, 0), (0, -1)]})
    vectors_run.make(clips, x=x)
    assert asd(*LINE, "-m", "nn", "--pseudo", "machine-type", "--json", "-q") == 0
    found = facts(capsys)
    criteria = [found["chosen"][name]["criterion"] for name in ("fan", "valve", "all")]
    assert criteria == pytest.approx([0.9, 0.5, 0.7], abs=1e-9)
    bounds = {row[2]: row for row in found["bounds"]["rows"]}
    assert bounds["fan"][3:7] == ["machine-type", "seen", 2, 2] and bounds["fan"][8] == 1
    assert bounds["valve"][8] == 0.75
    assert not found["oracle"] and not found["agreement"]


def test_every_bound_is_below_its_area_and_the_criterion_is_their_mean(asd: Asd, mine: Path, capsys: Capture) -> None:
    assert asd(*LINE, *METHODS, "--json", "-q") == 0
    found = facts(capsys)
    rows = [dict(zip(found["bounds"]["columns"], row, strict=True)) for row in found["bounds"]["rows"]]
    assert {row["pseudo"] for row in rows} == {"shuffled", "machine-type", "domain"}
    assert all(0 <= row["bound"] <= row["auc"] + 1e-12 for row in rows)
    table = pq.read_table(FILE).to_pylist()
    assert len(table) == 3 * 4
    for row in table:
        own = [r for r in rows if r["method"] == row["method"] and row["machine_type"] in ("all", r["machine_type"])]
        assert row["chosen_on"] == pytest.approx(np.mean([r["bound"] for r in own]))
    for name in ("fan", "valve", "all"):
        own = [row for row in table if row["machine_type"] == name]
        assert [r["chosen_on"] for r in own if r["chosen"]] == [max(r["chosen_on"] for r in own)]
        assert [r["reported_on"] for r in own if r["oracle"]] == [max(r["reported_on"] for r in own)]


def test_labels_of_test_clips_choose_nothing_and_are_only_reported_by(asd: Asd, mine: Path) -> None:
    assert asd(*LINE, *METHODS) == 0
    before = pq.read_table(FILE).to_pylist()
    flipped(Path("data/mine/clips.parquet"))
    flipped(mine)
    assert asd(*LINE, *METHODS) == 0
    after = pq.read_table(FILE).to_pylist()
    kept = ("method", "machine_type", "params", "chosen_on", "chosen")
    assert [[r[name] for name in kept] for r in before] == [[r[name] for name in kept] for r in after]
    assert [r["reported_on"] for r in before] != [r["reported_on"] for r in after]


def test_vectors_of_test_clips_choose_nothing_unless_it_is_typed(asd: Asd, mine: Path, capsys: Capture) -> None:
    def bounds(*more: str) -> list[list]:
        assert asd(*LINE, *METHODS, "-m", f"{Peeks.__module__}:Peeks", "--json", *more) == 0
        found: list[list] = facts(capsys)["bounds"]["rows"]
        return found

    vectors_run.make(CLIPS, seen=False)
    before, with_test = bounds(), bounds("--transductive")
    table = pq.read_table(mine)
    is_test = np.array(table["split"].to_pylist()) == "test"
    x = np.array(table["vector"].to_pylist(), np.float32)
    x[is_test] = np.random.default_rng(5).normal(size=x[is_test].shape)
    vectors_run.make(CLIPS, x=x, seen=False)
    assert bounds() == before
    after = bounds("--transductive")
    changed = {row[3] for row, other in zip(with_test, after, strict=True) if row[1].endswith("Peeks") and row != other}
    assert changed == {"shuffled", "machine-type", "domain"}
    assert {row[4] for row in after if row[3] == "shuffled"} == {"test"}


def test_official_scores_and_correlations_are_those_of_evaluate_and_scipy(
    asd: Asd, mine: Path, capsys: Capture
) -> None:
    assert asd(*LINE, *METHODS, "--json", "-q") == 0
    found = facts(capsys)
    own = [row for row in pq.read_table(FILE).to_pylist() if row["machine_type"] == "all"]
    assert asd("score", "-q", *(word for row in own for word in ("-m", row["method"]))) == 0
    assert asd("evaluate", "--json", "-q") == 0
    official = {one["method"]: one["official"] for one in facts(capsys)["results"]}
    assert {row["method"]: row["reported_on"] for row in own} == pytest.approx(official)
    agreed = next(a for a in found["agreement"] if a["machine_type"] == a["pseudo"] == "all")
    pairs = [row["chosen_on"] for row in own], [row["reported_on"] for row in own]
    assert agreed["spearman"] == pytest.approx(spearmanr(*pairs).statistic)
    assert agreed["kendall"] == pytest.approx(kendalltau(*pairs).statistic)
    assert agreed["candidates"] == 4
    header = artifacts.read_header(FILE, artifacts.TUNING)
    assert header.diagnostics["agreement"] == found["agreement"]


def test_where_no_label_is_known_the_choice_is_the_same_and_nothing_is_reported(
    asd: Asd, mine: Path, capsys: Capture
) -> None:
    assert asd(*LINE, *METHODS, "--json", "-q") == 0
    chosen = facts(capsys)["chosen"]
    vectors_run.make([{**c, "condition": c["condition"] if c["split"] == "train" else None} for c in CLIPS])
    assert asd(*LINE, *METHODS) == 0
    assert "rank correlation" not in capsys.readouterr().out
    assert asd(*LINE, *METHODS, "--json", "-q") == 0
    found = facts(capsys)
    assert not found["agreement"] and not found["oracle"]
    assert {m: (c["method"], c["criterion"]) for m, c in found["chosen"].items()} == {
        m: (c["method"], c["criterion"]) for m, c in chosen.items()
    }


def test_the_same_inputs_and_seed_give_the_same_bytes(asd: Asd, mine: Path, capsys: Capture) -> None:
    assert asd(*LINE, *METHODS) == 0
    first = FILE.read_bytes()
    shown = capsys.readouterr()
    assert asd(*LINE, *METHODS) == 0
    again = capsys.readouterr()
    assert "up to date" in again.err and again.out == shown.out
    assert asd(*LINE, *METHODS, "--force") == 0 and FILE.read_bytes() == first
    assert asd(*LINE, *METHODS, "--seed", "1") == 0 and FILE.read_bytes() != first


def test_held_out_clips_are_the_normal_ones_where_there_are_some(asd: Asd, mine: Path, capsys: Capture) -> None:
    table = pq.read_table(mine)
    rows = table.select(["group", "split"]).to_pylist()
    seen = [None if r["split"] == "test" else r["group"] not in ("day 0", "day 1") for r in rows]
    rewrite(mine, table.set_column(table.column_names.index("seen"), "seen", pa.array(seen, pa.bool_())))
    assert asd(*LINE, "-m", "nn", "--json", "-q") == 0
    held = {(row[2], row[3]): (row[4], row[5]) for row in facts(capsys)["bounds"]["rows"]}
    assert held["fan", "shuffled"] == ("held-out", 10)
    assert held["fan", "domain"] == ("seen", 16)
    vectors_run.make(CLIPS, seen=False)
    assert asd(*LINE, "-m", "nn", "--json", "-q") == 0
    held = {(row[2], row[3]): (row[4], row[5]) for row in facts(capsys)["bounds"]["rows"]}
    assert held["fan", "shuffled"] == ("left-out group", 20)
    assert held["fan", "domain"] == ("left-out clip", 16)


def test_the_command_that_is_printed_scores_with_what_was_chosen(asd: Asd, mine: Path, capsys: Capture) -> None:
    assert asd(*LINE, *METHODS) == 0
    said = capsys.readouterr().err
    (chosen,) = (r["method"] for r in pq.read_table(FILE).to_pylist() if r["machine_type"] == "all" and r["chosen"])
    command = said.rpartition("next: ")[2].strip()
    assert command == f"asd score --method {chosen}"
    assert asd(*shlex.split(command)[1:]) == 0
    assert len(list(Path("runs/mine/scores").iterdir())) == 1


def test_several_runs_and_tables_are_chosen_among_and_the_choice_is_found_again(
    asd: Asd, mine: Path, capsys: Capture
) -> None:
    good = vectors_run.vectors(CLIPS)
    good[:, 0] += 4 * np.array([c["machine_type"] == "valve" for c in CLIPS])
    vectors_run.make(CLIPS, x=good)
    shutil.copytree("runs/mine", "runs/layers/9")
    vectors_run.make(CLIPS, x=vectors_run.vectors(CLIPS, seed=3))
    shutil.copy(mine, "pooled.parquet")
    vectors_run.make(CLIPS)
    for run in ("runs/mine", "runs/layers/9"):
        (Path(run) / "run.json").write_text('{"dataset": "mine"}\n')
    line = (*LINE, "-m", "nn", "--pseudo", "machine-type,shuffled")
    assert asd(*line, "--embeddings", "runs/mine", "--embeddings", "runs/layers", "--embeddings", "pooled.parquet") == 0
    said = capsys.readouterr()
    table = pq.read_table(FILE).to_pylist()
    assert {row["params"] for row in table} == {"embeddings=mine", "embeddings=9", "embeddings=pooled"}
    assert [r["params"] for r in table if r["chosen"] and r["machine_type"] == "all"] == ["embeddings=9"]
    assert "next: asd score --method nn --run runs/layers/9\n" in said.err
    assert mend() is None
    vectors_run.make(CLIPS, x=good[:, ::-1].copy())
    assert asd(*shlex.split(mend() or "")[1:]) == 0
    assert mend() is None and len(pq.read_table(FILE)) == len(table)


def test_what_is_chosen_by_labels_and_without_lies_side_by_side(asd: Asd, mine: Path) -> None:
    assert asd("score", "-m", "nn", "-q") == 0
    smoothing = ("tune", "-m", "nn", "-k", "1,2", "--clusters", "none", "--choose", "00", "--report", "00")
    assert asd(*smoothing) == 0
    before = Path("runs/mine/tuning.parquet").read_bytes()
    assert asd(*LINE, "-m", "nn") == 0
    assert Path("runs/mine/tuning.parquet").read_bytes() == before


def test_a_method_that_has_seen_a_clip_is_no_better_off_by_it(asd: Asd, mine: Path, capsys: Capture) -> None:
    """Components of more dimensions than clips leave nothing of a clip that they saw; here all clips are alike."""
    x = np.random.default_rng(0).normal(size=(len(CLIPS), 64))
    vectors_run.make(CLIPS, x=x)
    assert asd(*LINE, "-m", "pca:keep=0.99", "--json", "-q") == 0
    bounds = [row[7] for row in facts(capsys)["bounds"]["rows"]]
    assert len(bounds) == 6 and max(bounds) < 0.5


def test_a_clip_of_several_windows_counts_as_one(asd: Asd, capsys: Capture) -> None:
    vectors_run.make(CLIPS, windows=2)
    assert asd(*LINE, "-m", "nn", "--json", "-q") == 0
    found = facts(capsys)
    assert {(row[5], row[6]) for row in found["bounds"]["rows"]} == {(20, 20), (16, 4)}
    assert found["oracle"]["all"]["official"] is not None


def test_all_stands_for_what_looks_at_no_test_clip(asd: Asd, mine: Path) -> None:
    fan = [c for c in CLIPS if c["machine_type"] == "fan"]
    vectors_run.make(fan)
    assert asd(*LINE, "--pseudo", "shuffled") == 0
    methods = {row["method"] for row in pq.read_table(FILE).to_pylist()}
    assert len(methods) == 11 and not any("test-all" in method for method in methods)


@pytest.mark.parametrize(
    ("line", "said", "code"),
    [
        (("-m", "varmin:k=1,val=test-all"), "looks at the test clips, which are not to choose anything", 2),
        (("-m", "mse"), "looks at residuals", 2),
        (("-m", "vramin"), "vramin", 2),
        (("--pseudo", "shufled"), "shuffled", 2),
        (("--pseudo", "section"), "fan: it has training clips of one section alone", 1),
        (("--pseudo", "attributes"), "fan: its training clips do not differ in attributes", 1),
        (("--pseudo", "machine-type", "--machine-type", "vlave"), "valve", 2),
        (("-m", "kmeans", "-k", "1,2"), "no method to try them with", 2),
        (("--choose", "00"), "--choose has no say in --objective label-free", 2),
        (("--embeddings", "runs/none"), "runs/none", 1),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    asd: Asd, mine: Path, capsys: Capture, line: tuple[str, ...], said: str, code: int
) -> None:
    assert asd(*LINE, *line) == code
    assert said in capsys.readouterr().err
    assert not FILE.exists()


def test_smoothing_is_chosen_with_labels_and_takes_one_method(asd: Asd, mine: Path, capsys: Capture) -> None:
    for more in (("-m", "nn", "-m", "kmeans"), ("--pseudo", "shuffled"), ("--transductive",)):
        assert asd("tune", *more) == 2
        assert "is for --objective label-free" in capsys.readouterr().err


def test_one_clip_and_vectors_that_are_all_alike_are_refused(asd: Asd, capsys: Capture) -> None:
    clips, x = few({"fan": [(1, 0), (3, 4)], "valve": [(0, 1), (1, 1), (2, 1)]}, train=1)
    vectors_run.make(clips, x=x)
    assert asd(*LINE, "-m", "nn") == 1
    assert "fan has one normal training clip" in capsys.readouterr().err
    clips, x = few({"fan": [(1, 0), (1, 0), (1, 0), (3, 4)]}, train=3)
    vectors_run.make(clips, x=x)
    assert asd(*LINE, "-m", "nn") == 1
    assert "fan: nothing stands for anomalies" in capsys.readouterr().err
    assert asd(*LINE, "-m", "nn", "--pseudo", "shuffled") == 1
    assert "there is nothing to shuffle" in capsys.readouterr().err


def test_tables_of_other_clips_and_of_other_datasets_are_refused(asd: Asd, mine: Path, capsys: Capture) -> None:
    shutil.copytree("runs/mine", "runs/whole")
    vectors_run.make(CLIPS[1:])
    both = ("--embeddings", "runs/whole", "--embeddings", "runs/mine", "-m", "nn")
    assert asd(*LINE, *both) == 1
    assert "whole and mine are not of the same training clips" in capsys.readouterr().err
    vectors_run.make(CLIPS, "other")
    assert asd(*LINE, *both[:2], "--embeddings", "runs/other", "-m", "nn", "--run", "runs/mine") == 1
    assert "whole is of dataset 'mine', other of 'other'" in capsys.readouterr().err
