"""`smooth`: how scores are averaged over similar samples; `smoothing` computes it, `asd tune` chooses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asdcli.scorers.checks import at_least_one
from asdcli.spec import Registry, always_spelled
from asdcli.vocabulary import Data, Distance

Level = Literal["window", "clip"]
Pool = Literal["section", "machine-type"]
Outside = Literal["smooth", "keep"]
OwnWindows = Literal["in", "out"]

SMOOTHERS = Registry("method", {"smooth": "asdcli.scorers.smooth:Smooth"})


@dataclass(frozen=True)
class Smooth:
    """How scores are smoothed; its spelling follows that of the smoothed method: `mse+smooth:k=128,data=source`.

    Attributes:
        k: K of Eq. 7; one larger than the pool means the whole pool.
        data: whether only source or all test samples may be neighbours.
        level: what a sample is: a window, or a whole clip. Windows are averaged per clip after the smoothing.
        pool: where neighbours are looked for.
        metric: of the embedding space.
        outside: `smooth` the samples that are nobody's neighbour too (target clips where data is source), or `keep`
            their scores.
        own_windows: whether other windows of a clip may be neighbours of its own: `in` as Eq. 7 has it, or `out`.
    """

    k: int = always_spelled(128)
    data: Data = always_spelled("all")
    level: Level = "window"
    pool: Pool = "section"
    metric: Distance = "euclidean"
    outside: Outside = "smooth"
    own_windows: OwnWindows = "in"

    def __post_init__(self) -> None:
        at_least_one(smooth_k=self.k)


KS = tuple(2**i for i in range(12))
CLUSTERS = (1, 2, 4, 8, 16, 32)
"""What `asd tune` tries: K of the smoothing, and clusters of the Gaussian mixture beside it."""

CHOOSE, REPORT = ("00", "01", "02"), ("03", "04", "05")
"""Sections whose labels choose, and sections that are only reported."""
