"""One path from waveforms to decisions: a stored detector says of new recordings what `asd score` said of them."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from asdcli import artifacts, audio
from asdcli.detector import Detector, Verdict
from asdcli.errors import BadArtifact, BadData, MissingArtifact, UsageError
from asdcli.features.pack import WaveformPack
from asdcli.pipeline.workspace import Workspace
from asdcli.stages import embed, extract_features, import_embeddings, reconstruct, score, threshold, train
from asdcli.views.scores import ScoreFiles
from tests.helpers import noise_run
from tests.stages.test_score import Heard, make_rows, write

RATE = noise_run.RATE
EMBEDDINGS = ("nn", "varmin:k=4,val=test-all", "kmeans:clusters=3", "mahalanobis:data=all")
RESIDUALS = ("mse", "selective-mahalanobis:mode=clip-mean")


class Run:
    """A run of two machine types from real wavs, each with scores and detectors of one embedder or autoencoder."""

    def __init__(self, root: Path, seconds: float) -> None:
        clips, _ = noise_run.write(root, seconds=seconds)
        self.space = Workspace(clips.parents[1], root / "run", "noise")
        for row in artifacts.read_table(clips, artifacts.CLIPS)[0].to_pylist():
            path = clips.parent / row["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(path), "wb") as file:
                file.setparams((1, 2, RATE, 0, "NONE", ""))
                file.writeframes(noise_run.waveform(row, seconds).tobytes())

    def extract(self, kind: str) -> None:
        extract_features.run(
            self.space.clips, self.space.features / kind, errors=self.space.errors("extract"), features=kind
        )

    def files(self, method: str) -> ScoreFiles:
        return ScoreFiles(*(of(method) for of in (self.space.scores, self.space.window_scores, self.space.detector)))

    def score(self, *methods: str) -> None:
        score.run(self.space.embeddings, {m: self.files(m) for m in methods}, errors=self.space.errors("score"))

    def detector(self, method: str, **options: Any) -> Detector:
        space = self.space
        model = space.autoencoder if method in RESIDUALS else space.model
        places = {"model": model, "features": space.features, "clips": space.clips}
        return Detector.load(space.detector(method), **{**places, "device": "cpu", **options})

    def rows(self, machine_type: str, split: str | None = None) -> pa.Table:
        """In the order of clip_id."""
        table, _ = artifacts.read_table(self.space.clips, artifacts.CLIPS)
        table = table.filter(pc.equal(table["machine_type"], machine_type)).sort_by("clip_id")
        return table if split is None else table.filter(pc.equal(table["split"], split))

    def recordings(self, machine_type: str, split: str | None = None, prefix: str = "") -> WaveformPack:
        """The wavs themselves, read again; with a prefix they are called otherwise."""
        rows = self.rows(machine_type, split)
        waves = [audio.read(self.space.dataset_root / path) for path in rows["path"].to_pylist()]
        return WaveformPack.of(waves, [prefix + clip_id for clip_id in rows["clip_id"].to_pylist()], RATE)

    def scores(self, method: str, machine_type: str, split: str | None = None) -> list[float]:
        """What `asd score` wrote, in the order of clip_id."""
        table, _ = artifacts.read_table(self.space.scores(method), artifacts.SCORES)
        table = table.filter(pc.is_in(table["clip_id"], self.rows(machine_type, split)["clip_id"].combine_chunks()))
        return table.sort_by("clip_id")["anomaly_score"].to_pylist()


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Log-mel statistics, every method of embeddings, thresholds."""
    run = Run(tmp_path_factory.mktemp("untrained"), 1.0)
    run.extract("logmel")
    space = run.space
    embed.run(space.clips, space.features, space.embeddings, model=space.model, embedder="logmel")
    run.score(*EMBEDDINGS)
    threshold.run([space.scores(m) for m in EMBEDDINGS], space.thresholds, rule="quantile:quantile=0.9")
    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A discriminative network of one epoch."""
    run = Run(tmp_path_factory.mktemp("trained"), 1.0)
    run.extract("waveform")
    space = run.space
    train.run(space.clips, space.features, space.model, epochs=1, batch_size=8, device="cpu")
    embed.run(space.clips, space.features, space.embeddings, model=space.model, device="cpu")
    run.score("nn")
    return run


@pytest.fixture(scope="module")
def autoencoders(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Autoencoders of one epoch, clips of three windows."""
    run = Run(tmp_path_factory.mktemp("autoencoders"), 5.5)
    run.extract("waveform")
    space = run.space
    options: dict[str, Any] = {"model": "autoencoder", "epochs": 1, "batch_size": 4, "device": "cpu"}
    train.run(space.clips, space.features, space.autoencoder, **options)
    outputs = {m: run.files(m) for m in RESIDUALS}
    reconstruct.run(space.clips, space.features, outputs, model=space.autoencoder, device="cpu")
    return run


