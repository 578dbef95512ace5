"""What came out, from the tables of finished runs: false alarms by domain, hits, and official scores by method."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy import stats

from asdcli.filenames import stem
from asdcli.metrics.shares import Share
from tests.calibration.trials import HELD_OUT, KNOWN, PROMISED, Trial

DOMAINS = ("source", "target")


@dataclass
class Counts:
    """Alarms among the normal and the anomalous test clips of one domain, a pair (alarms, clips) a trial."""

    normal: list[tuple[int, int]] = field(default_factory=list)
    anomalous: list[tuple[int, int]] = field(default_factory=list)

    @property
    def false_alarms(self) -> Share:
        """Of the clips of all trials together."""
        return Share(sum(a for a, _ in self.normal), sum(n for _, n in self.normal), PROMISED)

    @property
    def hit_rate(self) -> float:
        return sum(a for a, _ in self.anomalous) / sum(n for _, n in self.anomalous)

    @property
    def range(self) -> tuple[float, float]:
        """The least and the largest share of false alarms of a trial."""
        shares = [a / n for a, n in self.normal]
        return min(shares), max(shares)


@dataclass
class Line:
    """One method of one system, with thresholds set in one way, in all trials."""

    system: str
    method: str
    set_on: str
    domains: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))


def lines(trials: Iterable[Trial], methods: Sequence[str]) -> list[Line]:
    """False alarms and hits of `methods` at both kinds of thresholds."""
    found: dict[tuple[str, str, str], Line] = {}
    for trial in trials:
        for name in (KNOWN, HELD_OUT):
            if not (trial.run / name).exists():
                continue
            for row in pq.read_table(trial.run / name).to_pylist():
                if row["method"] in methods:
                    how = "all training clips" if name == KNOWN else f"{row['scored_as']} clips"
                    key = (trial.system.name, row["method"], how)
                    _count(found.setdefault(key, Line(*key)), trial.run, row)
    return list(found.values())


def _count(line: Line, run: Path, threshold: dict) -> None:
    scores = pq.read_table(run / "scores" / f"{stem(threshold['method'])}.parquet")
    scores = scores.filter(np.equal(scores["machine_type"].to_pylist(), threshold["machine_type"]))
    split, domain, condition = (np.array(scores[c].to_pylist()) for c in ("split", "domain", "condition"))
    alarm = scores["anomaly_score"].to_numpy() > threshold["threshold"]
    for of in DOMAINS:
        for name in ("normal", "anomaly"):
            own = (split == "test") & (domain == of) & (condition == name)
            pairs = line.domains[of].normal if name == "normal" else line.domains[of].anomalous
            pairs.append((int(alarm[own].sum()), int(own.sum())))


def officials(trials: Iterable[Trial]) -> dict[str, dict[str, dict[int, float]]]:
    """System -> method -> seed -> official score, of the systems whose methods are compared."""
    found: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for trial in trials:
        if "all+" in trial.system.methods:
            for row in pq.read_table(trial.run / "results.parquet").to_pylist():
                if row["machine_type"] is None and row["section"] is None and row["term"] == "official":
                    found[trial.system.name][row["method"]][trial.seed] = row["value"]
    return found


def difference(a: dict[int, float], b: dict[int, float]) -> tuple[float, float, float]:
    """Mean of a - b over the seeds of both, and its 95 % interval by Student's t; no interval (nan) of one seed."""
    gaps = np.array([a[seed] - b[seed] for seed in sorted(set(a) & set(b))])
    mean = float(gaps.mean())
    if len(gaps) < 2:
        return mean, math.nan, math.nan
    half = float(stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / math.sqrt(len(gaps)))
    return mean, mean - half, mean + half
