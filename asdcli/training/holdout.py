"""Which training clips are held out: the smoothing paper trains on 85 % of the source and two of three target clips."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from asdcli.training.seeds import derive
from asdcli.vocabulary import Domain

SHARE = 0.15


def held_out(clips: pa.Table, seed: int) -> np.ndarray:
    """(n_clips,) bool: a random 15 % of each machine type, section and domain, but at least one of three target clips.

    A group of one or two clips is trained on whole. Other groups and the order of the clips change nothing.
    """
    keys = zip(*(clips[c].to_pylist() for c in ("machine_type", "section", "domain")), strict=True)
    ids = clips["clip_id"].to_pylist()
    groups: dict[tuple, list[int]] = {}
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    out = np.zeros(len(clips), bool)
    for key, rows in groups.items():
        n = round(SHARE * len(rows))
        if key[2] == str(Domain.TARGET) and len(rows) >= 3:
            n = max(n, 1)
        rng = np.random.default_rng(derive(seed, "held-out", *(str(part) for part in key)))
        ordered = sorted(rows, key=lambda r: ids[r])
        out[rng.choice(ordered, n, replace=False)] = True
    return out
