"""`fuse`: how the scores of several methods become one; `fusing` computes it, `asd fuse` writes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from asdcli.errors import UsageError
from asdcli.spec import Registry, always_spelled

By = Literal["z", "rank", "min", "mean"]

DEV = "dev"
"""Stands for weights that are chosen by the labels of the development machines."""
FUSED = "+fuse:"
"""What stands in the spelling of every fused method."""

FUSIONS = Registry("method", {"fuse": "asdcli.scorers.fuse:Fuse"})


@dataclass(frozen=True)
class Fuse:
    """How scores are fused; its spelling follows those of its parts: `nn+mse+fuse:by=z,weights=0.7_0.3`.

    Attributes:
        by: `z`, the mean of the parts' z-scores; `rank`, the mean of their ranks; `min`, the smallest z-score; `mean`,
            the mean of the scores as they are, for parts that share one scale.
        weights: one a part, `0.7_0.3`, of which only the ratios count; None means equal ones; `dev` those that are
            chosen by the labels of the development machines.
        transductive: z-scores and ranks are among the test clips, of which a system that hears one clip has none.
        runs: how many runs the parts are of, where several bear one spelling.
    """

    by: By = always_spelled("z")
    weights: str | None = None
    transductive: bool = False
    runs: int | None = None

    def __post_init__(self) -> None:
        if self.weights is not None and self.by == "min":
            raise UsageError("the smallest z-score has no weights", "leave them out, or fuse --by z")
        if self.transductive and self.by == "mean":
            raise UsageError("a mean of scores as they are looks at no other clips", "leave --transductive out")
        if self.weights not in (None, DEV):
            object.__setattr__(self, "weights", written_weights(read_weights(str(self.weights))))

    @property
    def normalises(self) -> bool:
        """Whether scores are held against those of other clips."""
        return self.by != "mean"

    def shares(self, n_parts: int) -> list[float]:
        """The weight of each part, which sum to one.

        Raises:
            UsageError: there are fewer or more weights than parts.
        """
        weights = [1.0] * n_parts if self.weights in (None, DEV) else read_weights(str(self.weights))
        if len(weights) != n_parts:
            raise UsageError(f"there are {len(weights)} weights for {n_parts} parts", "give each part one, in order")
        return [weight / math.fsum(weights) for weight in weights]


def read_weights(text: str) -> list[float]:
    """Weights that are written `0.7_0.3` or, where a comma is no part of a spelling, `0.7,0.3`.

    Raises:
        UsageError: one is no finite number of at least 0, or none is above 0.
    """
    try:
        weights = [float(word) for word in text.replace(",", "_").split("_")]
    except ValueError:
        weights = [math.nan]
    if not all(math.isfinite(w) and w >= 0 for w in weights) or not any(weights):
        raise UsageError(f"cannot read weights {text!r}", "write one number a part, none below 0: --weights 0.7,0.3")
    return weights


def written_weights(weights: Sequence[float]) -> str | None:
    """Weights as shares of one, to six places: `0.7_0.3`; None where all are alike."""
    shares = [f"{round(weight / math.fsum(weights), 6):.12g}" for weight in weights]
    return "_".join(shares) if len(set(shares)) > 1 else None


def spelled(parts: Sequence[str], fuse: Fuse) -> str:
    """`nn+mse+fuse:by=z`: the spellings of the parts, each once, and how they are fused."""
    return "+".join((*dict.fromkeys(parts), FUSIONS.spell(fuse)))


def unspelled(spelling: str) -> tuple[list[str], Fuse] | None:
    """The parts of a fused method of one run and how they are fused; None where it is the spelling of no fusion.

    Raises:
        UsageError: an unknown or unusable parameter of the fusion.
    """
    parts, mark, how = spelling.rpartition(FUSED)
    return (parts.split("+"), FUSIONS.build(mark[1:] + how)) if mark and parts else None
