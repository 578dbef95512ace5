"""Detectors on disk: what `asd score` leaves of every method scores as it did, and what is damaged is made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdcli import artifacts
from asdcli.errors import BadArtifact, BadData, MissingArtifact, UsageError
from asdcli.scorers import PAPER
from asdcli.scorers.vectors import Vectors
from asdcli.stages import score
from asdcli.views.detector_file import DetectorFile
from asdcli.views.scores import ScoreFiles
from asdcli.vocabulary import Unit
from tests.stages.test_score import make_rows, write

METHODS = (
    "nn",
    "nn:k=3",
    "kmeans:clusters=4",
    "smote:ratio=0.5",
    "rescale:k=4",
    "rescale:k=4,metric=euclidean,form=difference",
    "varmin:k=4,val=test-all",
    "varmin:k=4,space=log,loo=loose",
    "gmm:clusters=2,data=all",
    "mahalanobis:data=source",
)


def scored(folder: Path, rows: list[dict[str, Any]], *methods: str, unit: Unit | None = None) -> list[ScoreFiles]:
    files = [ScoreFiles.beside(folder / f"{i}.parquet") for i in range(len(methods))]
    outputs = dict(zip(methods, files, strict=True))
    score.run(write(folder / "e.parquet", rows), outputs, errors=folder / "errors.parquet", unit=unit)
    return files


def of_stage(files: ScoreFiles) -> dict[tuple[str, int], float]:
    """(clip_id, window) -> score."""
    several = files.windows.exists()
    kind = artifacts.WINDOW_SCORES if several else artifacts.SCORES
    table, _ = artifacts.read_table(files.windows if several else files.clips, kind)
    window = table["window"].to_pylist() if several else [0] * len(table)
    keys = zip(table["clip_id"].to_pylist(), window, strict=True)
    return dict(zip(keys, table["anomaly_score"].to_pylist(), strict=True))


def of_detector(
    detector: DetectorFile, rows: list[dict[str, Any]], machine_type: str, section: str
) -> dict[tuple[str, int], float]:
    """The same of one section, each split in one go and in the order in which the stage scores it."""
    scores = {}
    for split in ("train", "test"):
        own = [r for r in rows if (r["machine_type"], r["section"], r["split"]) == (machine_type, section, split)]
        own = sorted(own, key=lambda r: (r["clip_id"], r["window"]))
        raw = np.array([r["vector"] for r in own], np.float32)
        numbers = detector.clip_numbers([r["clip_id"] for r in own])
        found = detector.fitted(machine_type, section).score(Vectors.of(raw, numbers))
        scores |= {(r["clip_id"], r["window"]): s for r, s in zip(own, found.tolist(), strict=True)}
    return scores


@pytest.mark.parametrize("windows", [1, 3])
@pytest.mark.parametrize("unit", Unit)
def test_a_stored_detector_scores_test_clips_as_asd_score_did_to_the_bit_and_training_clips_without_themselves(
    tmp_path: Path, windows: int, unit: Unit
) -> None:
    rows = make_rows(("fan", "valve"), windows=windows)
    for method, files in zip(METHODS, scored(tmp_path, rows, *METHODS, unit=unit), strict=True):
        detector, expected = DetectorFile.read(files.detector), of_stage(files)
        got = of_detector(detector, rows, "fan", "00") | of_detector(detector, rows, "valve", "00")
        assert {k: v for k, v in got.items() if "/test/" in k[0]} == {
            k: v for k, v in expected.items() if "/test/" in k[0]
        }, method
        # training clips: BLAS computes the product of a matrix with itself by another routine, other last bits
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-12), method


def test_each_method_of_a_run_leaves_a_detector_that_says_what_it_was_made_of(
    asd: Callable[..., int], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    write(run / "embeddings.parquet", make_rows())
    (run / "run.json").write_text('{"dataset": "toy"}')
    assert asd("score", "--run", run, "-m", "all", "-m", "gmm:clusters=2") == 0
    names = {p.stem for p in (run / "detectors").iterdir()}
    assert names == {p.stem for p in (run / "scores").iterdir()}
    assert len(names) == len(PAPER) + 1
    detector = DetectorFile.read(run / "detectors" / "varmin.k=8,val=test-all.npz")
    scores = artifacts.read_header(run / "scores" / "varmin.k=8,val=test-all.parquet", artifacts.SCORES)
    assert detector.method == "varmin:k=8,val=test-all"
    same = ("dataset", "seed", "params", "inputs", "history")
    assert [getattr(detector.header, name) for name in same] == [getattr(scores, name) for name in same]
    assert [entry["kind"] for entry in detector.header.history] == ["embeddings"]


def test_a_detector_next_to_a_named_output_is_called_after_it(asd: Callable[..., int], tmp_path: Path) -> None:
    write(tmp_path / "e.parquet", make_rows())
    assert asd("score", "-m", "nn", "--embeddings", "e.parquet", "-o", "mine.parquet") == 0
    assert DetectorFile.read(tmp_path / "mine.detector.npz").machine_types == ["fan"]


def test_a_file_holds_each_training_window_once_and_only_those_that_are_compared_with(tmp_path: Path) -> None:
    rows = make_rows(("fan",), ("00", "01"), windows=2)
    lacking = [r for r in rows if r["split"] == "test" or r["section"] == "00"]
    files = scored(tmp_path, lacking, "nn", "kmeans:clusters=4", "mahalanobis:data=all", unit=Unit.SECTION)
    arrays = [artifacts.read_arrays(f.detector, artifacts.DETECTOR)[0] for f in files]
    nn, kmeans, mahalanobis = arrays
    assert nn["machine_type"].tolist() == ["fan", "fan"]
    assert (nn["vectors"].shape, nn["vectors"].dtype) == ((56, 8), np.float32)  # of both units, which share them
    assert kmeans["vectors"].shape == (8, 8)  # four target clips
    assert "vectors" not in mahalanobis
    assert not any(array.dtype.hasobject for one in arrays for array in one.values())


def test_a_section_without_training_clips_has_its_machine_types_unit_and_a_strange_one_is_refused(
    tmp_path: Path,
) -> None:
    rows = make_rows(("fan",), ("00", "01", "02"))
    lacking = [r for r in rows if r["split"] == "test" or r["section"] != "01"]
    files = scored(tmp_path, lacking, "varmin:k=4", unit=Unit.SECTION)[0]
    detector, expected = DetectorFile.read(files.detector), of_stage(files)
    assert detector.sections("fan") == ["00", "02"]
    tests = [r for r in lacking if r["section"] == "01"]
    raw = np.array([r["vector"] for r in tests], np.float32)
    whole = detector.fitted("fan", "01").score(Vectors.of(raw, np.arange(len(raw)) + 10**6))
    np.testing.assert_allclose(
        whole, [expected[r["clip_id"], 0] for r in tests], rtol=1e-12
    )  # of other company: rounding
    (tmp_path / "b").mkdir()
    strict = DetectorFile.read(scored(tmp_path / "b", rows, "varmin:k=4", unit=Unit.SECTION)[0].detector)
    with pytest.raises(UsageError, match="unknown section of fan '07'"):
        strict.fitted("fan", "07")
    with pytest.raises(UsageError, match="each section of fan by itself") as caught:
        strict.fitted("fan")
    assert "00, 01, 02" in str(caught.value.hint)
    with pytest.raises(UsageError, match="unknown machine type of varmin:k=4,val=train-all 'fna'") as caught:
        strict.fitted("fna", "00")
    assert "did you mean 'fan'" in str(caught.value.hint)


def test_of_a_whole_machine_type_any_section_may_be_asked_for(tmp_path: Path) -> None:
    detector = DetectorFile.read(scored(tmp_path, make_rows(), "nn")[0].detector)
    assert detector.sections("fan") == []
    query = Vectors.of(np.ones((1, 8)), np.array([999]))
    assert detector.fitted("fan", "07").score(query) == detector.fitted("fan").score(query)


# ---------------------------------------------------------------------------------------------------------------------
# Missing and damaged


def vanish(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def replace(path: Path) -> None:
    path.write_text("something else")


def zeroed(path: Path) -> None:
    """Whole as a zip, and not what the header says."""
    arrays, header = artifacts.read_arrays(path, artifacts.DETECTOR)
    arrays["vectors"][3] = 0
    text = np.frombuffer(header.to_json().encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, asd=text, **arrays)


@pytest.mark.parametrize("spoil", [vanish, cut, flip, replace, zeroed])
def test_a_missing_detector_is_made_again_and_a_damaged_one_with_force_and_the_scores_stay(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    rows = make_rows()
    files = scored(tmp_path, rows, "nn", "varmin:k=4")
    before = [(f.clips.read_bytes(), f.detector.read_bytes()) for f in files]
    spoil(files[0].detector)
    with pytest.raises((BadArtifact, MissingArtifact)):
        DetectorFile.read(files[0].detector)
    outputs = dict(zip(("nn", "varmin:k=4"), files, strict=True))
    damaged = files[0].detector.exists()
    if damaged:
        with pytest.raises(BadData, match="is there already"):
            score.run(tmp_path / "e.parquet", outputs, errors=tmp_path / "errors.parquet")
    made = score.run(tmp_path / "e.parquet", outputs, errors=tmp_path / "errors.parquet", force=damaged)
    assert [outcome.status for outcome in made.values()] == ["done", "done" if damaged else "current"]
    assert [(f.clips.read_bytes(), f.detector.read_bytes()) for f in files] == before
    again = score.run(tmp_path / "e.parquet", outputs, errors=tmp_path / "errors.parquet")
    assert [outcome.status for outcome in again.values()] == ["current", "current"]


@pytest.mark.parametrize("without", ["machine_type", "section", "vectors", "clip", "0.reference.chosen"])
def test_a_forged_detector_is_refused_in_words(tmp_path: Path, without: str) -> None:
    path = scored(tmp_path, make_rows(), "rescale:k=4")[0].detector
    arrays, header = artifacts.read_arrays(path, artifacts.DETECTOR)
    del arrays[without]
    artifacts.write_arrays(path, arrays, header)
    with pytest.raises(BadArtifact, match="holds no whole detector") as caught:
        DetectorFile.read(path).fitted("fan", "00")
    assert "asd score" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["machine_type", "section", "of_section"])
def test_lists_of_units_of_different_lengths_are_refused_in_words(tmp_path: Path, name: str) -> None:
    path = scored(tmp_path, make_rows(), "rescale:k=4", unit=Unit.SECTION)[0].detector
    arrays, header = artifacts.read_arrays(path, artifacts.DETECTOR)
    artifacts.write_arrays(path, {**arrays, name: arrays[name][:-1]}, header)
    with pytest.raises(BadArtifact, match="holds no whole detector"):
        DetectorFile.read(path)


def test_another_artifact_is_no_detector(tmp_path: Path) -> None:
    scored(tmp_path, make_rows(), "nn")
    with pytest.raises(BadArtifact, match="no npz written by asdcli"):
        DetectorFile.read(tmp_path / "0.parquet")
    with pytest.raises(MissingArtifact, match="no detector at"):
        DetectorFile.read(tmp_path / "none.npz")
