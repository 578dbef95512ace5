"""Two small runs as tables on disk: one with scores of windows, one with embeddings of windows, of the same clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header

SECTIONS = ("00", "01", "02", "03", "04", "05")


def rows(
    machine_types: Sequence[str], sections: Sequence[str] = SECTIONS, *, n_train: int = 12, n_test: int = 4
) -> list[dict]:
    """Label columns of `n_train` training clips a section and `n_test` test clips a section, domain and condition."""
    found = []
    for machine_type in machine_types:
        for section in sections:
            subset = "dev" if section < "03" else "eval"
            clips = [("train", "target" if i >= n_train - 2 else "source", "normal", i) for i in range(n_train)]
            tested = [(d, c) for d in ("source", "target") for c in ("anomaly", "normal")]
            clips += [("test", d, c, i) for d, c in tested for i in range(n_test)]
            for split, domain, condition, i in clips:
                name = f"section_{section}_{domain}_{split}_{condition}_{i:04d}"
                found.append(
                    {
                        "clip_id": f"{subset}_data/raw/{machine_type}/{split}/{name}",
                        "machine_type": machine_type,
                        "section": section,
                        "subset": subset,
                        "split": split,
                        "domain": domain,
                        "condition": condition,
                        "attributes": [],
                        "attribute_string": None,
                    }
                )
    return found


def write(
    folder: Path, clips: list[dict], *, windows: int = 3, dims: int = 4, seed: int = 0, method: str = "mse"
) -> tuple[Path, Path]:
    """A scores run and an embeddings run below `folder`.

    Scores of anomalous clips are a little larger; vectors of anomalous clips lie apart, so that smoothing helps.
    """
    rng = np.random.default_rng(seed)
    labels = [{**c, "window": w} for c in clips for w in range(windows)]
    anomalous = np.array([c["condition"] == "anomaly" for c in labels])
    vectors = rng.standard_normal((len(labels), dims)) + 0.8 * anomalous[:, None]
    scores = rng.standard_normal(len(labels)) + 0.5 * anomalous
    table = _table(labels, artifacts.WINDOW_SCORES)
    of_windows = _scored(table, method, scores)
    a, b = folder / "ae", folder / "oe"
    header = Header.make(artifacts.WINDOW_SCORES, dataset="made", params={"method": method})
    artifacts.write_table(a / "window-scores" / f"{method}.parquet", artifacts.WINDOW_SCORES, of_windows, header)
    means = scores.reshape(-1, windows).mean(axis=1)
    of_clips = _scored(_table(clips, artifacts.SCORES), method, means)
    header = Header.make(artifacts.SCORES, dataset="made", params={"method": method})
    artifacts.write_table(a / "scores" / f"{method}.parquet", artifacts.SCORES, of_clips, header)
    flat = pa.array(vectors.astype(np.float32).reshape(-1))
    embedded = table.append_column("vector", pa.FixedSizeListArray.from_arrays(flat, dims))
    header = Header.make(artifacts.EMBEDDINGS, dataset="made", params={"embedder": "made"})
    artifacts.write_table(b / "embeddings.parquet", artifacts.EMBEDDINGS, embedded, header)
    return a, b


def _table(labels: list[dict], kind: artifacts.Kind) -> pa.Table:
    known = [(c.name, c.type) for c in kind.columns if c.name in labels[0]]
    return pa.Table.from_pylist(labels, pa.schema(known))


def _scored(table: pa.Table, method: str, scores: np.ndarray) -> pa.Table:
    return table.append_column("method", pa.array([method] * len(table))).append_column(
        "anomaly_score", pa.array(scores)
    )
