"""Training: labels, the loop, checkpoints, and the stage `train` by itself and through the command line."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

from asdcli import artifacts
from asdcli.errors import AsdError, BadArtifact, BadData, MissingArtifact, UsageError
from asdcli.files import CHECKPOINT
from asdcli.stages import train
from asdcli.training import MODELS, loop, model_files
from asdcli.training.classes import classes
from asdcli.training.devices import pick_device
from asdcli.training.precision import resolve_precision
from asdcli.training.seeds import generator, seeded
from tests.helpers import noise_run, signalled
from tests.helpers.heard import Heard, Interrupting

SMALL: dict[str, Any] = {"batch_size": 8, "device": "cpu"}


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return noise_run.write(tmp_path_factory.mktemp("noise"))


@pytest.fixture(scope="module")
def trained(noise: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three epochs with the seed 0, made without interruption."""
    folder = tmp_path_factory.mktemp("model")
    train.run(*noise, folder, epochs=3, precision="fp32", **SMALL)
    return folder


def metrics(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


# --- labels, seeds, precision -------------------------------------------------------------------------------------


def test_a_class_is_a_machine_type_section_attribute_string_and_domain() -> None:
    columns = {
        "machine_type": ["fan", "fan", "fan", "ToyCar", "fan", "fan"],
        "section": ["00", "00", "01", "00", "00", None],
        "attribute_string": ["a", "b", "a", "a", "a", "a"],
        "domain": ["source", "source", "source", "source", "source", "target"],
    }
    labels, index = classes(pa.table(columns))
    assert labels == [
        ("ToyCar", "00", "a", "source"),
        ("fan", None, "a", "target"),
        ("fan", "00", "a", "source"),
        ("fan", "00", "b", "source"),
        ("fan", "01", "a", "source"),
    ]
    assert index.tolist() == [2, 3, 4, 0, 2, 1]


def test_streams_of_randomness_depend_on_seed_and_name_only() -> None:
    def draw(*key: str | int) -> list[float]:
        return torch.rand(3, generator=generator(*key)).tolist()  # type: ignore[arg-type]

    assert draw(0, "epoch", 1) == draw(0, "epoch", 1)
    assert len({tuple(draw(*key)) for key in [(0, "epoch", 1), (0, "epoch", 2), (1, "epoch", 1), (0, "init")]}) == 4
    before = torch.random.get_rng_state()
    with seeded(0, "init"):
        torch.rand(3)
    assert torch.equal(before, torch.random.get_rng_state())


def test_devices_and_precisions_are_refused_by_name() -> None:
    with pytest.raises(UsageError) as error:
        pick_device("cdua")
    assert "did you mean 'cuda'" in str(error.value.hint)
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="--device cuda"):
            pick_device("cuda")
        assert pick_device("auto").type == "cpu"
    with pytest.raises(UsageError, match="unknown precision 'fp16'"):
        resolve_precision("fp16", torch.device("cpu"))
    assert resolve_precision("auto", torch.device("cpu")) in ("fp32", "bf16")
    assert resolve_precision("auto", torch.device("cpu"), gains=False) == "fp32"
    assert resolve_precision("bf16", torch.device("cpu"), gains=False) == "bf16"  # asked for is asked for


