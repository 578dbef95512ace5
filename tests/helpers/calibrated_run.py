"""A run with scores alone whose normal clips are scored as it is asked for: what thresholds and p-values stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asdcli.filenames import stem
from tests.helpers.score_files import write_clips, write_scores

Rows = list[dict[str, Any]]
Scores = Mapping[str, Sequence[float]]
"""`train/source/normal`, `test//normal` (no domain), `test/target/` (no condition) -> scores of clips."""


def rows(machine_type: str, clips: Scores, *, scored_as: str | None = "left-out group", groups: int = 3) -> Rows:
    """Clips of a machine type, with their scores; the i-th training clip is of group i mod `groups`."""
    found = []
    for place, scores in clips.items():
        split, domain, condition = place.split("/")
        for i, score in enumerate(scores):
            row = {
                "clip_id": f"{machine_type}/{split}/{domain}-{condition}-{i:04d}",
                "machine_type": machine_type,
                "section": "00",
                "subset": "dev",
                "split": split,
                "domain": domain or None,
                "condition": condition or None,
                "group": f"week {i % groups}" if split == "train" else None,
                "scored_as": scored_as if split == "train" else None,
            }
            found.append((row, score))
    return [{**row, "score": score} for row, score in found]


def make(clips: Rows, methods: Sequence[str] = ("nn",), name: str = "mine", *, data: Path = Path("data")) -> None:
    """`data/mine` and `runs/mine/scores`, each method with the scores that its clips have."""
    (data / name).mkdir(parents=True, exist_ok=True)
    (data / "current").write_text(f"{name}\n")
    labels = [{k: v for k, v in row.items() if k not in ("score", "scored_as")} for row in clips]
    header = write_clips(data, name, labels, layout="folders")
    for method in methods:
        own = [{k: v for k, v in row.items() if k != "score"} for row in clips]
        path = Path(f"runs/{name}/scores/{stem(method)}.parquet")
        write_scores(path, own, [row["score"] for row in clips], header, method)


def random_rows(
    machine_types: Sequence[str], n: int = 20, scored_as: Callable[[str], str | None] = lambda _: "left-out group"
) -> Rows:
    """Training clips of both domains, n normal and n anomalous test clips of each, and n without a label."""
    rng = np.random.default_rng(0)
    places = (
        "train/source/normal",
        "train/target/normal",
        *(f"test/{d}/{c}" for d in ("source", "target") for c in _C),
    )
    return [
        row
        for m in machine_types
        for row in rows(
            m, {p: rng.gamma(3, size=n) + 2 * p.endswith("anomaly") for p in places}, scored_as=scored_as(m)
        )
    ]


_C = ("normal", "anomaly", "")