# ---------------------------------------------------------------------------------------------------------------------
# The same scores


@pytest.mark.parametrize("method", EMBEDDINGS)
@pytest.mark.parametrize("machine_type", ["fan", "valve"])
def test_new_recordings_score_as_asd_score_scored_them_to_the_bit(
    untrained: Run, method: str, machine_type: str
) -> None:
    section = "00" if method.startswith("mahalanobis") else None
    found = untrained.detector(method).score(
        untrained.recordings(machine_type, "test", prefix="new/"), machine_type, section
    )
    assert found.scores.tolist() == untrained.scores(method, machine_type, "test")
    assert found.window_scores.tolist() == found.scores.tolist()
    assert found.clip.tolist() == list(range(len(found.scores)))


@pytest.mark.parametrize("method", EMBEDDINGS[:3])
def test_a_training_clip_is_compared_with_the_others_only(untrained: Run, method: str) -> None:
    detector = untrained.detector(method)
    known = detector.score(untrained.recordings("fan", "train"), "fan").scores
    # training clips: BLAS computes the product of a matrix with itself by another routine, other last bits
    np.testing.assert_allclose(known, untrained.scores(method, "fan", "train"), rtol=1e-9, atol=1e-12)
    if method == "nn":
        strangers = detector.score(untrained.recordings("fan", "train", prefix="new/"), "fan").scores
        assert (strangers < 1e-14).all() and (known > 1e-6).all()


def test_a_clip_alone_scores_as_in_company_up_to_rounding(untrained: Run) -> None:
    detector, pack = untrained.detector("nn"), untrained.recordings("fan", "test")
    alone = [
        detector.score(WaveformPack.of([pack.clip(i)], [f"new/{i}"], RATE), "fan").scores[0] for i in range(len(pack))
    ]
    np.testing.assert_allclose(alone, untrained.scores("nn", "fan", "test"), rtol=0, atol=1e-14)  # D is of order one


def test_a_trained_network_makes_the_same_vectors_of_the_same_batches_and_they_score_the_same(trained: Run) -> None:
    detector = trained.detector("nn")
    table, _ = artifacts.read_table(trained.space.embeddings, artifacts.EMBEDDINGS)
    for machine_type in ("fan", "valve"):
        own = table.filter(pc.equal(table["machine_type"], machine_type))
        expected = np.stack(own["vector"].to_numpy(zero_copy_only=False))
        clips, _ = artifacts.read_table(trained.space.clips, artifacts.CLIPS)
        in_order = clips.filter(pc.equal(clips["machine_type"], machine_type))["clip_id"].to_pylist()
        pack = trained.recordings(machine_type)
        place = [pack.clip_ids.tolist().index(clip_id) for clip_id in in_order]
        pack = WaveformPack.of([pack.clip(i) for i in place], in_order, RATE)
        assert detector.source is not None
        vectors, _ = detector.source.windows(machine_type, pack)
        np.testing.assert_array_equal(vectors, expected)
        ids = trained.rows(machine_type, "test")["clip_id"].to_pylist()
        rows = [own["clip_id"].to_pylist().index(clip_id) for clip_id in ids]
        found = detector.score_vectors(vectors[rows], ids, machine_type)
        assert found.scores.tolist() == trained.scores("nn", machine_type, "test")


