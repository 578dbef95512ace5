"""Every method through the front door: scores, what was left out, detectors, thresholds, explanations, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asdcli import artifacts
from asdcli.detector import Detector
from asdcli.filenames import stem
from asdcli.scorers import SCORERS
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.views.detector_file import DetectorFile
from asdcli.views.embeddings import read_embeddings
from asdcli.views.named import as_scored
from asdcli.views.units import plan_units
from asdcli.vocabulary import Unit
from tests.helpers import vectors_run

BANDS = [[i, i + 4] for i in range(4)]
METHODS = (
    "difference:k=4",
    "ratio",
    "cluster-exit:k=6",
    "gwrp",
    "lof:k=4",
    "nn:k_source=3,k_target=2",
    "domain-density:k_source=4,k_target=2",
    "domain-zscore",
    "pca:keep=0.8",
    "beam:bands=2,k=3",
    "beam:bands=4,method=lof,k=3",
    "pyod:KNN,n_neighbors=3",
    "varmin:k=6,exit=0.2",
)
Asd = Callable[..., int]


def scored(spelling: str) -> dict[str, dict]:
    table, _ = artifacts.read_table(
        Path("runs/mine/scores") / f"{stem(SCORERS.canonical(spelling))}.parquet", artifacts.SCORES
    )
    return {row["clip_id"]: row for row in table.to_pylist()}


def score(asd: Asd, *more: str) -> None:
    assert asd("score", "-q", *(word for method in METHODS for word in ("-m", method)), *more) == 0


@pytest.mark.parametrize("windows", [1, 3])
def test_new_clips_have_the_same_scores_by_a_detector_to_the_bit(asd: Asd, windows: int) -> None:
    clips = vectors_run.rows("fan")
    embedded = read_embeddings(vectors_run.make(clips, windows=windows, bands=BANDS))
    score(asd)
    is_test = embedded.column("split")[embedded.clip] == "test"
    test, train = np.flatnonzero(is_test), np.flatnonzero(~is_test)
    ids, known = (embedded.column("clip_id")[embedded.clip[rows]].tolist() for rows in (test, train))
    for spelling in METHODS:
        file = Path("runs/mine/detectors") / f"{stem(SCORERS.canonical(spelling))}.npz"
        detector, there = Detector(DetectorFile.read(file)), scored(spelling)
        verdict = detector.score_vectors(embedded.vectors[test], ids, "fan")
        assert [there[clip_id]["anomaly_score"] for clip_id in verdict.clip_ids] == verdict.scores.tolist(), spelling
        verdict = detector.score_vectors(embedded.vectors[train], known, "fan")  # known by name, and left out
        expected = [there[clip_id]["anomaly_score"] for clip_id in verdict.clip_ids]
        assert expected == pytest.approx(verdict.scores.tolist(), rel=1e-9, abs=1e-12), spelling


def test_what_no_model_has_seen_is_scored_without_its_group_and_sets_thresholds(
    asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = vectors_run.rows("fan")
    embedded = read_embeddings(vectors_run.make(clips, seen=False, bands=BANDS))
    score(asd)
    (plan,) = plan_units(embedded, Unit.MACHINE_TYPE)[0]
    unit, rows, _ = plan.vectors(embedded, seed=0)
    days = embedded.column("group")[embedded.clip[rows]]
    own = np.flatnonzero(days == "day 2")
    rest = UnitVectors(
        "fan", unit.train.take(days != "day 2"), unit.test, unit.is_target[days != "day 2"], bands=unit.bands
    )
    ids = embedded.column("clip_id")[unit.train.clip[own]]
    for spelling in METHODS:
        if "varmin" not in spelling and "beam" not in spelling:
            there = scored(spelling)
            fresh = Vectors(unit.train.x[own], unit.train.clip[own], unit.train.norm[own])
            alone = SCORERS.build(spelling).fit(rest).score(fresh)
            assert [there[i]["anomaly_score"] for i in ids] == pytest.approx(alone.tolist(), rel=1e-9), spelling
            assert {there[i]["scored_as"] for i in ids} == {"left-out group"}
    assert asd("threshold", "-q") == 0 and asd("evaluate", "-q") == 0
    capsys.readouterr()
    assert asd("evaluate", "--json") == 0
    told = capsys.readouterr().out
    assert all(f"method:{SCORERS.canonical(s)}|" in told for s in METHODS)
    assert set(json.loads(told)) >= {"facts"}


@pytest.mark.parametrize(
    "spelling", ["difference:k=4", "gwrp", "domain-density:k_source=4,k_target=2", "cluster-exit:k=6"]
)
def test_what_a_method_takes_off_is_known_to_explanations(asd: Asd, spelling: str) -> None:
    from asdcli.views.neighbourhood import neighbourhood

    embedded = read_embeddings(vectors_run.make(vectors_run.rows("fan"), bands=BANDS))
    assert asd("score", "-q", "-m", spelling) == 0
    detector = DetectorFile.read(Path("runs/mine/detectors") / f"{stem(SCORERS.canonical(spelling))}.npz")
    row = int(np.flatnonzero(embedded.column("split") == "test")[0])
    found = neighbourhood(embedded, row, Unit.MACHINE_TYPE, detector, most=5)
    decides = next(near for near in found.near if near.decides)
    assert decides.adjusted == pytest.approx(scored(spelling)[embedded.column("clip_id")[row]]["anomaly_score"])
    assert decides.b is not None and found.of == 28


def test_vectors_that_somebody_brought_have_as_many_bands_as_is_said(
    asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors_run.make(vectors_run.rows("fan"), embedder="imported")
    assert asd("score", "-m", "beam") == 1
    assert "hint: say how many bands lie in them one after the other: -m beam:bands=8" in capsys.readouterr().err
    assert asd("score", "-q", "-m", "beam:bands=2,method=nn") == 0
    assert asd("score", "-m", "beam:bands=3") == 1
    assert "vectors of 8 dimensions cannot be cut into 3 bands" in capsys.readouterr().err


def test_bands_of_an_embedder_that_has_none_are_refused(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    vectors_run.make(vectors_run.rows("fan"), embedder="discriminative")
    assert asd("score", "-m", "beam:bands=2") == 1
    told = capsys.readouterr().err
    assert "these embeddings have no bands of frequencies" in told and "asd embed --embedder logmel --force" in told
    assert not list(Path("runs/mine").glob("scores/*"))


@pytest.mark.parametrize("bands", [[[0, 9]], [[0], [1, 2]], [0, 1], "all", [[0.5]], [["a"]], [[-1]], []])
def test_bands_in_a_header_that_are_none_are_refused(asd: Asd, capsys: pytest.CaptureFixture[str], bands: list) -> None:
    vectors_run.make(vectors_run.rows("fan"), bands=bands)
    assert asd("score", "-m", "beam:bands=1") == 1
    assert "the bands in the header of the embeddings are none" in capsys.readouterr().err


def test_a_detector_of_pyod_is_refused_by_name(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    vectors_run.make(vectors_run.rows("fan"))
    assert asd("score", "-m", "pyod:IForrest") == 2
    assert "did you mean 'IForest'" in capsys.readouterr().err


def test_a_short_spelling_names_the_scores_that_it_made(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    vectors_run.make(vectors_run.rows("fan"))
    assert asd("score", "-q", "-m", "difference", "-m", "nn", "-m", "varmin") == 0
    assert asd("smooth", "-q", "--method", "difference", "-k", "4") == 0
    (smoothed,) = Path("runs/mine/scores").glob("*smooth*")
    assert smoothed.name.startswith("rescale.k=16,form=difference")
    assert asd("evaluate", "-q") == 0
    capsys.readouterr()
    assert asd("table", "compare", "runs/mine", "-m", "difference", "-m", "varmin", "--baseline", "nn") == 0
    told = capsys.readouterr().out
    assert "rescale:k=16,form=difference" in told and "varmin:k=16,val=train-all" in told
    assert asd("table", "compare", "runs/mine", "-m", "ratio") == 2
    assert "unknown method 'ratio'" in capsys.readouterr().err


def test_what_was_typed_is_looked_for_as_it_was_scored() -> None:
    known = ["rescale:k=16,form=difference", "mine", "varmin"]
    assert as_scored("difference", known) == "rescale:k=16,form=difference"
    assert [as_scored(name, known) for name in ("mine", "varmin", "ratio", "no such:method")] == [
        "mine",
        "varmin",
        "ratio",
        "no such:method",
    ]
