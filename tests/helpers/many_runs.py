"""Trees of runs as a sweep leaves them, without audio or networks: scores made of numbers, and evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.filenames import stem
from asdcli.pipeline import run_note
from asdcli.pipeline.steps import evaluate
from asdcli.pipeline.workspace import Workspace
from tests.helpers import score_files

Skill = Callable[[str, int], float]
"""(method, seed) -> how far anomalies score above normal clips."""
FIXED, TRAINABLE = "discriminative:centers=fixed", "discriminative:centers=trainable"


def write_run(
    root: Path,
    dataset: str,
    clips: Header,
    rows: Sequence[dict],
    *,
    model: str = FIXED,
    seed: int = 0,
    methods: Sequence[str] = ("nn",),
    label: str | None = None,
    skill: Skill = lambda method, seed: 1.5,
    precision: str = "auto",
    evaluated: bool = True,
    packs: Sequence[str] = (),
) -> Path:
    """One run, `root/runs/<dataset>/<label>/seed-<n>`, of scores that depend on method and seed; returns its folder.

    With `packs` of machine types these, the model's card and embeddings lie there too, as in a run that was not tidied.
    """
    run = root / "runs" / dataset / (label or model.rpartition("=")[2]) / f"seed-{seed}"
    run_note.remember(run, dataset)
    of_packs = {f"features/waveform/{m}": _pack(run, dataset, m, clips) for m in packs}
    params = {"model": model, "precision": precision}
    inputs = {"clips": clips, **of_packs}
    trained = Header.make(artifacts.MODEL, dataset=dataset, seed=seed, params=params, inputs=inputs)
    trained = trained.with_content(f"{model}{seed}{precision}")
    embeddings = score_files.of_vectors(clips, content=f"{model}{seed}{precision}v", model=trained)
    if packs:
        (run / "model").mkdir()
        (run / "model" / "card.json").write_text(trained.to_json())
        made = Header.make(
            artifacts.EMBEDDINGS, dataset=dataset, params=embeddings.params, inputs={**inputs, "model": trained}
        )
        table = pa.Table.from_pylist([{**rows[0], "window": 0, "vector": [1.0]}])
        embeddings = artifacts.write_table(run / "embeddings.parquet", artifacts.EMBEDDINGS, table, made)
    for method in methods:
        scores = score_files.random_scores(list(rows), seed, skill(method, seed))
        path = run / "scores" / f"{stem(method)}.parquet"
        score_files.write_scores(path, list(rows), scores, clips, method, embeddings=embeddings)
    if evaluated:
        evaluate_run(root, dataset, run)
    return run


def _pack(run: Path, dataset: str, machine_type: str, clips: Header) -> Header:
    params = {"features": "waveform", "machine_type": machine_type}
    header = Header.make(artifacts.FEATURES, dataset=dataset, params=params, inputs={"clips": clips})
    return artifacts.write_arrays(run / "features" / "waveform" / f"{machine_type}.npz", {"x": np.zeros(1)}, header)


def evaluate_run(root: Path, dataset: str, run: Path) -> None:
    """`asd evaluate` on a run."""
    evaluate.run(Workspace(root / "data", run, dataset))


def write_clips(root: Path, dataset: str, **sizes: object) -> tuple[Header, list[dict]]:
    """A small table of clips of an edition, dev and eval, of two machine types and five test clips of each sort."""
    rows = [
        row
        for subset in ("dev", "eval")
        for row in score_files.clip_rows(dataset, subset=subset, **{"train": 2, "each": 5, **sizes})  # type: ignore[arg-type]
    ]
    return score_files.write_clips(root / "data", dataset, rows), rows


def results(run: Path) -> Mapping[tuple[str, str], float]:
    """(method, subset) -> official score in percent, read from a run's results the plain way."""
    import pyarrow.parquet as pq

    found = pq.read_table(run / "results.parquet").to_pylist()
    of_all = [r for r in found if r["term"] == "official" and r["machine_type"] is None]
    return {(r["method"], r["subset"]): 100 * r["value"] for r in of_all}


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation, written out."""
    mean = sum(values) / len(values)
    return mean, (sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5
