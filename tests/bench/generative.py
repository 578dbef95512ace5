"""The promises about the generative side: training an autoencoder, and smoothing many windows with every K."""

from __future__ import annotations

import json
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.features.pack import WaveformPack
from tests.bench import limits
from tests.bench.child import asd
from tests.bench.jobs import Result, write_dataset
from tests.helpers.noise_run import RATE

KS = [2**i for i in range(12)]


def smooth_all(folder: Path) -> Result:
    """20,000 windows of one pool, K = 1, 2, 4, … 2048 in one search, against sorting all distances anew for each K."""
    n, dims = 20_000, 128
    rng = np.random.default_rng(0)
    vectors, scores = rng.standard_normal((n, dims), np.float32), rng.standard_normal(n)
    labels = {
        "clip_id": [f"dev_data/raw/fan/test/{i // 7:05d}" for i in range(n)],
        "window": pa.array([i % 7 for i in range(n)], pa.int32()),
        "machine_type": ["fan"] * n,
        "section": ["00"] * n,
        "subset": ["dev"] * n,
        "split": ["test"] * n,
    }
    table = pa.table({**labels, "method": ["mse"] * n, "anomaly_score": scores})
    header = Header.make(artifacts.WINDOW_SCORES, dataset="bench")
    artifacts.write_table(folder / "a.parquet", artifacts.WINDOW_SCORES, table, header)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), dims)
    header = Header.make(artifacts.EMBEDDINGS, dataset="bench")
    artifacts.write_table(folder / "e.parquet", artifacts.EMBEDDINGS, pa.table({**labels, "vector": column}), header)
    write_dataset(folder, labels["clip_id"], split=labels["split"])
    asked = [word for k in KS for word in ("-k", str(k))]
    options = ("--scores", "a.parquet", "--embeddings", "e.parquet", "--dataset", "bench")
    ours = asd("smooth", *options, *asked, cwd=folder)
    rows, x = 100, vectors.astype(np.float64)

    def plain() -> None:
        for k in KS:
            for i in range(rows):
                scores[np.argsort(((x - x[i]) ** 2).sum(axis=1))[:k]].mean()

    other = _seconds(plain) * n / rows
    return Result(
        f"{ours.seconds:.0f} s, {ours.peak_mb:.0f} MB",
        f"{other:.0f} s",
        "< 30 s, < 2 GB",
        other / ours.seconds,
        seconds=ours.seconds,
        limit=limits.matmul(2.0 * n * n * dims),
    )


def train_autoencoder(folder: Path) -> Result:
    """Four machine types side by side to the default epochs, start-up and frames included.

    Against the plain loop: one machine type after the other, and in every epoch each wav is read, standardised, turned
    into librosa's mels and cut at random.
    """
    import librosa
    import soundfile
    import torch

    from asdcli.models.networks.autoencoder import AutoencoderNetwork
    from asdcli.training.recipes.autoencoder import Autoencoder as Recipe

    machine_types, n = ("fan", "pump", "slider", "valve"), 128
    rng = np.random.default_rng(0)
    clips = [rng.integers(-9000, 9000, 10 * RATE).astype(np.int16) for _ in range(n)]
    ids = {
        m: [f"dev_data/raw/{m}/train/section_00_source_train_normal_{i:04d}" for i in range(n)]
        for m in ("", *machine_types)
    }
    every = [i for m in machine_types for i in ids[m]]
    labels = {"clip_id": every, "path": [f"{i}.wav" for i in every], "machine_type": [i.split("/")[2] for i in every]}
    same = {"section": "00", "subset": "dev", "split": "train", "domain": "source", "condition": "normal"}
    labels |= {name: [value] * len(every) for name, value in same.items()}
    header = Header.make(artifacts.CLIPS, dataset="bench")
    header = artifacts.write_table(folder / "data/bench/clips.parquet", artifacts.CLIPS, pa.table(labels), header)
    made = Header.make(artifacts.FEATURES, dataset="bench", inputs={"clips": header})
    for m in machine_types:
        pack = WaveformPack.of(clips, ids[m], RATE).arrays()
        artifacts.write_arrays(folder / f"runs/bench/features/waveform/{m}.npz", pack, made)
    seconds = asd("train", "--model", "autoencoder", cwd=folder).seconds
    card = json.loads((folder / "runs/bench/autoencoder/card.json").read_text())["card"]
    trained_on = sum(card["n_clips"].values()) - sum(card["n_held_out"].values())
    ours = Recipe().epochs * trained_on / seconds

    for i, samples in enumerate(clips):
        with wave.open(str(folder / f"{i}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
    network = AutoencoderNetwork()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    mels = 0.0

    def plain() -> None:
        nonlocal mels
        for start in range(0, n, 16):
            vectors = []
            began = time.perf_counter()
            for i in range(start, start + 16):
                y, rate = soundfile.read(folder / f"{i}.wav", dtype="float32")
                y = (y - y.mean()) / y.std()
                mel = librosa.feature.melspectrogram(
                    y=y, sr=rate, n_fft=1024, hop_length=512, n_mels=128, fmin=50, fmax=7800
                )
                frames = 10 * np.log10(np.maximum(mel, 1e-12)).T
                at = int(rng.integers(len(frames) - 125))
                vectors.append(np.concatenate([frames[at + j : at + j + 122] for j in range(5)], axis=1))
            mels += time.perf_counter() - began
            x = torch.from_numpy(np.concatenate(vectors).astype(np.float32))
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(x), x).backward()
            optimizer.step()

    plain()
    mels, repeats = 0.0, 10
    other = repeats * n / _seconds(lambda: [plain() for _ in range(repeats)])
    share = mels * other / (repeats * n)
    return Result(
        f"{ours:.0f} windows/s, {seconds:.0f} s",
        f"{other:.0f} windows/s ({share:.0%} mels)",
        "10x",
        ours / other,
        seconds=seconds,
    )


ALL: list[Callable[[Path], Result]] = [smooth_all, train_autoencoder]


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
