"""Benchmarks of tables over many runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from asdcli import catalogue
from asdcli.scorers import PAPER
from tests.bench.child import asd
from tests.bench.jobs import Result, _timed
from tests.helpers import many_runs

SEEDS = 10


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
    return Result(measured, f"pyarrow alone {seconds:.1f} s", "< 5 s")


ALL: list[Callable[[Path], Result]] = [table]
