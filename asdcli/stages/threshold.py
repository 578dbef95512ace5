"""Leave-one-out scores of normal training clips -> thresholds.parquet -> decisions, without scoring anything again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadData
from asdcli.metrics import DEFAULT_RULE, RULES
from asdcli.metrics.decisions import Rule, decide
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.views.scores import Scored, read_scores
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Condition, Split


def run(
    scores: Sequence[Path],
    output: Path,
    *,
    rule: str = DEFAULT_RULE,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Fit one threshold a method and machine type by `rule` (see `metrics.decisions`) and write them to `output`.

    Raises:
        UsageError: unknown rule or a parameter out of range.
        BadData: a method has no scored training clips, or no gamma distribution fits them.
    """
    fitter: Rule = RULES.build(rule)
    spelling = RULES.spell(fitter)
    methods = _with_training_scores(read_scores(scores), progress)
    header = Header.make(
        artifacts.THRESHOLDS,
        dataset=methods[0].header.dataset,
        params={"rule": spelling},
        inputs={m.method: m.header for m in methods},
    )
    if not force and artifacts.is_current(output, artifacts.THRESHOLDS, header):
        return Outcome(output, "current")
    fitted = []
    few: dict[str, dict[str, int]] = {}
    for method in progress.track(methods, label="threshold", unit="methods"):
        for machine_type, own in _training_scores(method).items():
            if doubt := fitter.doubt(len(own)):
                few.setdefault(doubt, {})[machine_type] = len(own)
            try:
                threshold = fitter.fit(own)
            except ValueError as error:
                raise BadData(f"{method.method}, {machine_type}: {error}", "try --rule quantile:quantile=0.9") from None
            fitted.append(
                {
                    "method": method.method,
                    "machine_type": machine_type,
                    "section": None,
                    "threshold": threshold,
                    "rule": spelling,
                    "n_clips": len(own),
                    "false_alarm_rate": float(decide(own, threshold).mean()),
                }
            )
    for doubt, counts in few.items():
        clips = ", ".join(f"{machine_type} {n}" for machine_type, n in counts.items())
        progress.warn(f"few training clips for this rule: {clips}; {doubt}")
    artifacts.write_table(output, artifacts.THRESHOLDS, _table(fitted), header)
    return Outcome(output, facts={"methods": len(methods), "thresholds": len(fitted), "rule": spelling})


def apply(scores: Sequence[Path], thresholds: Path, output: Path, *, progress: Progress = SILENT) -> Outcome:
    """Write a decision for every test clip to `output` (.parquet, otherwise CSV), by thresholds fitted before.

    Columns: method, clip_id, machine_type, anomaly_score, threshold, decision (normal or anomaly).

    Raises:
        MissingArtifact, BadArtifact: no scores or no thresholds.
        BadData: not one scored clip has a threshold.
    """
    limits = Thresholds.read(thresholds)
    parts = []
    for method in read_scores(scores):
        test = method.split(Split.TEST).table
        machine_types = test["machine_type"].to_pylist()
        known = {m: limits.of(method, m) for m in dict.fromkeys(machine_types)}
        without = [m for m, threshold in known.items() if threshold is None]
        if without:
            progress.warn(f"no threshold for {', '.join(without)} ({method.method}): no decision there")
        test = test.append_column("threshold", pa.array([known[m] for m in machine_types], pa.float64()))
        test = test.filter(pc.is_valid(test["threshold"]))
        above = decide(test["anomaly_score"].to_numpy(), test["threshold"].to_numpy())
        words = pa.array(np.where(above, str(Condition.ANOMALY), str(Condition.NORMAL)), pa.string())
        test = test.append_column("decision", words).append_column(
            "method", pa.array([method.method] * len(test), pa.string())
        )
        parts.append(test.select(["method", "clip_id", "machine_type", "anomaly_score", "threshold", "decision"]))
    decisions = pa.concat_tables(parts)
    if not len(decisions):
        raise BadData(
            f"no test clip of {', '.join(map(str, scores))} has a threshold in {thresholds}", "run: asd threshold"
        )
    alarms = pc.sum(pc.equal(decisions["decision"], str(Condition.ANOMALY))).as_py()
    _save(decisions, output)
    return Outcome(output, facts={"clips": len(decisions), "alarms": alarms})


def rows(thresholds: Path) -> list[dict[str, Any]]:
    """The rows of a thresholds table, ready to be shown."""
    found: list[dict[str, Any]] = artifacts.read_table(thresholds, artifacts.THRESHOLDS)[0].to_pylist()
    return found


def _with_training_scores(methods: Sequence[Scored], progress: Progress) -> list[Scored]:
    """The methods that scored training clips: smoothed scores, for one, are of test clips only."""
    with_training = [m for m in methods if len(m.split(Split.TRAIN).table)]
    if not with_training:
        raise BadData(
            f"{methods[0].path} holds no scores of training clips, and thresholds are fitted on those",
            "asd score writes them, each clip left out of its own reference set",
        )
    without = ", ".join(m.method for m in methods if m not in with_training)
    if without:
        progress.warn(f"no threshold for {without}: no training clips among these scores")
    return with_training


def _training_scores(method: Scored) -> dict[str, npt.NDArray[np.float64]]:
    """(n,) scores of the normal training clips of each machine type."""
    train = method.split(Split.TRAIN).table
    train = train.filter(pc.not_equal(pc.fill_null(train["condition"], ""), str(Condition.ANOMALY)))
    machine_types = np.array(train["machine_type"].to_pylist())
    scores = train["anomaly_score"].to_numpy()
    return {str(m): scores[machine_types == m] for m in np.unique(machine_types)}


def _table(rows: list[dict]) -> pa.Table:
    schema = pa.schema([(c.name, c.type) for c in artifacts.THRESHOLDS.columns] + [("false_alarm_rate", pa.float64())])
    return pa.Table.from_pylist(rows, schema)


def _save(table: pa.Table, path: Path) -> None:
    from pyarrow import csv, parquet

    with artifacts.atomic(path) as temporary:
        if path.suffix == ".parquet":
            parquet.write_table(table, temporary, compression="zstd")
        else:
            csv.write_csv(table, temporary, csv.WriteOptions(quoting_style="needed"))
