"""What is measured: one function a promise of the README."""

from __future__ import annotations

import subprocess
import sys
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from tests.bench import limits
from tests.bench.child import Usage, asd
from tests.bench.limits import Limit


@dataclass(frozen=True)
class Result:
    """What came out.

    Attributes:
        measured, plain, budget: in words: here, the plain way in the same run, and what is promised.
        ratio: plain / measured; above 1 means faster than the plain way.
        lines: more of it.
        seconds: what is compared with earlier runs.
        limit: seconds that the hardware takes at least, measured in the same run.
    """

    measured: str
    plain: str
    budget: str
    ratio: float | None = None
    lines: tuple[str, ...] = ()
    seconds: float | None = None
    limit: Limit | None = None


def help(folder: Path) -> Result:
    """`asd --help` against an interpreter that does nothing."""
    ours = min(asd("--help", cwd=folder).seconds for _ in range(5))
    nothing = min(_timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)) for _ in range(5))
    return Result(f"{ours:.2f} s", f"python -c pass {nothing:.2f} s", "< 0.4 s", nothing / ours, seconds=ours)


def extract(folder: Path) -> Result:
    """600 ten-second clips into a waveform pack, against reading them one after the other with soundfile."""
    import soundfile

    n = 600
    wavs = write_recordings(folder, n)

    def command() -> Usage:
        return asd("extract-features", "--dataset", "bench", "--force", cwd=folder)

    command()  # warm the file cache
    start_up = asd("extract-features", "--dataset", "bench", cwd=folder)
    used = [command() for _ in range(3)]
    seconds, of_processor = (min(getattr(u, name) for u in used) for name in ("seconds", "cpu_s"))
    rate = n / max(seconds - start_up.seconds, 1e-9)

    def plain() -> None:
        np.savez(folder / "plain.npz", np.concatenate([soundfile.read(wav, dtype="int16")[0] for wav in wavs]))

    plain_rate = n / min(_timed(plain) for _ in range(3))
    plain_cpu = min(_timed(plain, time.process_time) for _ in range(3))
    busy = f"processor time beyond start-up {of_processor - start_up.cpu_s:.2f} s, of the loop {plain_cpu:.2f} s"
    return Result(
        f"{rate:.0f} clips/s ({seconds:.2f} s in all)",
        f"soundfile loop {plain_rate:.0f}/s",
        ">= 300 clips/s",
        rate / plain_rate,
        (f"  {busy}",),
        seconds=seconds,
        limit=limits.decode(wavs),
    )


def score_all(folder: Path) -> Result:
    """Every configuration of the paper on 16 x (1000 + 200) x 256, against one brute-force nearest neighbour search."""
    from sklearn.neighbors import NearestNeighbors

    vectors, labels = write_embeddings(folder, Shape())
    usage = asd("score", "--method", "all", "--dataset", "bench", cwd=folder)

    def plain() -> None:
        for machine_type in sorted(set(labels["machine_type"])):
            rows = np.array(labels["machine_type"]) == machine_type
            train = rows & (np.array(labels["split"]) == "train")
            search = NearestNeighbors(n_neighbors=1, metric="cosine", algorithm="brute").fit(vectors[train])
            search.kneighbors(vectors[rows & ~train])

    one = _timed(plain)
    measured = f"{usage.seconds:.1f} s, {usage.peak_mb:.0f} MB (13 methods)"
    shape = Shape()
    n_train = shape.source + shape.target
    distances = limits.matmul(2.0 * shape.machines * n_train * (n_train + shape.test) * shape.dims)
    plain_words = f"sklearn, 1 method {one:.1f} s"
    return Result(measured, plain_words, "< 15 s, < 1 GB", seconds=usage.seconds, limit=distances)


