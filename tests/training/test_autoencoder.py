"""Autoencoders: windows, frames, training side by side, and `asd score --method mse`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from asdcli import artifacts
from asdcli.features import windows
from asdcli.features.frames import frontend, stacked
from asdcli.features.pack import WaveformPack
from asdcli.models.networks.autoencoder import AutoencoderNetwork
from asdcli.stages import train
from asdcli.training.holdout import held_out
from asdcli.training.recipes.autoencoder import FrameBank
from tests.helpers import noise_run
from tests.helpers.heard import Interrupting

# --- windows and frames -------------------------------------------------------------------------------------------


def test_ten_seconds_are_seven_windows_and_other_lengths_end_flush() -> None:
    rate = 16_000
    cut = {s: (windows.starts(round(s * rate), 4 * rate, rate) / rate).tolist() for s in (10, 10.25, 11, 4, 4.5, 2)}
    assert cut[10] == [0, 1, 2, 3, 4, 5, 6]
    assert cut[10.25] == [0, 1, 2, 3, 4, 5, 6, 6.25]
    assert cut[11] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert cut[4.5] == [0, 0.5]
    assert cut[4] == cut[2] == [0]


@given(st.integers(1, 300_000), st.integers(1, 70_000), st.integers(1, 20_000))
def test_windows_lie_inside_the_clip_and_leave_no_sound_out(n_samples: int, window: int, hop: int) -> None:
    starts = windows.starts(n_samples, window, hop)
    assert starts[0] == 0 and starts[-1] + window == max(n_samples, window)
    assert (np.diff(starts) > 0).all() and (np.diff(starts) <= hop).all()


@given(st.integers(1, 400_000))
def test_an_autoencoder_cuts_as_many_windows_as_samples_say_all_inside_its_frames(n_samples: int) -> None:
    front = frontend("paper", 16_000)
    starts = front.window_starts(n_samples)
    assert len(starts) == len(windows.starts(n_samples, 64_000, 16_000))
    assert front.window_frames == 126
    assert starts[-1] + 126 == front.mel.n_frames(max(n_samples, 64_000))


def test_a_vector_is_five_adjacent_frames_oldest_first() -> None:
    frames = torch.arange(21.0).reshape(7, 3)
    assert stacked(frames).shape == (3, 15)
    assert stacked(frames)[1].tolist() == frames[1:6].flatten().tolist()


def test_ten_seconds_of_the_baseline_are_librosas_309_vectors() -> None:
    samples = np.random.default_rng(0).integers(-9000, 9000, 160_000).astype(np.int16)
    vectors = stacked(frontend("dcase-baseline", 16_000).frames(samples))
    assert vectors.shape == (309, 640)
    mel = librosa.feature.melspectrogram(
        y=samples / 32768.0, sr=16_000, n_fft=1024, hop_length=512, n_mels=128, power=2
    )
    expected = 10 * np.log10(np.maximum(mel, np.finfo(float).eps)).T
    np.testing.assert_allclose(vectors[:, :128], expected[:309], atol=1e-3)  # dB; float32 against float64


def test_loudness_and_offset_of_a_recording_do_not_matter_to_the_papers_frames() -> None:
    samples = np.random.default_rng(0).integers(-3000, 3000, 80_000)
    front = frontend("paper", 16_000)
    quiet, loud = (front.frames((a * samples + b).astype(np.int16)) for a, b in ((1, 0), (4, 500)))
    torch.testing.assert_close(quiet, loud, atol=0.01, rtol=0)
    assert torch.isfinite(front.frames(np.zeros(80_000, np.int16))).all()


def test_a_clip_shorter_than_a_window_is_repeated() -> None:
    samples = np.random.default_rng(0).integers(-3000, 3000, 16_000).astype(np.int16)
    front = frontend("paper", 16_000)
    torch.testing.assert_close(front.frames(samples), front.frames(np.tile(samples, 4)))


# --- what is held out ---------------------------------------------------------------------------------------------


def test_fifteen_percent_of_the_source_and_one_of_three_target_clips_are_held_out() -> None:
    rows = [("fan", "00", "source")] * 100 + [("fan", "00", "target")] * 3 + [("fan", "01", "target")] * 2
    table = pa.table({**dict(zip(("machine_type", "section", "domain"), zip(*rows, strict=True), strict=True))})
    table = table.append_column("clip_id", pa.array([f"{i:03d}" for i in range(105)]))
    out = held_out(table, seed=0)
    assert (out[:100].sum(), out[100:103].sum(), out[103:].sum()) == (15, 1, 0)
    assert (held_out(table.take(list(range(104, -1, -1))), seed=0)[::-1] == out).all()


# --- training and scoring -----------------------------------------------------------------------------------------

SMALL: dict[str, Any] = {"model": "autoencoder", "device": "cpu", "epochs": 2, "batch_size": 4}


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return noise_run.write(tmp_path_factory.mktemp("noise"), seconds=5.5)


@pytest.fixture(scope="module")
def model(noise: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ae")
    train.run(*noise, folder, **SMALL)
    return folder


def card(folder: Path) -> dict:
    return json.loads((folder / "card.json").read_text())["card"]


def test_beside_another_machine_type_a_network_learns_what_it_learns_alone(
    noise: tuple[Path, Path], model: Path, tmp_path: Path
) -> None:
    train.run(*noise, tmp_path / "alone", machine_types=["valve"], **SMALL)
    beside, alone = (load_file(folder / "weights.safetensors") for folder in (model, tmp_path / "alone"))
    assert card(model)["machine_types"] == ["fan", "valve"] and card(tmp_path / "alone")["machine_types"] == ["valve"]
    own = {name.removeprefix("1."): tensor for name, tensor in beside.items() if name.startswith("1.")}
    assert len(own) == len(alone) and all(torch.equal(alone[f"0.{name}"], tensor) for name, tensor in own.items())


def test_training_on_two_threads_gives_the_weights_of_one(
    noise: tuple[Path, Path], model: Path, tmp_path: Path
) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1 if before > 1 else 2)
        train.run(*noise, tmp_path, **SMALL)
    finally:
        torch.set_num_threads(before)
    weights, expected = (load_file(folder / "weights.safetensors") for folder in (tmp_path, model))
    assert all(torch.equal(weights[name], tensor) for name, tensor in expected.items())


def test_an_interrupted_training_ends_with_the_same_weights(
    noise: tuple[Path, Path], model: Path, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train.run(*noise, tmp_path, progress=Interrupting(0.6), **SMALL)
    assert (tmp_path / "checkpoint.safetensors").exists()
    train.run(*noise, tmp_path, **SMALL)
    weights, expected = (load_file(folder / "weights.safetensors") for folder in (tmp_path, model))
    assert all(torch.equal(weights[name], tensor) for name, tensor in expected.items())


def test_training_makes_the_loss_smaller_and_tells_what_it_held_out(noise: tuple[Path, Path], tmp_path: Path) -> None:
    train.run(*noise, tmp_path, **{**SMALL, "epochs": 15, "lr": 0.01})
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert rows[0].keys() == {"epoch", "loss", "windows_per_s", "step_ms", "seconds"}
    assert card(tmp_path)["n_held_out"] == {"fan": 1, "valve": 1}
    assert all(np.isfinite(loss) for loss in card(tmp_path)["held_out_loss"].values())


def test_the_paper_trains_for_1500_epochs_and_a_profile_fills_in_its_numbers() -> None:
    from asdcli.training import MODELS

    paper, baseline = (MODELS.build(f"autoencoder:profile={p}") for p in ("paper", "dcase-baseline"))
    assert (paper.epochs, paper.batch_size) == (1500, 16)
    assert (baseline.epochs, baseline.batch_size) == (100, 256)
    assert MODELS.build(MODELS.spell(paper)) == paper


@pytest.mark.gpu
def test_training_on_the_gpu_ends_where_the_cpu_ends(noise: tuple[Path, Path], tmp_path: Path, capsys: Any) -> None:
    """Also prints how fast each is."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    losses = {}
    for device in ("cpu", "cuda"):
        train.run(*noise, tmp_path / device, model="autoencoder", epochs=20, precision="fp32", device=device)
        row = json.loads((tmp_path / device / "metrics.jsonl").read_text().splitlines()[-1])
        losses[device] = row["loss"]
        with capsys.disabled():
            print(f"\nautoencoder on {device}: {row['windows_per_s']:.0f} windows/s, {row['step_ms']:.1f} ms a step")
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=0.02)  # sums in another order, over twenty epochs


