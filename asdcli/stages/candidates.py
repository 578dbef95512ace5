"""What tune may choose from: every setting of the smoothing, and every Gaussian mixture, with the scores it gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from asdcli.errors import BadData
from asdcli.progress import Progress
from asdcli.scorers import smoothing
from asdcli.scorers.gmm import Mixture
from asdcli.scorers.smooth import Smooth
from asdcli.scorers.threads import one_thread
from asdcli.views.embeddings import read_embeddings
from asdcli.views.pools import search_pools
from asdcli.views.samples import Samples
from asdcli.views.units import UnitPlan, plan_units
from asdcli.views.windows import per_clip
from asdcli.vocabulary import Data, Unit

Candidates = Mapping[str, np.ndarray]
"""Parameters -> scores of all clips (n_clips,), in the order in which a tie is decided."""


def of_smoothing(
    samples: Samples, how: Smooth, ks: Sequence[int], data: Sequence[Data], progress: Progress
) -> dict[str, np.ndarray]:
    """Every K and data from one neighbour search a pool and data; small K first."""
    found_of: dict[tuple[int, Data], np.ndarray] = {}
    for one in data:
        of_ks = np.empty((len(ks), len(samples.table)))
        for rows, found in search_pools(samples, dataclasses.replace(how, data=one), max(ks), progress):
            of_ks[:, rows] = smoothing.smooth(samples.scores[rows], found, ks)
        for k, scores in zip(ks, of_ks, strict=True):
            found_of[k, one] = np.asarray(per_clip(samples.table, scores, "")["anomaly_score"])
    return {f"k={k},data={one}": found_of[k, one] for k in ks for one in data}


def of_mixtures(
    embeddings: Path, clips: pa.Table, clusters: Sequence[int], data: Sequence[Data], seed: int, progress: Progress
) -> dict[str, np.ndarray]:
    """Negative log-likelihoods of one mixture a section, for every number of clusters and data."""
    embeddings = embeddings / "embeddings.parquet" if embeddings.is_dir() else embeddings
    embedded = read_embeddings(embeddings)
    plans, _, warnings = plan_units(embedded, Unit.SECTION)
    for sentence in warnings:
        progress.warn(sentence)
    row = {clip_id: i for i, clip_id in enumerate(clips["clip_id"].to_pylist())}
    place = np.array([row.get(clip_id, -1) for clip_id in embedded.column("clip_id")])
    grid_of = [Mixture(n, one) for n in clusters for one in data]
    scores = np.full((len(grid_of), len(clips)), np.nan)
    plans = [p for p in plans if (place[p.scored] >= 0).any()]
    jobs = [(plan, i) for plan in plans for i in range(len(grid_of))]

    def work(job: tuple[UnitPlan, int]) -> np.ndarray:
        unit, _, of_test = job[0].vectors(embedded, seed=seed)
        windows = np.full(len(embedded.clip), np.nan)
        windows[of_test] = grid_of[job[1]].fit(unit).score(unit.test)
        return embedded.of_clips(windows)

    with ThreadPoolExecutor(torch.get_num_threads()) as threads, one_thread():
        fits = zip(jobs, threads.map(work, jobs), strict=True)
        for (plan, i), of_clips in progress.track(fits, total=len(jobs), label="mixtures", unit="fits"):
            mine = plan.scored[place[plan.scored] >= 0]
            scores[i, place[mine]] = of_clips[mine]
            progress.advance(1)
    missing = np.flatnonzero(np.isnan(scores).any(axis=0))
    if len(missing):
        raise BadData(
            f"{embeddings} holds no training clips of {clips['machine_type'][int(missing[0])].as_py()}: "
            "no mixture can be fitted",
            "embed the train split too, or leave the mixtures out: --clusters none",
        )
    return {f"clusters={m.clusters},data={m.data}": s for m, s in zip(grid_of, scores, strict=True)}
