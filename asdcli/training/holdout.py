"""What is held out of the training: clips by the smoothing paper, single vectors by the organisers' baseline.

The paper trains on 85 % of the source and two of three target clips, the baseline on nine tenths of all vectors.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch

from asdcli.training.seeds import derive, generator
from asdcli.vocabulary import Domain

SHARE = 0.15
_OF_VECTORS = 0.1


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


def vectors_kept(n_vectors: int, seed: int, machine_type: str) -> np.ndarray:
    """Places, in no order, of the nine tenths of a machine type's training vectors that the baseline trains on.

    The vectors are counted over its training clips in the order of their pack. The organisers' code takes the
    covariance of the residuals over the same nine tenths, and so does `selective-mahalanobis`.
    """
    order = torch.randperm(n_vectors, generator=generator(seed, "held-out", machine_type)).numpy()
    return order[round(_OF_VECTORS * n_vectors) :]
