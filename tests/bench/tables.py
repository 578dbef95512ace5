"""Benchmarks of tables over many runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from asdcli import catalogue
from asdcli.scorers import PAPER
from tests.bench.child import asd
from tests.bench.jobs import Result, _timed
from tests.helpers import many_runs, score_files

SEEDS, SEEDS_FUSED = 10, 20


def table(folder: Path) -> Result:
    """Both tables of four editions of 2 x 10 runs x 13 methods, against reading their results with pyarrow."""
    import pyarrow.parquet as pq

    runs = []
    for dataset in ("dcase2021", "dcase2022", "dcase2023", "dcase2024"):
        clips, rows = many_runs.write_clips(folder, dataset, each=2)
        edition = catalogue.load(dataset)
        machine_types = sorted({*edition.dev.machine_types, *(edition.eval.machine_types if edition.eval else ())})
        for model in (many_runs.FIXED, many_runs.TRAINABLE):
            for seed in range(SEEDS):
                how = {"model": model, "seed": seed, "methods": PAPER, "packs": machine_types}
                runs.append(many_runs.write_run(folder, dataset, clips, rows, **how))  # type: ignore[arg-type]
    usage = asd("table", "varmin", "--published", cwd=folder)
    seconds = _timed(lambda: [pq.read_table(run / "results.parquet").to_pylist() for run in runs])
    measured = f"{usage.seconds:.1f} s, {usage.peak_mb:.0f} MB ({len(runs)} runs)"
    return Result(measured, f"pyarrow alone {seconds:.1f} s", "< 5 s", seconds=usage.seconds)


def fuse(folder: Path) -> Result:
    """Twenty runs x 16 machine types of 1,200 clips fused by rank, against reading their scores with pyarrow."""
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    rows = [
        {
            "clip_id": f"machine{m:02}/{split}/{i:04}",
            "machine_type": f"machine{m:02}",
            "section": "00",
            "subset": "dev",
            "split": split,
            "domain": "source" if i % 10 else "target",
            "condition": "normal" if split == "train" or i % 2 else "anomaly",
            "scored_as": "left-out clip" if split == "train" else None,
        }
        for m in range(16)
        for split, n in (("train", 1000), ("test", 200))
        for i in range(n)
    ]
    clips = score_files.write_clips(folder / "data", "bench", [{**r} for r in rows], layout="folders")
    paths = [folder / "runs" / f"seed-{n}" / "scores" / "nn.parquet" for n in range(SEEDS_FUSED)]
    for path in paths:
        score_files.write_scores(path, rows, rng.gamma(3, size=len(rows)), clips)
    usage = asd("fuse", "runs", "--by", "rank", cwd=folder)
    seconds = _timed(lambda: [pq.read_table(path) for path in paths])
    measured = f"{usage.seconds:.1f} s, {usage.peak_mb:.0f} MB ({len(paths)} runs)"
    return Result(measured, f"pyarrow alone {seconds:.1f} s", "< 3 s", seconds=usage.seconds)


ALL: list[Callable[[Path], Result]] = [table, fuse]
