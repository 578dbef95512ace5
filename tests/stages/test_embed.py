"""The stage `embed`, the trained embedder, and its way through the command line."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile
import torch

from asdcli import artifacts
from asdcli.embedders.trained import Trained
from asdcli.errors import BadArtifact, BadData, MissingArtifact, UsageError
from asdcli.features.pack import VectorPack, WaveformPack
from asdcli.models.networks.dual_branch import DualBranch
from asdcli.stages import embed, train
from asdcli.training import model_files
from tests.helpers import noise_run
from tests.helpers.heard import Heard

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root and a run of two machine types with a model of one epoch."""
    root = tmp_path_factory.mktemp("noise")
    clips, features = noise_run.write(root)
    train.run(clips, features, features.parent / "model", epochs=1, batch_size=8, device="cpu")
    return root


@pytest.fixture(scope="module")
def places(root: Path) -> dict[str, Path]:
    run = root / "runs" / "noise"
    return {"clips": root / "data" / "noise" / "clips.parquet", "features": run / "features", "model": run / "model"}


def vectors(table: pa.Table) -> np.ndarray:
    return np.stack(table["vector"].to_numpy(zero_copy_only=False))


@pytest.fixture(scope="module")
def embedded(places: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    output = tmp_path_factory.mktemp("embedded") / "embeddings.parquet"
    outcome = embed.run(**places, output=output, device="cpu")
    assert outcome.plain() == {"clips": 28, "dims": 256}
    return artifacts.read_table(output, artifacts.EMBEDDINGS)[0]


def test_every_training_and_test_clip_gets_one_vector_with_its_labels(
    places: dict[str, Path], embedded: pa.Table
) -> None:
    clips, _ = artifacts.read_table(places["clips"], artifacts.CLIPS)
    assert embedded.schema.field("vector").type == pa.list_(pa.float32(), 256)
    assert embedded["window"].to_pylist() == [0] * 28
    expected = clips.select(artifacts.CLIP_COLUMNS).sort_by("clip_id").to_pylist()
    assert embedded.select(artifacts.CLIP_COLUMNS).sort_by("clip_id").to_pylist() == expected


def test_vectors_are_those_of_the_network_on_each_tiled_clip(places: dict[str, Path], embedded: pa.Table) -> None:
    weights, card, _ = model_files.read_model(places["model"])
    network = DualBranch(card["n_samples"], 16_000)
    network.load_state_dict({k.removeprefix("network."): v for k, v in weights.items() if k.startswith("network.")})
    network.eval()
    row = embedded.slice(17, 1)
    clip = noise_run.waveform(row.to_pylist()[0]).astype(np.float32) / 32768
    with torch.inference_mode():
        expected = network(torch.from_numpy(np.tile(clip, 5)[None, : card["n_samples"]]))
    np.testing.assert_allclose(vectors(row), expected.numpy(), rtol=1e-4, atol=1e-5)


def test_one_batch_of_64_equals_64_batches_of_one(places: dict[str, Path]) -> None:
    weights, card, _ = model_files.read_model(places["model"])
    rows = [{**row, "clip_id": f"{row['clip_id']}_{i}"} for i in range(3) for row in noise_run.rows("fan", 18, 4)][:64]
    pack = WaveformPack.of([noise_run.waveform(r) for r in rows], [r["clip_id"] for r in rows], noise_run.RATE)
    is_train = np.ones(64, bool)
    one, many = (Trained.load(card, weights, CPU, n).embed(pack, is_train).vectors for n in (64, 1))
    # The kernels sum in another order for another batch size: float32 rounding through twenty layers, no more.
    np.testing.assert_allclose(one, many, rtol=0, atol=2e-5 * np.abs(one).max())
    backwards = WaveformPack.of([pack.clip(i) for i in range(63, -1, -1)], pack.clip_ids[::-1].tolist(), 16_000)
    turned = Trained.load(card, weights, CPU, 64).embed(backwards, is_train).vectors[::-1]
    np.testing.assert_allclose(turned, one, rtol=0, atol=2e-5 * np.abs(one).max())


def test_embeddings_tell_what_they_were_made_from_and_are_left_alone(places: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "embeddings.parquet"
    assert embed.run(**places, output=output, device="cpu").status == "done"
    header = artifacts.read_header(output, artifacts.EMBEDDINGS)
    assert header.params == {"embedder": "discriminative"}
    assert header.recall("model") == "discriminative:centers=fixed,epochs=1,batch_size=8"
    assert header.inputs["model"] == artifacts.read_header(places["model"], artifacts.MODEL).content
    before = output.read_bytes()
    assert embed.run(**places, output=output, device="cpu", batch_size=3).status == "current"
    assert embed.run(**places, output=output, device="cpu", force=True).status == "done"
    assert output.read_bytes() == before


def test_npz_holds_the_same_as_parquet(places: dict[str, Path], embedded: pa.Table, tmp_path: Path) -> None:
    embed.run(**places, output=tmp_path / "e.npz", format="npz", device="cpu")
    with np.load(tmp_path / "e.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["vectors"], vectors(embedded))
        assert arrays["clip_id"].tolist() == embedded["clip_id"].to_pylist()
        assert arrays["domain"].tolist() == embedded["domain"].to_pylist()


def test_log_mel_statistics_need_no_model(places: dict[str, Path], tmp_path: Path) -> None:
    clips, _ = artifacts.read_table(places["clips"], artifacts.CLIPS)
    rng = np.random.default_rng(0)
    for machine_type in ("fan", "valve"):
        ids = [row["clip_id"] for row in clips.to_pylist() if row["machine_type"] == machine_type]
        pack = VectorPack(rng.normal(size=(len(ids), 6)).astype(np.float32), np.array(ids))
        header = artifacts.Header.make(artifacts.FEATURES, dataset="noise")
        path = tmp_path / "features" / "logmel" / f"{machine_type}.npz"
        artifacts.write_arrays(path, pack.arrays(), header)
    inputs = {**places, "features": tmp_path / "features", "model": tmp_path / "none"}
    outcome = embed.run(**inputs, embedder="logmel", output=tmp_path / "e.parquet")
    assert outcome.plain() == {"clips": 28, "dims": 7}  # the statistics and a constant
    header = artifacts.read_header(tmp_path / "e.parquet", artifacts.EMBEDDINGS)
    assert header.params == {"embedder": "logmel"} and "model" not in header.inputs


def test_supplemental_clips_are_not_embedded(places: dict[str, Path], tmp_path: Path) -> None:
    clips, header = artifacts.read_table(places["clips"], artifacts.CLIPS)
    split = ["supplemental" if i == 3 else s for i, s in enumerate(clips["split"].to_pylist())]
    table = clips.set_column(clips.column_names.index("split"), "split", pa.array(split))
    artifacts.write_table(tmp_path / "clips.parquet", artifacts.CLIPS, table, header)
    inputs = {**places, "clips": tmp_path / "clips.parquet"}
    embed.run(**inputs, output=tmp_path / "e.parquet", machine_types=["fan"], device="cpu")
    made, _ = artifacts.read_table(tmp_path / "e.parquet", artifacts.EMBEDDINGS)
    assert len(made) == 13 and clips["clip_id"][3].as_py() not in made["clip_id"].to_pylist()


def test_clips_that_extraction_skipped_are_reported(tmp_path: Path, places: dict[str, Path]) -> None:
    clips, features = noise_run.write(tmp_path, leave_out=2)
    progress = Heard()
    output = tmp_path / "e.parquet"
    outcome = embed.run(clips, features, output, model=places["model"], device="cpu", progress=progress)
    assert outcome.facts.clips == 24
    assert any(
        w.startswith("4 clips (dev_data/raw/") and w.endswith(" are not embedded: extract-features left them out")
        for w in progress.warnings
    )


# --- refusals -----------------------------------------------------------------------------------------------------


def test_what_is_missing_names_the_step_that_makes_it(places: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "e.parquet"
    with pytest.raises(MissingArtifact, match="no model at") as error:
        embed.run(**{**places, "model": tmp_path / "none"}, output=output)
    assert "asd train" in str(error.value.hint) and "logmel" in str(error.value.hint)
    with pytest.raises(MissingArtifact, match="no waveform features") as error:
        embed.run(**{**places, "features": tmp_path}, output=output)
    assert "asd extract-features" in str(error.value.hint)
    with pytest.raises(MissingArtifact, match="no logmel features") as error:
        embed.run(**places, embedder="logmel", output=output)
    assert "asd extract-features --features logmel" in str(error.value.hint)
    with pytest.raises(UsageError, match="unknown embedder 'logmell'"):
        embed.run(**places, embedder="logmell", output=output)
    with pytest.raises(UsageError, match="batch size must be positive, got 0"):
        embed.run(**places, batch_size=0, output=output)
    assert not output.exists()


def test_features_of_other_clips_are_refused(tmp_path: Path, places: dict[str, Path]) -> None:
    clips, _ = noise_run.write(tmp_path, n_train=11)
    with pytest.raises(BadArtifact, match=r"does not fit clips\.parquet: it lacks \d+ clips and holds \d+ others"):
        embed.run(**{**places, "clips": clips}, output=tmp_path / "e.parquet", device="cpu")


def test_a_broken_model_is_refused(places: dict[str, Path], tmp_path: Path) -> None:
    for path in places["model"].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "weights.safetensors").write_bytes(b"short")
    with pytest.raises(BadArtifact, match="cannot be read"):
        embed.run(**{**places, "model": tmp_path}, output=tmp_path / "e.parquet", device="cpu")


def test_vectors_that_are_not_finite_are_refused_by_name(places: dict[str, Path], tmp_path: Path) -> None:
    weights, card, header = model_files.read_model(places["model"])
    network = torch.nn.ModuleDict({"network": DualBranch(card["n_samples"], 16_000)})
    network.load_state_dict({k: v for k, v in weights.items() if k.startswith("network.")})
    torch.nn.init.constant_(network["network"].spectrum_branch.head[-1].weight, 3e38)
    model_files.write_model(tmp_path / "model", network, card, header)
    with pytest.raises(BadData, match="14 embeddings are not finite, the first of dev_data/raw/fan/train"):
        embed.run(**{**places, "model": tmp_path / "model"}, output=tmp_path / "e.parquet", device="cpu")
    assert not (tmp_path / "e.parquet").exists()


def test_another_sample_rate_than_in_training_is_refused(places: dict[str, Path]) -> None:
    weights, card, _ = model_files.read_model(places["model"])
    pack = WaveformPack.of([np.zeros(90_000, np.int16)], ["a"], 8_000)
    with pytest.raises(BadData, match="8000 Hz, the model was trained at 16000 Hz"):
        Trained.load(card, weights, CPU, 64).embed(pack, np.array([True]))


# --- the command line ---------------------------------------------------------------------------------------------


def test_embed_runs_from_the_command_line_and_imports_its_own_export(
    asd: Callable[..., int], root: Path, tmp_path: Path, capsys: Any, embedded: pa.Table
) -> None:
    where = ("--data", root / "data", "--dataset", "noise", "--run", root / "runs" / "noise")
    assert asd("embed", *where, "--device", "cpu", "-o", tmp_path / "e.parquet") == 0
    assert "28 clips" in capsys.readouterr().err
    assert asd("embed", *where, "--device", "cpu", "--format", "npz", "-o", tmp_path / "e.npz", "-q") == 0
    assert asd("embed", *where, "--from", tmp_path / "e.npz", "-o", tmp_path / "back.parquet") == 0
    back, header = artifacts.read_table(tmp_path / "back.parquet", artifacts.EMBEDDINGS)
    np.testing.assert_array_equal(vectors(back), vectors(embedded))
    assert back["section"].to_pylist() == embedded["section"].to_pylist()
    assert header.params == {"embedder": "imported"}
    assert asd("embed", *where, "--embedder", "discriminatve") == 2
    assert "did you mean 'discriminative'" in capsys.readouterr().err


@pytest.mark.gpu
def test_the_gpu_gives_the_embeddings_of_the_cpu(places: dict[str, Path], capsys: Any) -> None:
    """Also prints how fast each is, with clips as many and as long as those of one DCASE machine type."""
    import time

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    clips = [(rng.normal(size=160_000) * 3000).astype(np.int16) for _ in range(256)]
    pack = WaveformPack.of(clips, [str(i) for i in range(256)], 16_000)
    network = DualBranch(160_000, 16_000).eval()
    is_train = np.ones(256, bool)
    found = {}
    for name in ("cpu", "cuda"):
        embedder = Trained({None: network.to(name)}, torch.device(name))
        embedder.embed(pack, is_train)
        started = time.perf_counter()
        found[name] = embedder.embed(pack, is_train).vectors
        seconds = time.perf_counter() - started
        with capsys.disabled():
            print(f"\nembed on {name}: {256 / seconds:.0f} clips/s of 10 s")
    unit = {name: v / np.linalg.norm(v, axis=1, keepdims=True) for name, v in found.items()}
    assert (unit["cpu"] * unit["cuda"]).sum(axis=1).min() > 1 - 1e-5  # TF32 convolutions: ten bits of mantissa


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="what another C library does is its own affair")
def test_memory_that_was_freed_is_used_again_without_asking_the_system() -> None:
    program = """
import resource, sys
from asdcli.pipeline import process
if sys.argv[1] == "keep": process.settle(networks=True)
for i in range(20):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray(100_000_000)[:] = b"1" * 100_000_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    faults = {
        word: int(subprocess.run([sys.executable, "-c", program, word], capture_output=True, check=True).stdout)
        for word in ("keep", "return")
    }
    assert faults["keep"] < 100 < 10_000 < faults["return"]


def test_a_machine_type_that_nothing_can_be_standardised_with_is_named(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in ("fan/train", "fan/test/normal", "pump/test/normal", "pump/test/abnormal"):
        (tmp_path / "own" / place).mkdir(parents=True)
        for i in range(3):
            noise = np.random.default_rng(i).normal(0, 0.05, 16_000)
            soundfile.write(tmp_path / "own" / place / f"{i}.wav", noise, 16_000)
    assert asd("index", "own", "-q") == 0
    assert asd("extract-features", "--features", "logmel", "-q") == 0
    capsys.readouterr()
    assert asd("embed", "--embedder", "logmel", "-q") == 1
    assert "error: pump: no training clips" in capsys.readouterr().err
    assert asd("embed", "--embedder", "logmel", "--machine-type", "fan", "-q") == 0, "as the hint says"
