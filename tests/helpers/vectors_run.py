"""A run with embeddings made by numpy: `data/mine` and `runs/mine/embeddings.parquet`, to be scored and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header

DIMS = 8


def rows(machine_type: str, *, section: str = "00", source: int = 24, target: int = 4, each: int = 6) -> list[dict]:
    """Normal training clips of both domains, in four groups, and `each` test clips a domain and condition."""
    places = [("train", "source", "normal", source), ("train", "target", "normal", target)]
    places += [("test", d, c, each) for d in ("source", "target") for c in ("normal", "anomaly")]
    return [
        {
            "clip_id": f"{machine_type}/{section}/{split}/{domain}-{condition}-{i:03}",
            "machine_type": machine_type,
            "section": section,
            "subset": "dev",
            "split": split,
            "domain": domain,
            "condition": condition,
            "group": f"day {i % 4}" if split == "train" else None,
        }
        for split, domain, condition, n in places
        for i in range(n)
    ]


def vectors(clips: Sequence[dict], seed: int = 0) -> np.ndarray:
    """(n, DIMS): a direction a domain, wider spread in the target domain, anomalies a little apart."""
    rng = np.random.default_rng(seed)
    found = rng.normal(scale=0.3, size=(len(clips), DIMS))
    for i, clip in enumerate(clips):
        found[i, 0 if clip["domain"] == "source" else 1] += 2
        found[i] *= 1 + (clip["domain"] == "target")
        found[i, 2] += 0.9 * (clip["condition"] == "anomaly")
    return found


def make(
    clips: Sequence[dict],
    name: str = "mine",
    *,
    x: np.ndarray | None = None,
    seen: bool | None = True,
    windows: int = 1,
    params: dict[str, Any] | None = None,
    embedder: str = "logmel",
    bands: list[list[int]] | None = None,
) -> Path:
    """Write both tables; returns the embeddings. Of several windows the later ones are shifted a little."""
    labels = _table([{**c, "path": c["clip_id"] + ".wav"} for c in clips])
    header = Header.make(artifacts.CLIPS, dataset=name, params=params or {"layout": "folders"})
    header = artifacts.write_table(Path("data") / name / "clips.parquet", artifacts.CLIPS, labels, header)
    (Path("data") / "current").write_text(f"{name}\n")
    x = vectors(clips) if x is None else x
    table = _table([{**c, "window": w, "seen": seen} for c in clips for w in range(windows)])
    table = table.set_column(table.column_names.index("seen"), "seen", pa.array([seen] * len(table), pa.bool_()))
    all_of = np.concatenate([x[:, None] + 0.05 * w for w in range(windows)], axis=1).reshape(-1, x.shape[1])
    flat = pa.array(all_of.astype(np.float32).ravel())
    table = table.append_column("vector", pa.FixedSizeListArray.from_arrays(flat, x.shape[1]))
    made = Header.make(artifacts.EMBEDDINGS, dataset=name, params={"embedder": embedder}, inputs={"clips": header})
    made = made if bands is None else replace(made, diagnostics={"bands": bands})
    path = Path("runs") / name / "embeddings.parquet"
    artifacts.write_table(path, artifacts.EMBEDDINGS, table, made)
    return path


def _table(rows: Sequence[dict]) -> pa.Table:
    """Rows as a table; their attributes, where they have any, as pairs of words."""
    table = pa.Table.from_pylist(list(rows))
    if "attributes" not in table.column_names:
        return table
    pairs = pa.array([row["attributes"] for row in rows], pa.map_(pa.string(), pa.string()))
    return table.set_column(table.column_names.index("attributes"), "attributes", pairs)