def evaluate(folder: Path) -> Result:
    """20 methods x 16 machine types, against sklearn's AUC called once a term."""
    from sklearn.metrics import roc_auc_score

    _, labels = write_embeddings(folder, Shape())
    test = np.array(labels["split"]) == "test"
    rng = np.random.default_rng(1)
    columns = {k: np.array(v, dtype=object)[test] for k, v in labels.items()}
    n = int(test.sum())
    upstream = artifacts.read_header(folder / "runs" / "bench" / "embeddings.parquet", artifacts.EMBEDDINGS)
    for i in range(20):
        method = f"nn:k={i + 1}"
        columns["anomaly_score"] = rng.random(n)
        table = pa.table({**{k: pa.array(v.tolist()) for k, v in columns.items()}, "method": [method] * n})
        header = Header.make(
            artifacts.SCORES, dataset="bench", params={"method": method}, inputs={"embeddings": upstream}
        )
        path = folder / "runs" / "bench" / "scores" / f"nn.k={i + 1}.parquet"
        artifacts.write_table(path, artifacts.SCORES, table, header)
    usage = asd("evaluate", "--dataset", "bench", cwd=folder)
    truth = columns["condition"] == "anomaly"
    score = columns["anomaly_score"].astype(float)

    def plain() -> None:
        for _ in range(20 * 16):
            part = rng.choice(n, 200, replace=False)
            for kw in ({}, {}, {"max_fpr": 0.1}):
                roc_auc_score(truth[part], score[part], **kw)

    seconds = _timed(plain)
    return Result(
        f"{usage.seconds:.2f} s",
        f"sklearn AUCs alone {seconds:.2f} s",
        "< 3 s",
        seconds / usage.seconds,
        seconds=usage.seconds,
    )


def bootstrap(folder: Path) -> Result:
    """1,000 resamples of 16 machine types x 200 clips, against sklearn's AUC in a loop (20 resamples, extrapolated)."""
    from sklearn.metrics import roc_auc_score

    write_embeddings(folder, Shape())
    asd("score", "--method", "nn", "--dataset", "bench", cwd=folder)
    usage = asd("evaluate", "--dataset", "bench", "--bootstrap", 1000, cwd=folder)
    rng = np.random.default_rng(1)
    truth, score = np.arange(200) % 2, rng.random(200)

    def plain() -> None:
        for _ in range(20 * 16):
            part = np.concatenate([rng.choice(np.arange(i, 200, 2), 100) for i in (0, 1)])
            for kw in ({}, {}, {"max_fpr": 0.1}):
                roc_auc_score(truth[part], score[part], **kw)

    seconds = _timed(plain) * 50
    return Result(
        f"{usage.seconds:.1f} s",
        f"sklearn loop about {seconds:.0f} s",
        "< 10 s",
        seconds / usage.seconds,
        seconds=usage.seconds,
    )


def index(folder: Path) -> Result:
    """`asd index` of 20,000 wavs, against opening each with soundfile."""
    import soundfile

    root = folder / "recordings"
    for machine in range(4):
        for kind in ("train/normal", "test/normal", "test/anomaly"):
            (root / f"machine{machine}" / kind).mkdir(parents=True)
    first = root / "machine0" / "train" / "normal" / "0.wav"
    with wave.open(str(first), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(3200))
    content = first.read_bytes()
    for i in range(1, 20_000):
        kind = ("train/normal", "train/normal", "train/normal", "test/normal", "test/anomaly")[i % 5]
        (root / f"machine{i % 4}" / kind / f"{i}.wav").write_bytes(content)
    usage = asd("index", root, "--name", "bench", cwd=folder)
    paths = sorted(root.rglob("*.wav"))
    seconds = _timed(lambda: [soundfile.info(p) for p in paths])
    plain = f"soundfile.info {seconds:.1f} s"
    return Result(f"{usage.seconds:.1f} s", plain, "< 10 s", seconds / usage.seconds, seconds=usage.seconds)


ALL: list[Callable[[Path], Result]] = [help, extract, score_all, evaluate, bootstrap, index]


