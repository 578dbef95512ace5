"""The arithmetic of `make calibration`, on tables small enough to count by hand."""

from __future__ import annotations

import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.calibration.figures import difference, lines
from tests.calibration.trials import HELD_OUT, KNOWN, SYSTEMS, Trial


def _trial(folder, seed, scores):
    """A run of one machine type: per domain and condition (score of each test clip), and both thresholds."""
    trial = Trial(SYSTEMS[1], folder, folder, "made-up", seed)
    (trial.run / "scores").mkdir(parents=True)
    rows = [
        {"machine_type": "fan", "split": "test", "domain": domain, "condition": condition, "anomaly_score": score}
        for (domain, condition), own in scores.items()
        for score in own
    ]
    rows.append({**rows[0], "split": "train", "anomaly_score": 9.0})  # no test clip: counts nowhere
    rows.append({**rows[0], "machine_type": "pump", "anomaly_score": 9.0})  # another threshold's
    pq.write_table(pa.Table.from_pylist(rows), trial.run / "scores" / "nn.parquet")
    for name, threshold, scored_as in ((HELD_OUT, 2.0, "held-out"), (KNOWN, 0.5, "seen")):
        row = {"method": "nn", "machine_type": "fan", "threshold": threshold, "scored_as": scored_as}
        pq.write_table(pa.Table.from_pylist([row, {**row, "method": "smote"}]), trial.run / name)
    return trial


def test_alarms_of_all_trials_are_counted_by_domain_and_kind_of_threshold(tmp_path):
    first = {("source", "normal"): [1, 2, 3], ("source", "anomaly"): [3, 1], ("target", "normal"): [0, 0.4]}
    second = {("source", "normal"): [1, 1, 1, 1], ("source", "anomaly"): [3, 3], ("target", "normal"): [5, 5]}
    trials = [_trial(tmp_path, 0, first), _trial(tmp_path, 1, second)]
    known, unseen = lines(trials, ["nn"])
    assert (known.set_on, unseen.set_on) == ("all training clips", "held-out clips")
    source = unseen.domains["source"]
    assert (source.false_alarms.above, source.false_alarms.n) == (1, 7)  # a score at the threshold is no alarm
    assert source.range == (0, 1 / 3)
    assert source.hit_rate == 3 / 4
    assert known.domains["source"].false_alarms.measured == 1.0
    assert known.domains["target"].normal == [(0, 2), (2, 2)]


def test_a_paired_difference_has_the_interval_of_student():
    mean, low, high = difference({0: 0.5, 1: 0.6, 2: 0.7}, {0: 0.4, 1: 0.4, 2: 0.4, 7: 0.9})
    assert mean == pytest.approx(0.2)  # gaps 0.1, 0.2, 0.3: std 0.1, t(2) at 97.5 % is 4.3027
    assert high - mean == pytest.approx(4.3027 * 0.1 / math.sqrt(3), rel=1e-4)
    assert mean - low == pytest.approx(high - mean)


def test_one_seed_has_a_difference_but_no_interval():
    mean, low, high = difference({3: 0.5}, {3: 0.75})
    assert mean == -0.25
    assert math.isnan(low) and math.isnan(high)
