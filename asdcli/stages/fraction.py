"""smooth --fraction: how smoothing grows with the number of observed clips (Fujimura et al. 2024, Fig. 5).

Of each section, domain and condition the same share of clips is observed; smoothing and metric see only those. Every
subset is given its best K and data, as in the paper: the curve shows what smoothing can do, not what a fixed K does.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import UsageError
from asdcli.metrics.official import SectionScores, Value, measure, official
from asdcli.metrics.specs import AUC_PAUC, MetricSpec, spec_named
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.scorers import exact_search, smoothing
from asdcli.scorers.smooth import Smooth
from asdcli.views.labelled import Judged, judged, of_sections
from asdcli.views.pools import data_to_try, in_pool, neighbours_in_pool
from asdcli.views.samples import SMOOTHED, Samples
from asdcli.views.windows import per_clip
from asdcli.vocabulary import Data
from asdcli.writing.locks import alone_with

_Subset = tuple[np.ndarray, np.ndarray]  # which clips are observed, and their scores under every candidate

ALL = "all"
"""What stands for a machine type in the row over all of them."""


@dataclass(frozen=True)
class FractionFacts:
    """The rows of the table, and how many subsets were drawn for them (None: nothing was)."""

    rows: list[dict[str, Any]]
    subsets: int | None = None


def fractions(text: str) -> list[float]:
    """`0.05:1.0:0.05` is 0.05, 0.1, ... 1.0 (both ends); `0.2` and `0.2,0.5` are what they say.

    Raises:
        UsageError: no such range, or a fraction outside (0, 1].
    """
    try:
        if ":" in text:
            start, stop, step = (float(part) for part in text.split(":"))
            n = int(round((stop - start) / step, 6)) + 1 if step > 0 else 0
            found = [round(start + i * step, 10) for i in range(n)]
        else:
            found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(0 < p <= 1 for p in found):
        raise UsageError(
            f"cannot read the fractions {text!r}", "write START:STOP:STEP above 0 and up to 1, as 0.05:1.0:0.05"
        )
    return found


@alone_with("output")
def run(
    samples: Samples,
    output: Path,
    *,
    truth: Path | None,
    shares: Sequence[float],
    repeats: int,
    smooth: Smooth,
    ks: Sequence[int],
    data: Data | None = None,
    sections: Sequence[str] | None = None,
    metric: str = AUC_PAUC,
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome[FractionFacts]:
    """Smooth `repeats` random subsets of each share and write mean and standard deviation of the metric.

    Args:
        samples: from `views.samples.read_samples`.
        output: fractions.parquet.
        truth: clips.parquet, whose conditions win over those in the scores.
        shares: of the clips, each in (0, 1].
        repeats: random subsets of each share.
        smooth: everything about the smoothing but K and data.
        ks: every K; each subset gets the best.
        data: of whom neighbours are taken; None means all there are, and each subset gets the best. Pools are sections.
        sections: only these; by default all with labels.
        metric: name of an official rule: what is maximised.
        seed: of everything random.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        BadData: no labels, or a source pool is asked for where domains are hidden. UsageError: no such section.
    """
    spec = spec_named(metric)
    tried = data_to_try(samples.table, data, progress)
    params = {"smooth": SMOOTHED, "metric": metric, "fractions": list(shares), "repeats": repeats}
    params |= {"ks": list(ks), "data": list(tried), "sections": sections, "distance": smooth.metric}
    params |= {"outside": smooth.outside, "own_windows": smooth.own_windows}
    header = Header.make(artifacts.FRACTIONS, dataset=samples.dataset, seed=seed, params=params, inputs=samples.inputs)
    if not force and artifacts.is_current(output, artifacts.FRACTIONS, header):
        before, _ = artifacts.read_table(output, artifacts.FRACTIONS)
        return Outcome(output, "current", facts=FractionFacts(before.to_pylist()))
    clips = per_clip(samples.table, samples.scores, samples.method)
    labelled = judged(clips, truth)
    labelled = labelled if sections is None else of_sections(labelled, sections)
    curves = [_Section(samples, clips, one, smooth, ks, tried) for one in labelled]
    draws = [(share, repeat) for share in shares for repeat in range(repeats)]
    found: dict[tuple[str, str, float], list[float]] = {}
    sizes: dict[tuple[str, float], int] = {}
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        measured = zip(draws, threads.map(lambda draw: _measured(spec, curves, *draw, seed=seed), draws), strict=True)
        for (share, _), (values, n_clips) in progress.track(
            measured, total=len(draws), label="fraction", unit="subsets"
        ):
            for (name, machine_type), value in values.items():
                found.setdefault((name, machine_type, share), []).append(value)
            sizes |= {(machine_type, share): n for machine_type, n in n_clips.items()}
    rows = [
        {
            "method": samples.method + (SMOOTHED if name == "smoothed" else ""),
            "machine_type": machine_type,
            "fraction": share,
            "mean": float(np.mean(values)),
            "std": float(np.std(values)),
            "n_repeats": len(values),
            "n_clips": sizes[machine_type, share],
        }
        for (name, machine_type, share), values in sorted(
            found.items(), key=lambda f: (f[0][2], f[0][0] == "smoothed", f[0][1])
        )
    ]
    schema = pa.schema([(c.name, c.type) for c in artifacts.FRACTIONS.columns])
    artifacts.write_table(output, artifacts.FRACTIONS, pa.Table.from_pylist(rows, schema), header)
    return Outcome(output, facts=FractionFacts(rows, len(draws)))


def _measured(
    spec: MetricSpec, curves: Sequence[_Section], share: float, repeat: int, *, seed: int
) -> tuple[dict[tuple[str, str], float], dict[str, int]]:
    """One subset: (smoothed or unsmoothed, machine type) -> metric, and machine type -> clips observed."""
    values: dict[tuple[str, str], float] = {}
    n_clips: dict[str, int] = {}
    total: dict[str, list[Value]] = {"smoothed": [], "unsmoothed": []}
    for machine_type in sorted({c.judged.machine_type for c in curves}):
        own = [c for c in curves if c.judged.machine_type == machine_type]
        drawn = [c.draw(share, seed, repeat) for c in own]

        def of(candidate: int | None, own: Sequence[_Section] = own, drawn: Sequence[_Subset] = drawn) -> list[Value]:
            return measure(spec, [c.scores(*subset, candidate) for c, subset in zip(own, drawn, strict=True)])

        best = max(map(of, range(own[0].n_candidates)), key=lambda v: official(spec, v) or 0.0)
        n_clips[machine_type] = sum(int(keep.sum()) for keep, _ in drawn)
        for name, one in (("smoothed", best), ("unsmoothed", of(None))):
            values[name, machine_type] = official(spec, one) or 0.0
            total[name] += one
    values |= {(name, ALL): official(spec, of_all) or 0.0 for name, of_all in total.items()}
    return values, n_clips | {ALL: sum(n_clips.values())}


class _Section:
    """One section: its samples with all their neighbours, once for every subset."""

    def __init__(
        self,
        samples: Samples,
        clips: pa.Table,
        section: Judged,
        smooth: Smooth,
        ks: Sequence[int],
        data: Sequence[Data],
    ) -> None:
        ids = np.array(clips["clip_id"].to_pylist(), dtype=object)[section.rows]
        of_clip = {clip_id: i for i, clip_id in enumerate(ids)}
        place = np.array([of_clip.get(clip_id, -1) for clip_id in samples.table["clip_id"].to_pylist()])
        rows = np.flatnonzero(place >= 0)
        self.ks, self.scores_of, self.clip = list(ks), samples.scores[rows], place[rows]
        self.judged = Judged(
            section.machine_type, section.section, np.arange(len(ids)), section.anomalous, section.domain
        )
        members = [in_pool(samples.table, one)[rows] for one in data]
        self.found = [neighbours_in_pool(samples, rows, one, smooth, len(rows)) for one in members]
        self.n_candidates = len(data) * len(self.ks)

    def draw(self, share: float, seed: int, repeat: int) -> _Subset:
        """A subset of the clips (n_clips,) bool, at least one of each stratum, and every candidate's scores."""
        name = f"{self.judged.machine_type}/{self.judged.section}"
        rng = np.random.default_rng([seed, repeat, round(share * 1e6), *name.encode()])
        keep = np.zeros(len(self.judged.rows), bool)
        stratum = [f"{d}{a}" for d, a in zip(self.judged.domain, self.judged.anomalous, strict=True)]
        for one in sorted(set(stratum)):
            members = np.array([i for i, s in enumerate(stratum) if s == one])
            keep[rng.choice(members, max(1, round(share * len(members))), replace=False)] = True
        inside = keep[self.clip]
        smoothed = [
            smoothing.smooth(self.scores_of[inside], exact_search.restrict(f, inside), self.ks) for f in self.found
        ]
        return keep, np.concatenate(
            [
                self._per_clip(self.scores_of[None], np.ones(len(inside), bool)),
                *(self._per_clip(s, inside) for s in smoothed),
            ]
        )

    def scores(self, keep: np.ndarray, of_clips: np.ndarray, candidate: int | None) -> SectionScores:
        """Scores of the drawn clips under a candidate; None: as they were before smoothing."""
        return self.judged.only(keep).scores(of_clips[0 if candidate is None else candidate + 1])

    def _per_clip(self, scores: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """(n_candidates, n_clips) means over the samples of each clip; 0 where a clip was not drawn."""
        n = len(self.judged.rows)
        count = np.maximum(np.bincount(self.clip[inside], minlength=n), 1)
        return np.stack([np.bincount(self.clip[inside], s, n) for s in scores]) / count
