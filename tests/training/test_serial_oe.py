"""SerialOE: outlier batches, schedule, training, embeddings of windows, and the whole chain."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save, save_file

from asdcli import artifacts
from asdcli.embedders.trained import Trained
from asdcli.errors import AsdError, BadData, UsageError
from asdcli.features.pack import WaveformPack
from asdcli.features.standardised_mels import mel_spec, mels, moments, standardised
from asdcli.models.networks.serial_oe import SerialOENetwork
from asdcli.stages import train
from asdcli.training import MODELS, memory
from asdcli.training.recipes import outliers
from tests.helpers import noise_run
from tests.helpers.heard import Heard, Interrupting
from tests.helpers.loopback import Loopback

TINY = "mobilenetv3_small_050"

# --- batches, schedule --------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 16), st.integers(0, 2**32 - 1))
def test_an_epoch_covers_every_positive_once_with_as_many_outliers(n: int, m: int, half: int, seed: int) -> None:
    positives, negatives = np.arange(n), 1000 + np.arange(m)
    pairs = list(outliers.batches(positives, negatives, half, np.random.default_rng(seed)))
    assert sorted(np.concatenate([p for p, _ in pairs])) == list(range(n))
    assert all(len(p) == len(q) <= half for p, q in pairs) and len(pairs) == outliers.steps(n, half)
    used = np.concatenate([q for _, q in pairs])
    assert set(used) <= set(negatives)
    counts = np.bincount(used - 1000, minlength=m)
    assert counts.max() - counts.min() <= 1  # no outlier a second time before all were there


def test_the_schedule_is_torchs_one_cycle() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    for total in (10, 97):
        optimizer = torch.optim.AdamW([weight], lr=1e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=total)
        for step in range(total):
            group = optimizer.param_groups[0]
            assert outliers.one_cycle(step, total, 1e-3) == pytest.approx((group["lr"], group["betas"][0]), rel=1e-9)
            optimizer.step()
            if step < total - 1:
                schedule.step()


def test_mixup_grows_certain_over_the_first_half() -> None:
    assert [outliers.mixup_probability(s, 100) for s in (0, 25, 50, 99)] == pytest.approx([0, 0.5, 1, 1])


# --- front end ----------------------------------------------------------------------------------------------------


def test_four_seconds_become_224_mels_in_251_frames_of_a_standardised_recording() -> None:
    rng = np.random.default_rng(0)
    pack = WaveformPack.of([rng.integers(-3000, 9000, 64_000).astype(np.int16)], ["a"], 16_000)
    waves = standardised(torch.from_numpy(pack.clip(0)[None] / np.float32(32768)), moments(pack))
    assert waves.mean().abs() < 1e-4 and abs(waves.std().item() - 1) < 1e-4
    assert mels(waves, mel_spec(16_000)).shape == (1, 224, 251)


def test_windows_of_a_clip_cannot_share_their_frames() -> None:
    spec, wave = mel_spec(16_000), torch.randn(1, 96_000, generator=torch.Generator().manual_seed(0))
    whole, second, third = (mels(w, spec)[0] for w in (wave, wave[:, 16_000:80_000], wave[:, 32_000:]))
    assert 16_000 % spec.hop_length == spec.hop_length // 2  # a second lies between two frames
    inner = slice(4, 247)  # of 251: beyond them a window is padded by its own reflection
    torch.testing.assert_close(third[:, inner], whole[:, 125:][:, inner], rtol=1e-4, atol=1e-4)
    apart = [
        (a - b).abs().mean() / whole.mean() for a, b in ((third[:, :4], whole[:, 125:129]), (second, whole[:, 62:313]))
    ]
    assert min(apart) > 0.05


def test_silence_has_finite_spectrograms() -> None:
    pack = WaveformPack.of([np.zeros(64_000, np.int16)], ["a"], 16_000)
    waves = standardised(torch.from_numpy(pack.clip(0)[None] / np.float32(32768)), moments(pack))
    assert torch.isfinite(mels(waves, mel_spec(16_000))).all()


# --- training -----------------------------------------------------------------------------------------------------

SMALL: dict[str, Any] = {"model": f"serial-oe:backbone={TINY}", "device": "cpu", "epochs": 2, "batch_size": 8}


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return noise_run.write(tmp_path_factory.mktemp("noise"), seconds=5.5)


@pytest.fixture(scope="module")
def model(noise: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("oe")
    train.run(*noise, folder, **SMALL)
    return folder


def test_an_interrupted_training_ends_with_the_same_weights_dropout_and_all(
    noise: tuple[Path, Path], model: Path, tmp_path: Path
) -> None:
    torch.manual_seed(12345)  # the global state has no say
    with pytest.raises(KeyboardInterrupt):
        train.run(*noise, tmp_path, progress=Interrupting(0.6), **SMALL)
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 1
    train.run(*noise, tmp_path, **SMALL)
    weights, expected = (load_file(folder / "weights.safetensors") for folder in (tmp_path, model))
    assert all(torch.equal(weights[name], tensor) for name, tensor in expected.items())


@pytest.mark.gpu
def test_the_first_epoch_on_the_gpu_is_that_of_the_cpu(noise: tuple[Path, Path], tmp_path: Path, capsys: Any) -> None:
    """Also prints how fast each is, with the paper's network."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    losses = {}
    for device in ("cpu", "cuda"):
        train.run(*noise, tmp_path / device, model="serial-oe", epochs=1, precision="fp32", device=device)
        row = json.loads((tmp_path / device / "metrics.jsonl").read_text())
        losses[device] = row["loss"]
        with capsys.disabled():
            print(f"\nserial-oe on {device}: {row['images_per_s']:.0f} images/s, {row['step_ms']:.0f} ms a step")
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=0.05)  # the same batches and mixup, other dropout