@pytest.mark.parametrize(
    ("spelling", "complaint"),
    [
        ("discriminitive", "unknown model"),
        ("discriminative:centres=fixed", "no parameter 'centres'"),
        ("discriminative:centers=both", "unknown discriminative:centers 'both'"),
        ("discriminative:mixup=2", "mixup is a probability"),
        ("discriminative:lr=0", "lr must lie in"),
        ("discriminative:batch_size=1", "batch_size must be at least 2"),
    ],
)
def test_a_misspelled_model_is_refused(spelling: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        MODELS.build(spelling)


def test_spelling_and_options_make_the_same_recipe() -> None:
    recipe = MODELS.build("discriminative", centers="trainable", epochs=3, lr=None)
    assert MODELS.spell(recipe) == "discriminative:centers=trainable,epochs=3"
    assert MODELS.build("discriminative:centers=trainable,epochs=3") == recipe


# --- the stage ----------------------------------------------------------------------------------------------------


def test_training_reduces_the_loss_and_learns_the_classes(noise: tuple[Path, Path], tmp_path: Path) -> None:
    progress = Heard()
    outcome = train.run(*noise, tmp_path, epochs=3, mixup=0.0, batch_size=5, device="cpu", progress=progress)
    rows = metrics(tmp_path)
    assert [r["epoch"] for r in rows] == [1, 2, 3]
    assert rows[-1]["loss"] < 0.75 * rows[0]["loss"]
    assert rows[-1]["accuracy"] >= 0.8  # four classes, the most frequent 0.4
    assert outcome.facts.epochs == 3 and outcome.plain()["clips"] == 20
    assert progress.counted == 3 * 20
    assert any("loss" in f for f in progress.fields)
    assert any("least, 4.38 s" in n for n in progress.notes)


def test_the_card_says_what_the_model_is(noise: tuple[Path, Path], trained: Path) -> None:
    header = artifacts.read_header(trained, artifacts.MODEL)
    assert header.dataset == "noise" and header.seed == 0
    spelling = "discriminative:centers=fixed,epochs=3,batch_size=8"
    assert header.params == {"model": spelling, "precision": "fp32", "hold_out": 0.1}
    assert set(header.inputs) == {"clips", "features/waveform/fan", "features/waveform/valve"}
    weights, card, _ = model_files.read_model(trained)
    assert card["classes"] == [
        ["fan", "00", "vel_1", "source"],
        ["fan", "00", "vel_2", "target"],
        ["valve", "00", "vel_1", "source"],
        ["valve", "00", "vel_2", "target"],
    ]
    assert card["n_samples"] == 70_014
    assert card["n_parameters"] == sum(
        w.numel() for name, w in weights.items() if name.startswith("network.") and name.endswith("weight")
    )
    assert card["loss_scale"] == pytest.approx(math.sqrt(2) * math.log(4 * 16 - 1))
    assert weights["loss.centers"].shape == (256, 64)
    assert not (trained / CHECKPOINT).exists()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(
    noise: tuple[Path, Path], tmp_path: Path
) -> None:
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        train.run(*noise, tmp_path / name, epochs=1, seed=seed, **SMALL)
    weights = {n: (tmp_path / n / "weights.safetensors").read_bytes() for n in ("one", "again", "other")}
    assert weights["one"] == weights["again"] != weights["other"]
    assert (tmp_path / "one" / "card.json").read_bytes() == (tmp_path / "again" / "card.json").read_bytes()


def test_a_finished_training_is_left_alone_until_something_changes(
    noise: tuple[Path, Path], trained: Path, tmp_path: Path
) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in trained.iterdir()}
    assert train.run(*noise, trained, epochs=3, precision="fp32", **SMALL).status == "current"
    assert before == {p.name: p.stat().st_mtime_ns for p in trained.iterdir()}
    (tmp_path / "m").mkdir()
    for p in trained.iterdir():
        (tmp_path / "m" / p.name).write_bytes(p.read_bytes())
    weights = tmp_path / "m" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(BadArtifact, match=r"are not the weights of card\.json"):
        model_files.read_model(tmp_path / "m")
    with pytest.raises(BadData, match=r"weights\.safetensors is there already"):
        train.run(*noise, tmp_path / "m", epochs=3, precision="fp32", **SMALL)
    assert train.run(*noise, tmp_path / "m", epochs=3, precision="fp32", force=True, **SMALL).status == "done"
    assert weights.read_bytes() == (trained / "weights.safetensors").read_bytes()