def write_recordings(folder: Path, n: int) -> list[Path]:
    """`data/bench` of ten-second recordings of noise, of one machine type; their paths."""
    root = folder / "data" / "bench"
    noise = np.random.default_rng(0).integers(-9000, 9000, 170_000, dtype=np.int16)
    paths = [f"dev_data/raw/fan/train/section_00_source_train_normal_{i:04d}_vel_1.wav" for i in range(n)]
    (root / paths[0]).parent.mkdir(parents=True)
    for i, path in enumerate(paths):
        with wave.open(str(root / path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(noise[i : i + 160_000].tobytes())
    clips = _clip_columns([p.removesuffix(".wav") for p in paths], "fan", ["train"] * n, ["source"] * n, ["normal"] * n)
    extra = {"duration_s": [10.0] * n, "sample_rate": [16000] * n, "channels": [1] * n}
    header = Header.make(artifacts.CLIPS, dataset="bench", params={"edition": "dcase2023"})
    artifacts.write_table(root / "clips.parquet", artifacts.CLIPS, pa.table({**clips, "path": paths, **extra}), header)
    return [root / path for path in paths]


def write_dataset(folder: Path, clip_ids: list[str], *, split: list[str]) -> None:
    """`data/bench` with what a command looks for there: that these clips are in it."""
    rows = dict(zip(clip_ids, split, strict=True))
    clips = {"clip_id": list(rows), "path": [f"{clip_id}.wav" for clip_id in rows], "split": list(rows.values())}
    clips |= {"machine_type": [clip_id.split("/")[-2] for clip_id in rows], "subset": ["dev"] * len(rows)}
    header = Header.make(artifacts.CLIPS, dataset="bench", params={"edition": "dcase2024"})
    artifacts.write_table(folder / "data" / "bench" / "clips.parquet", artifacts.CLIPS, pa.table(clips), header)


def _timed(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    work()
    return clock() - start


def _clip_columns(
    ids: list[str], machine_type: str, split: list[str], domain: list[str], condition: list[str]
) -> dict[str, list]:
    n = len(ids)
    return {
        "clip_id": ids,
        "machine_type": [machine_type] * n,
        "section": ["00"] * n,
        "subset": ["dev"] * n,
        "split": split,
        "domain": domain,
        "condition": condition,
        "attribute_string": ["vel_1"] * n,
    }


@dataclass(frozen=True)
class Shape:
    """Of an edition: as DCASE 2024, 16 machine types x (990 + 10 + 200) x 256. Test clips are a multiple of four."""

    machines: int = 16
    source: int = 990
    target: int = 10
    test: int = 200
    dims: int = 256


def write_embeddings(
    folder: Path, shape: Shape, *, run: str = "bench", seed: int = 0, embedder: str = "random"
) -> tuple[np.ndarray, dict[str, list]]:
    """A run with random embeddings of this shape."""
    rng = np.random.default_rng(seed)
    labels: dict[str, list] = {}
    train = shape.source + shape.target
    each = train + shape.test
    for machine in range(shape.machines):
        name = f"machine{machine:02d}"
        split = ["train"] * train + ["test"] * shape.test
        domain = ["source"] * shape.source + ["target"] * shape.target + ["source", "target"] * (shape.test // 2)
        condition = ["normal"] * (train + shape.test // 2) + ["anomaly"] * (shape.test // 2)
        part = _clip_columns([f"{name}/{i:04d}" for i in range(each)], name, split, domain, condition)
        for key, values in part.items():
            labels.setdefault(key, []).extend(values)
    n = len(labels["clip_id"])
    centres = rng.normal(size=(shape.machines, 8, shape.dims))
    vectors = centres[np.arange(n) // each, rng.integers(0, 8, n)] + rng.normal(size=(n, shape.dims))
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.astype(np.float32).ravel()), shape.dims)
    table = pa.table({**labels, "window": [0] * n, "vector": flat})
    header = Header.make(artifacts.EMBEDDINGS, dataset="bench", params={"edition": "dcase2024", "embedder": embedder})
    artifacts.write_table(folder / "runs" / run / "embeddings.parquet", artifacts.EMBEDDINGS, table, header)
    write_dataset(folder, labels["clip_id"], split=labels["split"])
    return vectors, labels