def test_the_card_tells_products_rates_and_held_out_losses(model: Path) -> None:
    card = json.loads((model / "card.json").read_text())["card"]
    assert card["products"] == {"fan": ["00"], "valve": ["00"]} and card["machine_types"] == ["fan", "valve"]
    assert all(np.isfinite(loss) for loss in card["held_out_loss"].values())
    row = json.loads((model / "metrics.jsonl").read_text().splitlines()[-1])
    assert row["step_ms"] > 0 and row["images_per_s"] > 0 and row["accuracy"] > 0


def test_a_sample_keeps_what_its_layers_need_for_the_backward_pass() -> None:
    linear, relu = torch.nn.Linear(1000, 500), torch.nn.ReLU()  # the input, and the result of the ReLU
    network = torch.nn.Sequential(linear, relu, torch.nn.Linear(500, 1))
    assert memory.bytes_a_sample(network, torch.ones(2, 1000)) == 4 * (1000 + 500)


def test_a_step_that_cannot_fit_is_announced_before_it_is_killed(
    noise: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda device: 30_000_000)
    train.run(*noise, tmp_path, progress=(heard := Heard()), **{**SMALL, "epochs": 1})
    assert any("0.0 GB are free" in w and "--batch-size" in w for w in heard.warnings)


def test_one_machine_type_has_no_outliers_and_that_is_said(noise: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"fan is the only machine type.*no outliers"):
        train.run(*noise, tmp_path, machine_types=["fan"], **SMALL)


def test_weights_are_a_file_that_fits_or_a_name_that_timm_knows(noise: tuple[Path, Path], tmp_path: Path) -> None:
    import timm

    good, bad = tmp_path / "good.safetensors", tmp_path / "bad.safetensors"
    pretrained = timm.create_model(TINY)  # three channels and a classifier, as published weights have
    save_file(pretrained.state_dict(), good)
    save_file({"nothing": torch.zeros(1)}, bad)
    network = SerialOENetwork(64_000, 16_000, n_products=2, backbone=TINY, weights=str(good))
    assert torch.equal(
        network.backbone.state_dict()["blocks.0.0.conv_dw.weight"], pretrained.blocks[0][0].conv_dw.weight
    )
    once = {**SMALL, "epochs": 1}
    with pytest.raises(AsdError, match="do not fit"):
        train.run(*noise, tmp_path / "m", **once, weights=str(bad))
    with pytest.raises(UsageError, match="unknown weights"):
        train.run(*noise, tmp_path / "m", **once, weights="tf_efficientnet_b0.ns_jft_in1k")
    with pytest.raises(UsageError, match="unknown backbone"):
        train.run(*noise, tmp_path / "m", **{**once, "model": "serial-oe:backbone=efficientnet_b00"})