def test_of_other_batches_a_trained_network_makes_the_same_scores_up_to_its_rounding(trained: Run) -> None:
    found = trained.detector("nn", batch_size=3).score(trained.recordings("valve", "test", prefix="new/"), "valve")
    # float32 convolutions summed in another order: 1e-6 in a coordinate, and D is of order one
    np.testing.assert_allclose(found.scores, trained.scores("nn", "valve", "test"), rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", RESIDUALS)
@pytest.mark.parametrize("machine_type", ["fan", "valve"])
def test_an_autoencoder_scores_windows_and_clips_as_asd_score_did_to_the_bit(
    autoencoders: Run, method: str, machine_type: str
) -> None:
    table, _ = artifacts.read_table(autoencoders.space.window_scores(method), artifacts.WINDOW_SCORES)
    table = table.filter(pc.equal(table["machine_type"], machine_type))
    order = list(dict.fromkeys(table["clip_id"].to_pylist()))  # as they were batched
    pack = autoencoders.recordings(machine_type)
    place = [pack.clip_ids.tolist().index(clip_id) for clip_id in order]
    again = WaveformPack.of([pack.clip(i) for i in place], [f"new/{clip_id}" for clip_id in order], RATE)
    found = autoencoders.detector(method).score(again, machine_type)
    assert found.window_scores.tolist() == table["anomaly_score"].to_pylist()
    assert found.clip.tolist() == np.repeat(np.arange(14), 3).tolist()
    clips = dict(zip(found.clip_ids.tolist(), found.scores.tolist(), strict=True))
    ids = autoencoders.rows(machine_type)["clip_id"].to_pylist()
    assert [clips[f"new/{clip_id}"] for clip_id in ids] == autoencoders.scores(method, machine_type)


def test_in_other_batches_an_autoencoder_scores_the_same_up_to_rounding(autoencoders: Run) -> None:
    found = autoencoders.detector("mse").score(autoencoders.recordings("fan", "test"), "fan")
    np.testing.assert_allclose(found.scores, autoencoders.scores("mse", "fan", "test"), rtol=1e-5)  # float32 network


def test_channels_of_a_clip_are_its_windows_and_their_mean_its_score(untrained: Run) -> None:
    detector, pack = untrained.detector("nn"), untrained.recordings("fan", "test")
    channels = [pack.clip(i) for i in (0, 1, 2, 3)]
    found = detector.score(WaveformPack.of(channels, ["a", "a", "b", "b"], RATE), "fan")
    single = untrained.scores("nn", "fan", "test")
    assert (found.clip_ids.tolist(), found.clip.tolist()) == (["a", "b"], [0, 0, 1, 1])
    np.testing.assert_allclose(found.window_scores, single, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.scores, np.reshape(single, (2, 2)).mean(axis=1), rtol=0, atol=1e-14)


# ---------------------------------------------------------------------------------------------------------------------
# Decisions


def test_decisions_are_those_of_asd_threshold(untrained: Run, tmp_path: Path) -> None:
    detector = untrained.detector("nn", thresholds=untrained.space.thresholds)
    threshold.apply([untrained.space.scores("nn")], untrained.space.thresholds, tmp_path / "d.parquet")
    decided = pq.read_table(tmp_path / "d.parquet")
    for machine_type in ("fan", "valve"):
        own = decided.filter(pc.equal(decided["machine_type"], machine_type)).sort_by("clip_id")
        found = detector.score(untrained.recordings(machine_type, "test"), machine_type)
        assert found.threshold == own["threshold"].to_pylist()[0]
        assert found.anomalous is not None
        words = ["anomaly" if above else "normal" for above in found.anomalous]
        assert words == own["decision"].to_pylist()


def test_without_thresholds_nothing_is_decided(untrained: Run) -> None:
    found = untrained.detector("nn").score(untrained.recordings("fan", "test"), "fan")
    assert (found.threshold, found.anomalous) == (None, None)


def test_a_score_at_the_threshold_is_normal() -> None:
    at = Verdict(np.array(["a", "b"]), np.array([1.0, 2.0]), np.arange(2), np.array([1.0, 2.0]), threshold=1.0)
    assert at.anomalous is not None and at.anomalous.tolist() == [False, True]


def test_thresholds_of_other_scores_are_refused(untrained: Run, tmp_path: Path) -> None:
    space = untrained.space
    other = ScoreFiles.beside(tmp_path / "other.parquet")
    score.run(space.embeddings, {"nn": other}, errors=tmp_path / "errors.parquet", seed=1)
    threshold.run([other.clips], tmp_path / "thresholds.parquet", rule="quantile:quantile=0.9")
    with pytest.raises(BadArtifact, match="no threshold for these scores of nn") as caught:
        untrained.detector("nn", thresholds=tmp_path / "thresholds.parquet")
    assert caught.value.hint == "fit it: asd threshold"
    with pytest.raises(BadArtifact, match="no threshold for these scores of kmeans:clusters=3"):
        untrained.detector("kmeans:clusters=3", thresholds=tmp_path / "thresholds.parquet")


# ---------------------------------------------------------------------------------------------------------------------
# What is refused


def test_an_unknown_machine_type_or_section_is_refused_by_name(untrained: Run, autoencoders: Run) -> None:
    pack = untrained.recordings("fan", "test")
    with pytest.raises(UsageError, match="unknown machine type of nn 'fam'") as caught:
        untrained.detector("nn").score(pack, "fam")
    assert "did you mean 'fan'" in str(caught.value.hint)
    with pytest.raises(UsageError, match="unknown section of fan '07'"):
        untrained.detector("mahalanobis:data=all").score(pack, "fan", "07")
    with pytest.raises(UsageError, match="each section of fan by itself"):
        untrained.detector("mahalanobis:data=all").score(pack, "fan")
    with pytest.raises(UsageError, match="unknown machine type of mse 'pump'"):
        autoencoders.detector("mse").score(pack, "pump")


@pytest.mark.parametrize("name", ["untrained", "trained", "autoencoders"])
def test_another_sample_rate_is_refused(name: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(name)
    pack = run.recordings("fan", "test")
    slow = WaveformPack(pack.samples, pack.offsets, pack.clip_ids, 8_000)
    with pytest.raises(BadData, match="the clips are at 8000 Hz, the detector was made of clips at 16000 Hz"):
        run.detector("mse" if name == "autoencoders" else "nn").score(slow, "fan")


@pytest.mark.parametrize("name", ["untrained", "trained", "autoencoders"])
def test_an_empty_clip_and_no_clip_are_refused(name: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(name)
    detector = run.detector("mse" if name == "autoencoders" else "nn")
    sound, silence = np.ones(RATE, np.int16), np.empty(0, np.int16)
    with pytest.raises(BadData, match=r"cut\.wav holds no sound: 0 samples"):
        detector.score(WaveformPack.of([sound, silence], ["whole.wav", "cut.wav"], RATE), "fan")
    with pytest.raises(BadData, match="no clip to score"):
        detector.score(WaveformPack.of([], [], RATE), "fan")


def test_a_clip_too_short_for_a_frame_is_refused_and_for_a_window_repeated(untrained: Run, trained: Run) -> None:
    brief = noise_run.waveform(trained.rows("fan", "test").to_pylist()[0])[:1000]
    with pytest.raises(BadData, match="brief is too short: 1000 samples, a log-mel frame takes 1024"):
        untrained.detector("nn").score(WaveformPack.of([brief], ["brief"], RATE), "fan")
    long = np.tile(brief, 300)
    found = trained.detector("nn").score(WaveformPack.of([brief, long], ["brief", "long"], RATE), "fan")
    assert found.scores[0] == pytest.approx(found.scores[1], abs=1e-5)  # float32 network


def test_samples_that_are_no_pcm_are_refused(untrained: Run) -> None:
    floats = WaveformPack(np.zeros(RATE), np.array([0, RATE]), np.array(["a"]), RATE)
    with pytest.raises(BadData, match="waveforms are int16 PCM, not float64"):
        untrained.detector("nn").score(floats, "fan")


def test_a_model_that_is_gone_or_another_is_refused(trained: Run, autoencoders: Run, tmp_path: Path) -> None:
    with pytest.raises(MissingArtifact, match="no model at"):
        trained.detector("nn", model=tmp_path / "none")
    with pytest.raises(BadArtifact, match="is not the one that the detector was made with"):
        trained.detector("nn", model=autoencoders.space.autoencoder)
    with pytest.raises(BadArtifact, match="is not the one that the detector was made with"):
        autoencoders.detector("mse", model=trained.space.model)


def test_training_clips_that_have_changed_are_refused(untrained: Run, tmp_path: Path) -> None:
    table, header = artifacts.read_table(untrained.space.clips, artifacts.CLIPS)
    artifacts.write_table(tmp_path / "clips.parquet", artifacts.CLIPS, table.slice(1), header)
    detector = untrained.detector("nn", clips=tmp_path / "clips.parquet")
    with pytest.raises(BadArtifact, match="has changed since the detector was made"):
        detector.score(untrained.recordings("fan", "test"), "fan")
    shutil.copytree(untrained.space.features / "logmel", tmp_path / "features" / "logmel")
    fan, valve = (tmp_path / "features" / "logmel" / f"{m}.npz" for m in ("fan", "valve"))
    arrays, header = artifacts.read_arrays(fan, artifacts.FEATURES)
    artifacts.write_arrays(fan, {**arrays, "vectors": arrays["vectors"] + 1}, header)
    detector = untrained.detector("nn", features=tmp_path / "features")
    with pytest.raises(BadArtifact, match="has changed since the detector was made"):
        detector.score(untrained.recordings("fan", "test"), "fan")
    assert valve.exists() and len(detector.score(untrained.recordings("valve", "test"), "valve").scores) == 4


def test_an_untrained_embedder_needs_the_runs_clips(untrained: Run) -> None:
    with pytest.raises(UsageError, match="embedder 'logmel' needs the run's clips and features"):
        untrained.detector("nn", clips=None)


def test_of_imported_vectors_only_vectors_can_be_scored(tmp_path: Path) -> None:
    rows = make_rows()
    plain = artifacts.read_table(write(tmp_path / "e.parquet", rows), artifacts.EMBEDDINGS)[0]
    pq.write_table(plain, tmp_path / "theirs.parquet")
    import_embeddings.run(
        tmp_path / "theirs.parquet", tmp_path / "mine.parquet", errors=tmp_path / "errors.parquet", dataset="toy"
    )
    files = ScoreFiles.beside(tmp_path / "nn.parquet")
    score.run(tmp_path / "mine.parquet", {"nn": files}, errors=tmp_path / "errors.parquet")
    with pytest.raises(BadArtifact, match="were not made by asd embed: it can only score vectors"):
        Detector.load(files.detector, model=tmp_path)
    detector = Detector.load(files.detector)
    tests = [r for r in rows if r["split"] == "test"]
    found = detector.score_vectors(np.float32([r["vector"] for r in tests]), [r["clip_id"] for r in tests], "fan")
    table, _ = artifacts.read_table(files.clips, artifacts.SCORES)
    expected = dict(zip(table["clip_id"].to_pylist(), table["anomaly_score"].to_pylist(), strict=True))
    assert found.scores == pytest.approx([expected[r["clip_id"]] for r in tests], rel=1e-9)
    with pytest.raises(UsageError, match="without a model: it can only score vectors"):
        detector.score(WaveformPack.of([np.ones(9, np.int16)], ["a"], RATE), "fan")
    with pytest.raises(BadData, match="the embedding of b is not finite"):
        detector.score_vectors(np.array([[1.0] * 8, [np.nan] * 8]), ["a", "b"], "fan")


def test_an_autoencoder_scores_no_vectors(autoencoders: Run) -> None:
    with pytest.raises(UsageError, match="mse scores waveforms, not vectors"):
        autoencoders.detector("mse").score_vectors(np.ones((1, 8)), ["a"], "fan")


def test_a_method_of_another_package_is_announced_before_it_runs(tmp_path: Path) -> None:
    method = "tests.scorers.test_fitted:Centre"
    files = ScoreFiles.beside(tmp_path / "centre.parquet")
    embeddings = write(tmp_path / "e.parquet", make_rows())
    score.run(embeddings, {method: files}, errors=tmp_path / "errors.parquet")

    class Notes(Heard):
        def note(self, text: str) -> None:
            self.warnings.append(text)

    notes = Notes()
    detector = Detector.load(files.detector, progress=notes)
    assert notes.warnings == [f"the detector's method is {method}, of another package"]
    assert len(detector.score_vectors(np.ones((2, 8)), ["a", "b"], "fan").scores) == 2


def test_the_only_training_clip_has_no_score(tmp_path: Path) -> None:
    rows = [r for r in make_rows() if r["split"] == "test" or r["clip_id"].endswith("train/section_00_source_0000")]
    files = ScoreFiles.beside(tmp_path / "nn.parquet")
    score.run(write(tmp_path / "e.parquet", rows), {"nn": files}, errors=tmp_path / "errors.parquet")
    only = rows[0]
    with pytest.raises(BadData, match="section_00_source_0000 is the only training clip of its unit"):
        Detector.load(files.detector).score_vectors(np.array([only["vector"]]), [only["clip_id"]], "fan")


# ---------------------------------------------------------------------------------------------------------------------
# Packs one after the other


def test_packs_one_after_the_other_are_scored_as_one_and_a_clip_may_go_on_in_the_next(trained: Run) -> None:
    detector = trained.detector("nn", batch_size=2)
    clips = trained.recordings("fan", prefix="new-")
    waves = [clips.clip(i) for i in range(6)]
    pack = WaveformPack.of(waves, ["a", "a", "b", "c", "c", "c"], RATE)
    whole = detector.score_pack(pack, "fan", nearest=True)
    halves = [WaveformPack.of(waves[i : i + 2], pack.clip_ids[i : i + 2].tolist(), RATE) for i in (0, 2, 4)]
    parts = detector.score_packs(iter(halves), "fan", nearest=True)
    assert parts.clip_ids.tolist() == ["a", "b", "c"] and parts.rows.tolist() == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(parts.window_scores, whole.window_scores) and np.array_equal(parts.scores, whole.scores)
    assert parts.nearest is not None and whole.nearest is not None and np.array_equal(parts.nearest, whole.nearest)
