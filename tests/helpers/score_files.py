"""Small datasets and score tables without audio: clips.parquet and scores/*.parquet as the stages leave them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli import artifacts, catalogue
from asdcli.artifacts import Header


def clip_rows(edition: str, *, subset: str = "dev", machine_types=None, train: int = 30, each: int = 10) -> list[dict]:
    """`train` normal training clips and `each` test clips of every domain and condition, for each section."""
    known = catalogue.load(edition)
    part = known.part(subset)
    rows = []
    for machine_type in machine_types or part.machine_types:
        for section in part.sections_for(machine_type):
            for split, domain, condition, index in _clips(known.grammar, train, each):
                name = _name(known.grammar, subset, section, split, domain, condition, index)
                folder = f"{domain}_test" if known.grammar == "2021" and split == "test" else split
                rows.append(
                    {
                        "clip_id": f"{subset}_data/raw/{machine_type}/{folder}/{name}",
                        "machine_type": machine_type,
                        "section": section,
                        "subset": subset,
                        "split": split,
                        "domain": domain,
                        "condition": condition,
                    }
                )
    return rows


def _clips(grammar, train, each):
    domains = [None] if grammar == "2020" else ["source", "target"]
    for i in range(train):
        yield "train", domains[-1 if i % 10 == 9 else 0], "normal", i
    i = 0
    for domain in domains:
        for condition in ("normal", "anomaly"):
            for _ in range(each):
                yield "test", domain, condition, i
                i += 1


def _name(grammar, subset, section, split, domain, condition, index):
    hidden = subset == "eval" and split == "test"
    if grammar == "2020":
        return f"id_{section}_{index:08}" if hidden else f"{condition}_id_{section}_{index:08}"
    if hidden:
        return f"section_{section}_{domain}_test_{index:04}" if grammar == "2021" else f"section_{section}_{index:04}"
    return f"section_{section}_{domain}_{split}_{condition}_{index:04}"


def write_clips(data: Path, edition: str, rows: list[dict], **params) -> Header:
    """`data/<edition>/clips.parquet`; returns its header. With parameters it is a dataset of no edition."""
    table = pa.Table.from_pylist([{**r, "path": r["clip_id"] + ".wav"} for r in rows])
    header = Header.make(artifacts.CLIPS, dataset=edition, params=params or {"edition": edition})
    return artifacts.write_table(data / edition / "clips.parquet", artifacts.CLIPS, table, header)


def random_scores(rows: list[dict], seed: int = 0, shift: float = 1.5) -> np.ndarray:
    """Gamma scores, those of anomalies `shift` higher."""
    anomalous = np.array([r["condition"] == "anomaly" for r in rows])
    return np.random.default_rng(seed).gamma(3, size=len(rows)) + shift * anomalous


def write_scores(
    path: Path, rows: list[dict], scores, clips: Header, method: str = "nn", *, embeddings: Header | None = None
) -> Header:
    """A score table with the history it would have: by default of log-mel statistics."""
    embeddings = embeddings or of_vectors(clips)
    header = Header.make(
        artifacts.SCORES, dataset=clips.dataset, seed=0, params={"method": method}, inputs={"embeddings": embeddings}
    )
    columns = [{**r, "method": method, "anomaly_score": float(s)} for r, s in zip(rows, scores, strict=True)]
    return artifacts.write_table(path, artifacts.SCORES, pa.Table.from_pylist(columns), header)


def of_vectors(clips: Header, content: str = "embeddings", *, model: Header | None = None) -> Header:
    """The header of embeddings of a model, or of log-mel statistics."""
    embedder = str(model.params["model"]).partition(":")[0] if model else "logmel"
    inputs = {"clips": clips, **({"model": model} if model else {})}
    params = {"embedder": embedder}
    made = Header.make(artifacts.EMBEDDINGS, dataset=clips.dataset, params=params, inputs=inputs)
    return made.with_content(content)


def of_model(
    clips: Header, spelling: str, *, seed: int = 0, precision: str = "auto", content: str = "weights"
) -> Header:
    """The header of a model that was trained on `clips`."""
    params = {"model": spelling, "precision": precision}
    made = Header.make(artifacts.MODEL, dataset=clips.dataset, seed=seed, params=params, inputs={"clips": clips})
    return made.with_content(content)


def make_run(root: Path, edition: str, methods=("nn",), *, rows: list[dict] | None = None, **sizes) -> list[dict]:
    """Write `root/data/<edition>` and `root/runs/<edition>/scores`, where `asd evaluate` looks; returns the clips."""
    rows = clip_rows(edition, **sizes) if rows is None else rows
    clips = write_clips(root / "data", edition, rows)
    for i, method in enumerate(methods):
        path = root / "runs" / edition / "scores" / f"{method.replace(':', '.')}.parquet"
        write_scores(path, rows, random_scores(rows, i, 1.5 + i / 2), clips, method)
    return rows
