"""`asd explain`, through its front door: figures, words, picture, and what cannot be explained."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from asdcli import artifacts
from asdcli.pipeline import notebook
from asdcli.pipeline.detectors import detector_of
from asdcli.pipeline.workspace import Workspace
from tests.helpers.typed import typed
from tests.known_faults.made_up import RATE, BandFault, PulseFault, machine, pcm, with_fault

Asd = Callable[..., int]
Told = Callable[..., dict[str, Any]]

LINES = (
    "index recordings --name mine --group-by block:5",
    "extract-features --features logmel",
    "embed --embedder logmel",
    "score -m varmin:k=4,val=train-all -m nn -m mahalanobis",
    "threshold runs/mine/scores/nn.parquet --quantile 0.8",
)
SECONDS = 3.0


def write(path: Path, sound: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, pcm(sound), RATE, subtype="PCM_16")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pump: 20 healthy recordings, one more, one that hisses from 1.5 s on, one that knocks, and a short one."""
    place = tmp_path_factory.mktemp("pump")
    for i in range(20):
        write(place / f"recordings/pump/train/normal {i:02d}.wav", machine(i, SECONDS))
    test = place / "recordings/pump/test"
    write(test / "normal/well.wav", machine(50, SECONDS))
    write(test / "abnormal/hiss.wav", with_fault(machine(51, SECONDS), BandFault(1200, 1600, 1.5, 12), 0))
    write(test / "abnormal/knock.wav", with_fault(machine(52, SECONDS), PulseFault(29, 3000, 6), 0))
    return typed(place, *LINES)


@pytest.fixture
def here(made: Path, tmp_path: Path) -> Path:
    """A copy of it in the test's own working folder."""
    for name in ("data", "runs"):
        shutil.copytree(made / name, tmp_path / name)  # the recordings too, which lie elsewhere
    return tmp_path