def test_a_last_batch_of_a_single_vector_is_left_out(noise: tuple[Path, Path], tmp_path: Path) -> None:
    # ten clips of 168 vectors, nine tenths of them trained on: 1512
    options = {"model": "autoencoder:profile=dcase-baseline", "device": "cpu", "epochs": 1, "batch_size": 1511}
    train.run(*noise, tmp_path, machine_types=["fan"], **options)
    assert np.isfinite(json.loads((tmp_path / "metrics.jsonl").read_text())["loss"])


@pytest.fixture
def run(asd: Callable[..., int], noise: tuple[Path, Path], model: Path, tmp_path: Path) -> Callable[..., int]:
    """`asd` on the noise dataset, in a run that shares its features and has its autoencoder."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run/features").symlink_to(noise[1])
    (tmp_path / "run/autoencoder").symlink_to(model)
    where = ("--data", noise[0].parents[1], "--dataset", "noise", "--run", tmp_path / "run")
    return lambda *arguments: asd(*arguments, *where)


def test_a_clips_score_is_the_mean_squared_error_over_its_windows(
    run: Callable[..., int], noise: tuple[Path, Path], model: Path, tmp_path: Path
) -> None:
    assert run("score", "--method", "mse", "-q") == 0
    of_clips = pq.read_table(tmp_path / "run/scores/mse.parquet").to_pylist()
    of_windows = pq.read_table(tmp_path / "run/window-scores/mse.parquet").to_pylist()
    assert len(of_clips) == 28 and [r["window"] for r in of_windows] == [0, 1, 2] * 28
    network = AutoencoderNetwork().eval()
    weights = load_file(model / "weights.safetensors")
    network.load_state_dict({k.removeprefix("1."): v for k, v in weights.items() if k.startswith("1.")})
    pack = WaveformPack.from_arrays(artifacts.read_arrays(noise[1] / "waveform/valve.npz", artifacts.FEATURES)[0])
    front = frontend("paper", 16_000)
    frames = front.frames(pack.clip(3))
    with torch.no_grad():
        errors = [float((network(x) - x).square().mean()) for x in (stacked(frames[s : s + 126]) for s in (0, 31, 46))]
    clip_id = str(pack.clip_ids[3])
    scored = [r["anomaly_score"] for r in of_windows if r["clip_id"] == clip_id]
    np.testing.assert_allclose(scored, errors, rtol=1e-4)
    (score,) = (r["anomaly_score"] for r in of_clips if r["clip_id"] == clip_id)
    assert score == pytest.approx(np.mean(errors), rel=1e-4)


def test_the_baseline_scores_whole_clips_by_both_its_methods_and_is_evaluated(
    run: Callable[..., int], tmp_path: Path
) -> None:
    place = tmp_path / "baseline"
    options = ("--model", "autoencoder", "--profile", "dcase-baseline", "--epochs", 1, "-q", "-o", place)
    assert run("train", *options) == 0
    methods = ("mse", "selective-mahalanobis", "selective-mahalanobis:mode=per-frame")
    asked = [word for m in methods for word in ("--method", m)]
    assert run("score", *asked, "--model", place, "-q") == 0
    windows_of = pq.read_table(tmp_path / "run/window-scores/selective-mahalanobis.mode=clip-mean.parquet")
    assert set(windows_of["window"].to_pylist()) == {0} and len(windows_of) == 28
    assert run("evaluate", "-q") == 0
    assert card(place)["n_clips"] == {"fan": 10, "valve": 10} and all(card(place)["held_out_loss"].values())


def test_the_baselines_covariance_is_of_the_vectors_it_was_trained_on_and_of_no_other(
    run: Callable[..., int], noise: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: dict[int, set[int]] = {}
    batches = FrameBank.vectors

    def watched(bank: FrameBank, *rest: Any) -> Iterator[torch.Tensor]:
        for frames in batches(bank, *rest):
            trained.setdefault(int(bank.frames[0, 0] * 1e6), set()).update(frames[:, 0].tolist())
            yield frames

    monkeypatch.setattr(FrameBank, "vectors", watched)
    place = tmp_path / "baseline"
    options = ("--model", "autoencoder", "--profile", "dcase-baseline", "--epochs", 1, "--seed", 3, "-q", "-o", place)
    assert run("train", *options) == 0
    assert run("score", "--method", "selective-mahalanobis:mode=per-frame", "--model", place, "-q") == 0
    scores = pq.read_table(tmp_path / "run/scores/selective-mahalanobis.mode=per-frame.parquet").to_pylist()
    of_clip = {row["clip_id"]: row["anomaly_score"] for row in scores}

    front = frontend("dcase-baseline", 16_000)
    weights = load_file(place / "weights.safetensors")
    network = AutoencoderNetwork(5 * 128).eval()
    network.load_state_dict({k.removeprefix("0."): v for k, v in weights.items() if k.startswith("0.")})
    pack = WaveformPack.from_arrays(artifacts.read_arrays(noise[1] / "waveform/fan.npz", artifacts.FEATURES)[0])
    rows: dict[str, list[np.ndarray]] = {"source": [], "target": []}
    missed = []
    first, kept = 0, None
    for i, clip_id in enumerate(pack.clip_ids.tolist()):
        frames = front.frames(pack.clip(i))
        kept = kept or trained[int(frames[0, 0] * 1e6)]
        with torch.no_grad():
            x = stacked(frames)
            residual = (network(x) - x).double().numpy().reshape(len(x), 5, 128)
        missed.append(residual.reshape(-1, 128))
        if "_train_" in clip_id:
            rows["target" if "_target_" in clip_id else "source"] += [
                r for v, r in enumerate(residual) if first + v in kept
            ]
            first += len(frames)
    n_vectors = sum(map(len, rows.values()))
    assert n_vectors == round(0.9 * 10 * (first // 10 - 4))
    inverse = [np.linalg.inv(np.cov(np.concatenate(r), rowvar=False)) for r in rows.values()]
    expected = {
        clip_id: min(float(np.einsum("ij,jk,ik->i", r, p, r).mean()) for p in inverse)
        for clip_id, r in zip(pack.clip_ids.tolist(), missed, strict=True)
    }
    np.testing.assert_allclose([of_clip[c] for c in expected], list(expected.values()), rtol=1e-6)


def test_scoring_again_does_nothing(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("score", "--method", "mse") == 0
    assert "wrote" in capsys.readouterr().err
    assert run("score", "--method", "mse") == 0
    assert "up to date" in capsys.readouterr().err


def test_methods_of_embeddings_and_of_residuals_run_in_one_command(run: Callable[..., int], tmp_path: Path) -> None:
    made = tmp_path / "run/embeddings.parquet"
    rows = [{k: v for k, v in r.items() if k in artifacts.CLIP_COLUMNS} for r in noise_run.rows("fan")]
    rng = np.random.default_rng(0)
    columns = [(c.name, c.type) for c in artifacts.EMBEDDINGS.columns if c.name != "vector"]
    schema = pa.schema([*columns, ("vector", pa.list_(pa.float32(), 4))])
    table = pa.Table.from_pylist([{**r, "window": 0, "vector": rng.normal(size=4).tolist()} for r in rows], schema)
    artifacts.write_table(
        made, artifacts.EMBEDDINGS, table, artifacts.Header.make(artifacts.EMBEDDINGS, dataset="noise")
    )
    assert run("score", "--method", "mse", "--method", "nn", "--method", "gmm:clusters=2", "-q") == 0
    assert sorted(p.name for p in (tmp_path / "run/scores").iterdir()) == [
        "gmm.clusters=2,data=all.parquet",
        "mse.parquet",
        "nn.parquet",
    ]


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("score", "--method", "mse", "--model", "nowhere"), 1, "asd train --model autoencoder"),
        (("score", "--method", "mse", "-k", "3"), 2, "'mse' has no parameter 'k'"),
        (("score", "--method", "selective-mahalanobis:mode=mean"), 2, "clip-mean"),
        (("train", "--model", "autoencoder", "--profile", "papr"), 2, "did you mean 'paper'"),
        (("train", "--model", "autoencoder", "--centers", "fixed"), 2, "no parameter 'centers'"),
        (("train", "--model", "autoencoder", "--lr", "0"), 2, "lr must be positive"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    assert run(*command) == code
    assert words in capsys.readouterr().err


def test_only_an_autoencoder_reconstructs(
    run: Callable[..., int], tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    held = json.loads((model / "card.json").read_text())
    held["params"]["model"] = "discriminative:centers=fixed"
    del held["seal"]  # as in cards of the first versions
    (other / "card.json").write_text(json.dumps(held))
    assert run("score", "--method", "mse", "--model", other) == 1
    assert "only an autoencoder reconstructs" in capsys.readouterr().err
