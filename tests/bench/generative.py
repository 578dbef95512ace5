"""The promises about the generative side: training an autoencoder, and smoothing many windows with every K."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.features.pack import WaveformPack
from tests.bench.child import asd
from tests.bench.jobs import Result
from tests.noise_run import RATE

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
        f"{ours.seconds:.0f} s, {ours.peak_mb:.0f} MB", f"{other:.0f} s", "< 30 s, < 2 GB", other / ours.seconds
    )


def train_autoencoder(folder: Path) -> Result:
    """40 epochs over 128 ten-second clips, against a loop that reads wavs and recomputes mels in every epoch."""
    import librosa
    import soundfile
    import torch

    from asdcli.models.autoencoder import Autoencoder

    n, epochs, seconds = 128, 40, 10
    rng = np.random.default_rng(0)
    clips = [rng.integers(-9000, 9000, seconds * RATE).astype(np.int16) for _ in range(n)]
    ids = [f"dev_data/raw/fan/train/section_00_source_train_normal_{i:04d}" for i in range(n)]
    for i, samples in enumerate(clips):
        with wave.open(str(folder / f"{i}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
    labels = {"clip_id": ids, "path": [f"{i}.wav" for i in ids], "machine_type": ["fan"] * n, "section": ["00"] * n}
    labels |= {"subset": ["dev"] * n, "split": ["train"] * n, "domain": ["source"] * n, "condition": ["normal"] * n}
    header = Header.make(artifacts.CLIPS, dataset="bench")
    header = artifacts.write_table(folder / "data/bench/clips.parquet", artifacts.CLIPS, pa.table(labels), header)
    pack = WaveformPack.of(clips, ids, RATE).arrays()
    made = Header.make(artifacts.FEATURES, dataset="bench", inputs={"clips": header})
    artifacts.write_arrays(folder / "runs/bench/features/waveform/fan.npz", artifacts.FEATURES, pack, made)
    ours = asd("train", "--model", "autoencoder", "--epochs", epochs, cwd=folder).seconds / epochs

    network = Autoencoder()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)

    def plain() -> None:
        for start in range(0, n, 16):
            vectors = []
            for i in range(start, min(start + 16, n)):
                y, rate = soundfile.read(folder / f"{i}.wav", dtype="float32")
                y = (y - y.mean()) / y.std()
                mel = librosa.feature.melspectrogram(
                    y=y, sr=rate, n_fft=1024, hop_length=512, n_mels=128, fmin=50, fmax=7800
                )
                frames = 10 * np.log10(np.maximum(mel, 1e-12)).T[:126]
                vectors.append(np.concatenate([frames[j : j + 122] for j in range(5)], axis=1))
            x = torch.from_numpy(np.concatenate(vectors).astype(np.float32))
            optimizer.zero_grad()
            (network(x) - x).square().mean().backward()
            optimizer.step()

    plain()
    other = _seconds(plain)
    measured = f"{1000 * ours:.0f} ms an epoch, start-up included"
    return Result(measured, f"{1000 * other:.0f} ms, {torch.get_num_threads()} threads", "10x", other / ours)


ALL: list[Callable[[Path], Result]] = [smooth_all, train_autoencoder]


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
