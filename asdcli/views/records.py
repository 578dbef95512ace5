"""What of a run people look at in a tracker: the curves of its trainings, how they were made, its official scores."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asdcli import artifacts
from asdcli.errors import AsdError
from asdcli.metrics.specs import OFFICIAL
from asdcli.progress import Progress
from asdcli.views.epochs import read_epochs

Params = dict[str, str | int | float | bool]
Curves = dict[str, list[tuple[int, float]]]


def curves(metrics: Path, prefix: str, progress: Progress) -> Curves:
    """Every number of a metrics.jsonl by epoch, from 1; what is not finite is left out.

    Args:
        metrics: the file.
        prefix: what the names of the curves begin with.
        progress: is told of lines left out.

    Raises:
        BadArtifact: as `read_epochs`.
    """
    found: Curves = {}
    for row in read_epochs(metrics, progress):
        for name, value in row.items():
            if name != "epoch" and isinstance(value, (int, float)) and math.isfinite(value):
                found.setdefault(f"{prefix}/{name}", []).append((row["epoch"], float(value)))
    return found


def params(model: Path, prefix: str) -> Params:
    """How a model was made; nothing of one that is still being trained."""
    try:
        header = artifacts.read_header(model, artifacts.MODEL)
    except AsdError:
        return {}
    told: dict[str, Any] = {"seed": header.seed, **header.params}
    return {"dataset": header.dataset, **{f"{prefix}/{n}": _plain(v) for n, v in told.items() if v is not None}}


def official(results: Path) -> dict[str, float]:
    """The official scores of results.parquet: `official/dev/nn`, and `machine_types/fan/dev/nn`.

    Raises:
        BadArtifact: not results.
    """
    table, _ = artifacts.read_table(results, artifacts.RESULTS)
    rows = [row for row in table.to_pylist() if row["term"] == OFFICIAL and row["section"] is None]
    return {"/".join(_place(row)): row["value"] for row in rows}


def _place(row: Mapping[str, Any]) -> list[str]:
    """No name is the beginning of another: some trackers keep them as files in folders."""
    own = ["official"] if row["machine_type"] is None else ["machine_types", row["machine_type"]]
    return [*own, row["subset"], row["method"]]


def _plain(value: Any) -> str | int | float | bool:
    return value if isinstance(value, (str, int, float, bool)) else json.dumps(value)
