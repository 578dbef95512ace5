"""Noise to train on: a task, and a whole run of packs on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from asdcli import artifacts
from asdcli.features.pack import WaveformPack
from asdcli.training import Setting, TrainingData
from asdcli.training.recipes.discriminative import Discriminative, DiscriminativeTask

RATE = 16_000


@dataclass(frozen=True)
class Shape:
    """Of what is trained on: an edition like those since 2022, of twelve-second clips."""

    machines: int = 16
    train: int = 1_000
    test: int = 200
    seconds: float = 12.0
    epochs: int = 16
    batch: int = 64

    @property
    def n_samples(self) -> int:
        return round(self.seconds * RATE)


SMALL = Shape(machines=2, train=12, test=4, seconds=4.5, epochs=2, batch=4)
"""So that all of it runs on a CPU in a minute."""


def task(shape: Shape, n_clips: int, device: torch.device, precision: str, **recipe: Any) -> DiscriminativeTask:
    """The default model on `n_clips` clips, trained on `device`."""
    made = Discriminative(**{"epochs": 1, "batch_size": shape.batch, "clip_length": shape.seconds, **recipe})
    clips = pa.concat_tables([rows(f"m{i}", -(-n_clips // 4)) for i in range(4)]).slice(0, n_clips)
    return made.task(TrainingData(clips, ["m0"], lambda _: pack(shape, clips, 0)), Setting(0, device, precision))


def write_run(root: Path, shape: Shape) -> None:
    """`data/bench/clips.parquet` and the packs of `runs/bench` below `root`: all that `asd train` reads."""
    names = [f"m{i:02d}" for i in range(shape.machines)]
    table = pa.concat_tables([rows(name, shape.train, shape.test) for name in names])
    header = artifacts.Header.make(artifacts.CLIPS, dataset="bench", params={"edition": "dcase2023"})
    header = artifacts.write_table(root / "data" / "bench" / "clips.parquet", artifacts.CLIPS, table, header)
    each = shape.train + shape.test
    for place, name in enumerate(names):
        made = artifacts.Header.make(
            artifacts.FEATURES, dataset="bench", inputs={"clips": header}, diagnostics={"skipped": 0}
        )
        path = root / "runs" / "bench" / "features" / "waveform" / f"{name}.npz"
        artifacts.write_arrays(path, pack(shape, table.slice(place * each, each), place).arrays(), made)


def rows(machine_type: str, n_train: int, n_test: int = 0) -> pa.Table:
    """Of clips.parquet, those of a machine type."""
    split = ["train"] * n_train + ["test"] * n_test
    return pa.Table.from_pylist([_row(machine_type, i, part) for i, part in enumerate(split)])


def _row(machine_type: str, number: int, split: str) -> dict[str, Any]:
    return {
        "clip_id": f"dev_data/raw/{machine_type}/{split}/{number:04d}",
        "path": f"dev_data/raw/{machine_type}/{split}/{number:04d}.wav",
        "machine_type": machine_type,
        "section": "00",
        "subset": "dev",
        "split": split,
        "domain": "target" if number % 100 == 99 else "source",
        "condition": "anomaly" if split == "test" and number % 2 else "normal",
        "attribute_string": f"vel_{number % 4}",
        "duration_s": 1.0,
        "sample_rate": RATE,
        "channels": 1,
    }


def pack(shape: Shape, clips: pa.Table, seed: int) -> WaveformPack:
    """One stretch of noise, cut into clips."""
    n = shape.n_samples
    stretch = np.random.default_rng(seed).integers(-9_000, 9_000, len(clips) * n, dtype=np.int16)
    return WaveformPack(stretch, np.arange(len(clips) + 1) * n, np.array(clips["clip_id"].to_pylist()), RATE)