@pytest.fixture
def told(asd: Asd, made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """What `asd explain … --json` found of its only clip, where the recordings were made."""

    def explain(*words: str) -> dict[str, Any]:
        monkeypatch.chdir(made)
        capsys.readouterr()
        assert asd("explain", *words, "--json") == 0
        answer = json.loads(capsys.readouterr().out)
        (clip,) = answer["facts"]["clips"]
        return clip

    return explain


def space(place: Path) -> Workspace:
    return Workspace(place / "data", place / "runs" / "mine", "mine")


def test_a_hiss_is_named_by_its_band_its_beginning_and_its_level(told: Told) -> None:
    clip = told("hiss", "-m", "nn")
    (first, *_), (words, *_) = clip["regions"], clip["words"]
    assert first["low_hz"] == pytest.approx(1200, rel=0.06) and first["high_hz"] == pytest.approx(1600, rel=0.06)
    assert first["from_s"] == pytest.approx(1.5, abs=0.15) and first["to_s"] == pytest.approx(SECONDS, abs=0.1)
    assert first["beyond"] == clip["region_beyond"] > clip["region_limit"]
    found = re.fullmatch(r"(\d+) dB more at 1\.2-1\.6 kHz, from 1\.[45] s on", words)
    assert found and int(found[1]) == round(first["db"]) and 9 <= first["db"] <= 15


def test_knocking_is_named_by_its_rate(told: Told) -> None:
    clip = told("knock", "-m", "nn")
    (pulses,) = clip["pulses"]
    assert pulses["rate_hz"] == pytest.approx(29, rel=0.03) and pulses["octave_hz"] == [2000, 4000]
    assert (
        f"pulses at {pulses['rate_hz']:.0f} Hz in 2-4 kHz, {pulses['db']:.0f} dB above those of normal recordings"
        in (clip["words"])
    )


def test_where_nothing_stands_out_it_says_so(told: Told) -> None:
    clip = told("well", "-m", "nn")
    assert clip["words"] == [
        "nothing clear: no band and no pulses stand out further than those of the 16 normal recordings do among "
        "themselves"
    ]
    assert not clip["regions"] and not clip["pulses"]


def test_nearest_recordings_are_those_by_brute_force_and_the_least_adjusted_is_the_score(
    told: Told, made: Path
) -> None:
    table = pq.read_table(space(made).embeddings)
    x = np.array(table["vector"].to_pylist(), np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    ids, split = (np.array(table[name].to_pylist()) for name in ("clip_id", "split"))
    row = int(np.flatnonzero(np.char.endswith(ids, "hiss"))[0])
    train = np.flatnonzero(split == "train")
    d = (1 - x[row] @ x[train].T) / 2
    order = np.argsort(d)
    for method in ("nn", "varmin:k=4,val=train-all", "mahalanobis:data=all"):
        clip = told("hiss", "-m", method)
        near = clip["nearest"][:16]
        assert [n["clip_id"] for n in near] == ids[train[order[:16]]].tolist()
        assert [n["distance"] for n in near] == pytest.approx(d[order[:16]].tolist(), abs=1e-12)
        if "varmin" in method:
            (deciding,) = [n for n in clip["nearest"] if n["decides"]]
            assert deciding["adjusted"] == pytest.approx(clip["score"], abs=1e-12)
            assert deciding["taken_off"] == pytest.approx(clip["alpha"] * deciding["b"])
            among = (1 - x[train] @ x[train].T) / 2
            np.fill_diagonal(among, np.inf)
            b = np.sort(among, axis=1)[:, :4].mean(axis=1)
            assert [n["b"] for n in near] == pytest.approx(b[order[:16]].tolist(), abs=1e-12)
        else:
            assert clip["alpha"] is None and near[0]["b"] is None


def test_score_threshold_and_p_value_are_those_of_the_run(told: Told, made: Path) -> None:
    clip = told("hiss", "-m", "nn")
    scores = {r["clip_id"]: r for r in pq.read_table(space(made).scores("nn")).to_pylist()}
    limit = pq.read_table(space(made).thresholds).to_pylist()[0]["threshold"]
    assert (clip["score"], clip["threshold"]) == (scores[clip["clip_id"]]["anomaly_score"], limit)
    assert clip["anomalous"] is True and clip["score"] > limit
    normal = [r["anomaly_score"] for r in scores.values() if r["split"] == "train"]
    assert clip["p_value"] == pytest.approx((1 + sum(s >= clip["score"] for s in normal)) / (len(normal) + 1))
    assert told("hiss", "-m", "mahalanobis")["threshold"] is None
    assert "|method:nn|" in clip["signature"] and f"|clip:{clip['clip_id']}|" in clip["signature"]


def test_a_training_clip_is_held_against_clips_of_other_groups(told: Told, made: Path) -> None:
    clip = told("normal 03", "-m", "varmin:k=4,val=train-all")
    table = pq.read_table(space(made).scores("nn")).to_pylist()
    group = {r["clip_id"]: r["group"] for r in table}
    assert clip["scored_as"] == "left-out group" and clip["p_value"] is None
    assert len(clip["nearest"]) == 15  # of 20, without the five of its block
    assert group[clip["clip_id"]] not in {group[n["clip_id"]] for n in clip["nearest"]}
    assert any("fitted without its group" in note for note in clip["notes"])


def test_people_read_words_a_table_and_the_signature(
    asd: Asd, made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(made)
    assert asd("explain", "hiss", "recordings/pump/test/normal/well.wav", "-m", "varmin:k=4,val=train-all") == 0
    out = capsys.readouterr().out
    assert "* 1" in out and "dB more at 1.2-1.6 kHz, from 1." in out and "* nothing clear" in out
    assert "taken off" in out and "sets the score" in out and out.count("|method:varmin:k=4,val=train-all|") == 2


def test_the_picture_is_the_same_bytes_again_and_says_how_it_was_made(
    asd: Asd, made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(made)
    for suffix in ("svg", "png", "pdf"):
        for name in ("a", *(["b"] if suffix == "svg" else [])):
            assert asd("explain", "knock", "-m", "nn", "-o", tmp_path / f"{name}.{suffix}", "-q") == 0
        data = (tmp_path / f"a.{suffix}").read_bytes()
        assert suffix != "svg" or data == (tmp_path / f"b.{suffix}").read_bytes()
        assert not re.search(rb"D:20\d\d|Matplotlib|matplotlib.org", data)
    texts = [t.text for t in ET.parse(tmp_path / "a.svg").getroot().iter("{http://www.w3.org/2000/svg}text")]
    told = " ".join(t for t in texts if t)
    assert "pulses at 29 Hz" in told and "|method:nn|" in told and "robust z-scores" in told
    assert re.search(r"2(8|9)\.\d Hz", told) and "envelope spectrum of 2,000 to 4,000 Hz" in told
    (tmp_path / "mine.png").write_text("mine")
    assert asd("explain", "knock", "-m", "nn", "-o", tmp_path / "mine.png") == 1
    assert asd("explain", "nobody", "-m", "nn", "-o", tmp_path / "mine.png") == 1  # before the work
    assert capsys.readouterr().err.count("is there already") == 2 and (tmp_path / "mine.png").read_text() == "mine"


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("hizz -m nn", 2, "unknown clip 'hizz' hint: did you mean 'hiss'?"),
        ("normal -m nn", 2, "unknown clip 'normal'"),
        ("9 -m nn", 2, "2 clips end with '9'"),
        ("hiss -m nm", 2, "unknown method 'nm'"),
        ("hiss", 2, "several methods have scores: mahalanobis:data=all, nn, varmin:k=4,val=train-all hint: say which"),
        ("hiss well -m nn -o a.png", 2, "-o names one picture, and there are 2 clips"),
        ("hiss -m nn -o a.bmp", 2, "unknown format of a figure 'bmp'"),
        ("hiss -m nn --run runs/none", 1, "no scores at runs/none/scores"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_words(
    asd: Asd,
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(made)
    assert asd("explain", *line.split()) == code
    assert message in " ".join(capsys.readouterr().err.split())
    assert not Path("a.png").exists()


def test_a_clip_without_a_score_and_one_that_is_too_short_and_one_that_is_gone(
    asd: Asd, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = space(here)
    path = own.scores("nn")
    table, header = artifacts.read_table(path, artifacts.SCORES)
    names = table["clip_id"].to_pylist()
    artifacts.write_table(path, artifacts.SCORES, table.filter([not n.endswith("well") for n in names]), header)
    assert asd("explain", "well", "-m", "nn") == 1
    assert "nn has no score of" in capsys.readouterr().err
    (recording,) = (here / "data").rglob("hiss.wav")
    soundfile.write(recording, np.zeros(900, np.int16), RATE, subtype="PCM_16")
    assert asd("explain", "hiss", "-m", "nn") == 1
    assert "is too short to explain: 900 samples, a log-mel frame takes 1024" in capsys.readouterr().err
    recording.unlink()
    assert asd("explain", "hiss", "-m", "nn") == 1
    assert "there is no recording" in capsys.readouterr().err


def test_beside_a_single_normal_recording_nothing_is_called_clear(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "recordings/pump/train/one.wav", machine(0, 1.0))
    write(tmp_path / "recordings/pump/test/abnormal/hiss.wav", machine(1, 1.0) * 20)
    for line in ("index recordings --name mine", "extract-features", "extract-features --features logmel"):
        assert asd(*line.split(), "-q") == 0
    assert asd("embed", "--embedder", "logmel", "-q") == 0
    assert asd("score", "-m", "varmin", "-q") == 3  # the only training clip has no score
    capsys.readouterr()
    assert asd("explain", "hiss", "--json") == 0
    (clip,) = json.loads(capsys.readouterr().out)["facts"]["clips"]
    assert clip["words"] == ["too few normal recordings (1) to tell what is clear: it takes 5"]
    assert clip["region_limit"] is None and len(clip["nearest"]) == 1 and clip["alpha"] is None
    assert asd("explain", "one", "-m", "varmin") == 1
    assert "has no score of" in capsys.readouterr().err


def test_of_a_network_the_pieces_that_matter_and_of_an_autoencoder_what_it_misses(
    asd: Asd, whole_run: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name = "section_00_source_test_anomaly_0001"
    clips = [r for r in pq.read_table("data/synthetic/clips.parquet").to_pylist() if name in r["clip_id"]]
    clip_id = next(r["clip_id"] for r in clips if r["machine_type"] == "fan")
    assert asd("explain", clip_id, "-m", "nn", "--device", "cpu", "-o", "nn.svg", "--json") == 0
    (clip,) = json.loads(capsys.readouterr().out)["facts"]["clips"]
    found = clip["occlusion"]
    assert found["passes"] == 65 and np.shape(found["drop"]) == (8, 8)
    assert found["score"] == pytest.approx(clip["score"], rel=1e-3)  # the same way, in other company
    assert clip["words"][-1].startswith("to the network ")
    assert "score that goes when a piece is made as loud as normal" in Path("nn.svg").read_text()
    assert asd("explain", clip_id, "-m", "nn", "--no-occlude", "--json") == 0
    (clip,) = json.loads(capsys.readouterr().out)["facts"]["clips"]
    assert clip["occlusion"] is None and not any("network" in sentence for sentence in clip["words"])
    assert asd("explain", clip_id, "-m", "mse", "--device", "cpu", "-o", "mse.svg", "--json") == 0
    (clip,) = json.loads(capsys.readouterr().out)["facts"]["clips"]
    assert clip["nearest"] == [] and len(clip["held_against"]) == 16 and clip["occlusion"] is None
    assert clip["words"][0].startswith("the autoencoder misses ")
    assert "missed by the autoencoder" in Path("mse.svg").read_text()


def test_a_recording_outside_the_run_is_explained_by_networks_as_the_same_clip_is(
    asd: Asd, whole_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clip,) = [
        p for p in Path("data/synthetic").rglob("*test_anomaly_0001*.wav") if "fan" in p.parts and "source" in p.name
    ]
    shutil.copy(clip, "week.wav")
    for method in ("nn", "mse"):
        capsys.readouterr()
        words = (
            "explain",
            clip,
            "week.wav",
            "-m",
            method,
            "--machine",
            "fan",
            "--device",
            "cpu",
            "--no-occlude",
            "--json",
        )
        assert asd(*words) == 0
        inside, outside = json.loads(capsys.readouterr().out)["facts"]["clips"]
        assert (
            outside["score"] == pytest.approx(inside["score"], rel=1e-4) and outside["threshold"] == inside["threshold"]
        )
        assert [n["clip_id"] for n in outside["nearest"]] == [n["clip_id"] for n in inside["nearest"]]
        if method == "nn":
            assert outside["words"] == inside["words"] and len(outside["nearest"]) == 16
        else:
            assert len(outside["held_against"]) == 16 and outside["words"][0].startswith("the autoencoder misses ")
            assert asd("threshold", "--quantile", "0.01", "--from-training", "-q") in (0, 3)
            capsys.readouterr()
            assert asd("check", "week.wav", *words[3:7], "--json") == 0
            (row,) = json.loads(capsys.readouterr().out)["facts"]["recordings"]
            first = next(words for words in outside["words"] if "autoencoder" not in words)
            assert row["verdict"] == "suspicious" and row["heard"].startswith(first)


def test_from_python_an_explanation_is_the_same(made: Path, told: Told) -> None:
    run = notebook.open(made / "runs/mine", data=made / "data")
    (one,) = run.explain("hiss", method="nn")
    assert list(one.words) == told("hiss", "-m", "nn")["words"]
    assert one.standing.score == pytest.approx(float(detector_score(made, one.standing.clip_id)), rel=1e-6)


def detector_score(made: Path, clip_id: str) -> float:
    """The score by the detector, from the vector alone."""
    table = pq.read_table(space(made).embeddings).to_pylist()
    (vector,) = [r["vector"] for r in table if r["clip_id"] == clip_id]
    found = detector_of(space(made), "nn").score_vectors(np.array([vector], np.float32), [clip_id], "pump")
    return float(found.scores[0])