def test_an_interrupted_training_goes_on_bit_for_bit(
    noise: tuple[Path, Path], trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", math.inf)

    with pytest.raises(KeyboardInterrupt):
        train.run(*noise, tmp_path, epochs=3, precision="fp32", progress=Interrupting(0.75), **SMALL)
    assert not (tmp_path / "weights.safetensors").exists()
    assert len(metrics(tmp_path)) == 2
    progress = Heard()
    train.run(*noise, tmp_path, epochs=3, precision="fp32", progress=progress, **SMALL)
    assert "going on after epoch 2 of 3" in progress.notes
    assert (tmp_path / "weights.safetensors").read_bytes() == (trained / "weights.safetensors").read_bytes()
    assert [r["loss"] for r in metrics(tmp_path)] == [r["loss"] for r in metrics(trained)]


def test_short_epochs_are_not_all_saved_and_a_rerun_repeats_those(
    noise: tuple[Path, Path], trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", 1e-9)

    with pytest.raises(KeyboardInterrupt):
        train.run(*noise, tmp_path, epochs=3, precision="fp32", progress=Interrupting(0.75), **SMALL)
    progress = Heard()
    train.run(*noise, tmp_path, epochs=3, precision="fp32", progress=progress, **SMALL)
    assert "going on after epoch 1 of 3" in progress.notes
    assert (tmp_path / "weights.safetensors").read_bytes() == (trained / "weights.safetensors").read_bytes()
    assert [r["epoch"] for r in metrics(tmp_path)] == [1, 2, 3]


def test_a_checkpoint_of_another_training_is_not_gone_on_from(noise: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train.run(*noise, tmp_path, epochs=2, seed=5, progress=Interrupting(0.6), **SMALL)
    progress = Heard()
    train.run(*noise, tmp_path, epochs=1, seed=6, progress=progress, **SMALL)
    assert any("another training" in w for w in progress.warnings)
    (tmp_path / CHECKPOINT).write_bytes(b"cut off")
    train.run(*noise, tmp_path, epochs=1, seed=7, **SMALL)
    assert len(metrics(tmp_path)) == 1


def test_trainable_centers_move_and_fixed_ones_do_not(noise: tuple[Path, Path], trained: Path, tmp_path: Path) -> None:
    train.run(*noise, tmp_path, epochs=1, centers="trainable", subclusters=16, **SMALL)
    with seeded(0, "init"):
        from asdcli.training.recipes.discriminative import Discriminative, DiscriminativeModule

        start = DiscriminativeModule(Discriminative(), 70_014, 16_000, 4).loss.centers
    assert torch.equal(model_files.read_model(trained)[0]["loss.centers"], start)
    assert not torch.equal(model_files.read_model(tmp_path)[0]["loss.centers"], start)


def test_a_diverging_loss_is_named_and_the_checkpoint_kept(noise: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(AsdError, match=r"the loss is nan in epoch \d: training has diverged") as error:
        train.run(*noise, tmp_path, epochs=3, weight_decay=1e38, precision="fp32", **SMALL)
    assert "--lr" in str(error.value.hint)
    assert not (tmp_path / "weights.safetensors").exists()


# --- refusals -----------------------------------------------------------------------------------------------------


def test_what_cannot_be_trained_on_is_refused_in_words(noise: tuple[Path, Path], tmp_path: Path) -> None:
    clips, features = noise
    with pytest.raises(UsageError, match="clip length 2 s is too short"):
        train.run(clips, features, tmp_path / "m", clip_length=2.0, **SMALL)
    with pytest.raises(UsageError, match="unknown machine type 'fam'") as error:
        train.run(clips, features, tmp_path / "m", machine_types=["fam"], **SMALL)
    assert "did you mean 'fan'" in str(error.value.hint)
    with pytest.raises(MissingArtifact) as missing:
        train.run(clips, tmp_path, tmp_path / "m", **SMALL)
    assert "asd extract-features" in str(missing.value.hint)
    assert not (tmp_path / "m" / "weights.safetensors").exists()


def test_one_class_is_nothing_to_tell_apart(tmp_path: Path) -> None:
    clips, features = noise_run.write(tmp_path, ("fan",), n_train=4)
    with pytest.raises(BadData, match="all 4 training clips are of one class") as error:
        train.run(clips, features, tmp_path / "m", **SMALL)
    assert "logmel" in str(error.value.hint)


def test_features_of_other_clips_are_stale_but_skipped_clips_are_not(tmp_path: Path) -> None:
    clips, features = noise_run.write(tmp_path / "a", leave_out=1)
    outcome = train.run(clips, features, tmp_path / "m", epochs=1, **SMALL)
    assert outcome.plain()["clips"] == 20  # the one left out is a test clip
    more, _ = noise_run.write(tmp_path / "b", n_train=11)
    with pytest.raises(BadArtifact, match=r"does not fit clips\.parquet") as error:
        train.run(more, features, tmp_path / "m", epochs=1, **SMALL)
    assert "asd extract-features" in str(error.value.hint)


def test_machine_types_without_features_are_left_out_with_a_warning(tmp_path: Path) -> None:
    clips, features = noise_run.write(tmp_path, ("fan", "pump", "valve"))
    (features / "waveform" / "pump.npz").unlink()
    progress = Heard()
    outcome = train.run(clips, features, tmp_path / "m", epochs=1, progress=progress, **SMALL)
    assert any("pump" in w and "left out" in w for w in progress.warnings)
    assert outcome.plain()["clips"] == 20


# --- on a GPU (make test-gpu) --------------------------------------------------------------------------------------


@pytest.mark.gpu
def test_training_runs_on_the_gpu_from_device_and_from_host_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Also prints the speed: an epoch of 1,024 ten-second clips in bf16, the second of two."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    clips, features = noise_run.write(tmp_path, n_train=512)
    losses = {}
    for name, share in (("device", 0.5), ("host", 0.0)):
        monkeypatch.setattr("asdcli.features.banks.DEVICE_SHARE", share)
        train.run(clips, features, tmp_path / name, epochs=2, clip_length=10.0, device="cuda", precision="bf16")
        rows = metrics(tmp_path / name)
        losses[name] = rows[-1]["loss"]
        with capsys.disabled():
            print(f"\ntrain on cuda, samples in {name} memory: {rows[-1]['clips_per_s']:.0f} clips/s of 10 s")
    assert losses["device"] < metrics(tmp_path / "device")[0]["loss"]
    assert losses["host"] == pytest.approx(losses["device"], rel=0.1)  # the same batches; CUDA sums in any order


# --- the command line ---------------------------------------------------------------------------------------------


def test_killed_and_run_again_training_ends_with_the_same_bytes(
    noise: tuple[Path, Path], trained: Path, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "noise"
    noise_run.write(tmp_path)
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads()), "MKL_NUM_THREADS": str(torch.get_num_threads())}
    options = {"--dataset": "noise", "--epochs": "3", "--batch-size": "8", "--device": "cpu", "--precision": "fp32"}
    words = [word for pair in options.items() for word in pair]
    killed = signalled.asd(
        "train",
        *words,
        number=signal.SIGKILL,
        call="asdcli.training.checkpoint:save",
        nth=2,
        cwd=tmp_path,
        env=os.environ | threads,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (run / "model" / CHECKPOINT).exists()
    assert not (run / "model" / "weights.safetensors").exists()
    command = [sys.executable, "-m", "asdcli", "train", *words, "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | threads, capture_output=True, check=True)
    assert "going on after epoch 1 of 3" in done.stderr.decode()
    assert json.loads(done.stdout)["status"] == "done"
    assert (run / "model" / "weights.safetensors").read_bytes() == (trained / "weights.safetensors").read_bytes()
    assert sorted(p.name for p in (run / "model").iterdir()) == ["card.json", "metrics.jsonl", "weights.safetensors"]


def test_train_without_a_step_before_says_which(asd: Callable[..., int], tmp_path: Path, capsys: Any) -> None:
    noise_run.write(tmp_path)
    assert asd("train", "--dataset", "noise", "--run", "elsewhere") == 1
    assert "asd extract-features" in capsys.readouterr().err
    assert asd("train", "--dataset", "noise", "--centers", "both") == 2
    assert "fixed, trainable" in capsys.readouterr().err
