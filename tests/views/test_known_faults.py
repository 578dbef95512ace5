"""Known faults: what is nearer to one of them than to any normal recording, worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.scorers.vectors import Vectors
from asdcli.views.known_faults import KnownFaults, nearest_of_clips
from asdcli.views.scores import read_scores
from asdcli.views.thresholds import Thresholds

EAST, NORTH, BETWEEN = [1.0, 0.0], [0.0, 1.0], [np.sqrt(0.5), np.sqrt(0.5)]


def vectors(rows: list[list[float]], clips: list[int]) -> Vectors:
    return Vectors.of(np.array(rows, np.float32), np.array(clips))


def test_a_clip_is_like_a_fault_where_any_of_its_windows_is_nearer_to_it_than_all_are_to_normal_ones() -> None:
    windows, clip = vectors([EAST, NORTH, BETWEEN, EAST], [7, 7, 8, 9]), np.array([0, 0, 1, 2])
    normal = vectors([EAST], [1])
    rows, distances = nearest_of_clips(normal, windows, clip)
    assert rows.tolist() == [0, 0, 0] and np.allclose(distances[[0, 2]], 0) and distances[1] > 0.1
    faults = KnownFaults({"fan": np.array([BETWEEN, NORTH], np.float32)}, {"fan": np.array(["a", "b"], object)})
    assert faults.nearer("fan", windows, clip, distances) == [None, "a", None]
    assert faults.nearer("fan", windows, clip, np.full(3, 9.0)) == ["b", "a", "a"]
    assert faults.nearer("pump", windows, clip, distances) == [None, None, None]


def table(kind: artifacts.Kind, path: Path, rows: list[dict[str, Any]], **more: Any) -> None:
    given = {"machine_type": "fan", "subset": "dev", "split": "answered", "condition": "anomaly", "method": "nn"}
    whole = [{**given, **row} for row in rows]
    columns = {c.name: [row.get(c.name) for row in whole] for c in kind.columns}
    arrays = {
        c.name: pa.array(columns[c.name], c.type or pa.list_(pa.float32(), 2))
        for c in kind.columns
        if any(value is not None for value in columns[c.name])
    }
    artifacts.write_table(path, kind, pa.table(arrays), Header.make(kind, dataset="d", **more))


def test_of_a_long_fault_its_suspicious_windows_are_it_and_of_one_without_any_the_highest(tmp_path: Path) -> None:
    names = ["audio_later/week/2024-11-03_a", "audio_later/week/b"]
    rows = [{"clip_id": n, "path": f"{n}.wav", "since": "2024-11-20"} for n in names]
    table(artifacts.CLIPS, tmp_path / "clips.parquet", rows)
    places = [
        {"clip_id": n, "window": w, "vector": [float(i), float(w)]} for i, n in enumerate(names) for w in range(3)
    ]
    table(artifacts.EMBEDDINGS, tmp_path / "embeddings.parquet", places)
    scores = [{**row, "anomaly_score": s} for row, s in zip(places, [0.1, 0.9, 0.5, 0.1, 0.2, 0.3], strict=True)]
    table(artifacts.WINDOW_SCORES, tmp_path / "windows.parquet", scores)
    of_clips = [{"clip_id": n, "anomaly_score": 0.5} for n in names]
    table(artifacts.SCORES, tmp_path / "nn.parquet", of_clips, params={"method": "nn"})
    limit = {"threshold": 0.5, "rule": "quantile", "n_clips": 9, "false_alarm_rate": 0.0}
    table(artifacts.THRESHOLDS, tmp_path / "thresholds.parquet", [limit])
    (scored,) = read_scores([tmp_path / "nn.parquet"])
    limits = Thresholds.read(tmp_path / "thresholds.parquet")
    of = (tmp_path / "clips.parquet", tmp_path / "embeddings.parquet", scored)
    found = KnownFaults.read(*of, tmp_path / "windows.parquet", limits)
    assert found is not None and found.windows["fan"].tolist() == [[0, 1], [0, 2], [1, 2]]
    assert found.names["fan"].tolist() == [*["2024-11-03, 2024-11-03_a.wav"] * 2, "2024-11-20, b.wav"]
    whole = KnownFaults.read(*of, tmp_path / "none.parquet", limits)
    assert whole is not None and len(whole.windows["fan"]) == 6
