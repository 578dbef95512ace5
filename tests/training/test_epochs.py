"""AUC by epochs: what the command measures on the way is what `asd train` of so many epochs ends with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import roc_auc_score

from asdcli.plots import drawing
from asdcli.training import Setting
from tests.bench import epochs
from tests.bench.epochs import Recordings, draw, in_markdown, signed


def test_after_two_of_five_epochs_scores_are_those_of_a_training_of_two(
    asd: Callable[..., int], noise: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    areas: list[float] = []

    def area(normal: np.ndarray, anomalous: np.ndarray) -> float:
        areas.append(epochs_auc(normal, anomalous))
        return float(normal.sum() - 2 * anomalous.sum())  # four clips have few areas: this is of every score

    epochs_auc = epochs.auc
    monkeypatch.setattr(epochs, "auc", area)
    rows = list(Recordings(*noise, Setting(0, torch.device("cpu"), "fp32")).measured(5))
    assert sorted({row["epochs"] for row in rows}) == [1, 2, 5]
    (tmp_path / "run").mkdir()
    (tmp_path / "run/features").symlink_to(noise[1])
    where = ("--data", noise[0].parents[1], "--dataset", "noise", "--run", tmp_path / "run", "-q")
    how = ("--epochs", 2, "--hold-out", 0, "--device", "cpu", "--precision", "fp32")
    assert asd("train", "--model", "autoencoder", *how, *where) == 0
    assert asd("score", "--method", "mse", *where) == 0
    scores = [r for r in pq.read_table(tmp_path / "run/scores/mse.parquet").to_pylist() if r["split"] == "test"]
    for machine_type in ("fan", "valve"):
        test = [r for r in scores if r["machine_type"] == machine_type]
        (place,) = (i for i, r in enumerate(rows) if (r["machine_type"], r["epochs"]) == (machine_type, 2))
        signs = [-2 if r["condition"] == "anomaly" else 1 for r in test]
        expected = sum(sign * r["anomaly_score"] for sign, r in zip(signs, test, strict=True))
        assert rows[place]["auc"] == pytest.approx(expected, rel=1e-5)
        assert (rows[place]["normal"], rows[place]["anomalous"], rows[place]["domain"]) == (2, 2, None)
        truth = [r["condition"] == "anomaly" for r in test]
        assert areas[place] == pytest.approx(roc_auc_score(truth, [r["anomaly_score"] for r in test]))


def test_the_chart_and_the_table_show_every_number_of_epochs(tmp_path: Path) -> None:
    drawing.require()
    same = {"dataset": "noise", "windows": 17, "normal": 2, "anomalous": 2}
    domains = (None, "source", "target")
    rows = [
        {**same, "machine_type": "fan", "domain": d, "epochs": e, "auc": 0.5 + e / 1000 + i / 10}
        for e in (1, 20, 200)
        for i, d in enumerate(domains)
    ]
    table = signed(rows, 7)
    draw(table, tmp_path / "epochs.svg")
    text = (tmp_path / "epochs.svg").read_text()
    assert "seed:7" in text and all(word in text for word in (">fan<", ">all test clips<", ">target<", ">100<"))
    assert list(in_markdown(table))[2:] == [
        "| fan | 17 | 2 + 2 | 50.1 | 52.0 | 70.0 |",
        "| fan, source | 17 | 2 + 2 | 60.1 | 62.0 | 80.0 |",
        "| fan, target | 17 | 2 + 2 | 70.1 | 72.0 | 90.0 |",
    ]