def test_named_weights_come_from_the_hub_once_and_its_absence_is_said_at_once(
    noise: tuple[Path, Path], tmp_path: Path
) -> None:
    import timm

    name = f"{TINY}.lamb_in1k"
    file = f"/timm/{name}/resolve/main/model.safetensors"
    content = save({key: tensor.contiguous() for key, tensor in timm.create_model(TINY).state_dict().items()})

    def asd(hub: str, run: str) -> subprocess.CompletedProcess:
        words = ["train", "--model", f"serial-oe:backbone={TINY}", "--weights", name, "--epochs", "1", "-q"]
        words += ["--dataset", "noise", "--data", str(noise[0].parents[1]), "--run", str(tmp_path / run)]
        (tmp_path / run).mkdir()
        (tmp_path / run / "features").symlink_to(noise[1])
        env = {**os.environ, "HF_ENDPOINT": hub, "HF_HOME": str(tmp_path / "hub")}
        command = [sys.executable, "-m", "asdcli", *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    absent = asd("http://127.0.0.1:9", "absent")
    assert absent.returncode == 1 and "error: cannot fetch" in absent.stderr and "--weights FILE" in absent.stderr
    assert "Retrying" not in absent.stderr
    with Loopback({file: content}, headers={"X-Repo-Commit": "a" * 40}) as hub:
        assert asd(hub.url, "fetched").returncode == 0
        assert len(hub.gets(file)) == 1
    cached = asd("http://127.0.0.1:9", "cached")
    assert cached.returncode == 0
    assert (tmp_path / "cached/model/weights.safetensors").read_bytes() == (
        tmp_path / "fetched/model/weights.safetensors"
    ).read_bytes()


@pytest.mark.parametrize(("spelling", "words"), [("batch_size=5", "must be even"), ("lambda_id=-1", "not negative")])
def test_parameters_that_cannot_be_are_refused(spelling: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        MODELS.build(f"serial-oe:{spelling}")


# --- embeddings ---------------------------------------------------------------------------------------------------


def test_an_embedding_is_the_networks_answer_to_its_window(noise: tuple[Path, Path], model: Path) -> None:
    card = json.loads((model / "card.json").read_text())["card"]
    loaded = Trained.load(card, load_file(model / "weights.safetensors"), torch.device("cpu"), 5)
    rng = np.random.default_rng(0)
    clips = [rng.integers(-9000, 9000, n).astype(np.int16) for n in (160_000, 88_000, 20_000)]
    pack = WaveformPack.of(clips, ["ten", "five and a half", "short"], 16_000)
    embedded = loaded.of_machine_type("valve").embed(pack, np.zeros(3, bool))
    assert embedded.clip.tolist() == [0] * 7 + [1] * 3 + [2] and embedded.window.tolist() == [*range(7), 0, 1, 2, 0]
    places = [(0, 16_000 * w) for w in range(7)] + [(1, s) for s in (0, 16_000, 24_000)] + [(2, 0)]
    for (clip, start), vector in zip(places, embedded.vectors, strict=True):
        x = clips[clip] / 32768.0
        x = (x - x.mean()) / x.std()
        wave = np.resize(x, max(len(x), 64_000))[start : start + 64_000]
        with torch.inference_mode():
            expected = loaded.networks["valve"](mels(torch.from_numpy(wave[None]).float(), mel_spec(16_000)))[0]
        np.testing.assert_allclose(vector, expected, rtol=1e-3, atol=1e-4)


def test_a_machine_type_that_was_not_trained_has_no_embedding(model: Path) -> None:
    card = json.loads((model / "card.json").read_text())["card"]
    loaded = Trained.load(card, load_file(model / "weights.safetensors"), torch.device("cpu"), 5)
    with pytest.raises(UsageError, match="machine type of the model 'pump'"):
        loaded.of_machine_type("pump")


# --- the chain ----------------------------------------------------------------------------------------------------


def test_autoencoder_serial_oe_smooth_tune_and_evaluate_run_in_one_folder(
    asd: Callable[..., int], noise: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/features").symlink_to(noise[1])
    where = ("--dataset", "noise", "--run", tmp_path / "run", "-q")
    data = ("--data", noise[0].parents[1])
    assert asd("train", "--model", "autoencoder", "--epochs", 1, *data, *where) == 0
    assert asd("score", "--method", "mse", *data, *where) == 0
    assert asd("train", "--model", SMALL["model"], "--epochs", 1, "--batch-size", 8, *data, *where) == 0
    assert asd("embed", *data, *where) == 0
    assert asd("smooth", "-k", 4, "--neighbours", "source", "--data", noise[0].parents[1], *where) == 0
    sections = ("--choose", "00", "--report", "00", "--data", noise[0].parents[1])
    assert asd("tune", "-k", "1,2,4", "--clusters", "1", *sections, *where) == 0
    assert asd("evaluate", *data, *where) == 0
    scores = {p.name for p in (tmp_path / "run/scores").iterdir()}
    assert scores == {
        "mse.parquet",
        "mse+smooth.k=4,data=source.parquet",
        "mse+smooth.tuned.parquet",
        "gmm.tuned.parquet",
    }
    assert (tmp_path / "run/model/card.json").exists() and (tmp_path / "run/autoencoder/card.json").exists()
    header = artifacts.read_header(tmp_path / "run/scores/mse+smooth.k=4,data=source.parquet", artifacts.SCORES)
    made_by = {entry["kind"] for entry in header.history}
    assert {"model", "embeddings", "window-scores"} <= made_by
    windows = pq.read_table(tmp_path / "run/embeddings.parquet", columns=["window"])["window"].to_pylist()
    assert windows == [0, 1, 2] * 28
