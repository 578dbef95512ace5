"""One unit: the training windows that make its reference set, its test windows, and its seeds."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, replace

import numpy as np

from asdcli.scorers.reference import Reference
from asdcli.scorers.vectors import Vectors


@dataclass(frozen=True, eq=False)
class Unseen:
    """Training windows that no model has seen, to be scored as windows of new clips are.

    Attributes:
        unit: the unit without all clips of their groups.
        windows: these windows.
    """

    unit: UnitVectors
    windows: Vectors

    def of_columns(self, columns: np.ndarray) -> Unseen:
        return Unseen(self.unit.of_columns(columns), self.windows.of_columns(columns))


@dataclass(frozen=True, eq=False)
class UnitVectors:
    """What a scorer may see of a unit: no condition, and the domains of training windows only.

    Rows come in an order that does not depend on how the clips were listed (the stage sorts them by clip_id), so that
    seeded draws do not either.
    """

    name: str
    train: Vectors
    test: Vectors
    is_target: np.ndarray  # (n_train,) bool; False also where the domain is unknown
    n_sections: int = 1  # sections among the training clips
    seed: int = 0
    unknown_domain: bool = False  # some training windows have no domain
    rules: tuple[str, ...] = ()  # fallbacks taken before any method saw the unit
    left_out: tuple[Unseen, ...] = ()  # the training windows that no model has seen
    bands: np.ndarray | None = None  # (n_bands, width) dimensions of each band of frequencies, lowest first
    brought: bool = False  # the vectors are somebody's own, of which nobody says anything
    device: str = "cpu"  # where float32 products are made, see `backends.backend`: speed, not results

    def of_columns(self, columns: np.ndarray) -> UnitVectors:
        """The unit with these of the vectors' dimensions alone, as if there were no others."""
        train, test = self.train.of_columns(columns), self.test.of_columns(columns)
        left_out = tuple(one.of_columns(columns) for one in self.left_out)
        rules = ("zero-norm",) * (train.has_zero or test.has_zero)
        return replace(self, train=train, test=test, left_out=left_out, rules=rules, bands=None)

    @functools.cached_property
    def reference(self) -> Reference:
        """All training windows, source and target: the reference set of every method that does not resample."""
        return Reference(self.train, keep=True, device=self.device)

    @property
    def domain_rules(self) -> list[str]:
        """What a method that needs domain labels must say."""
        return ["unknown-domain"] * self.unknown_domain

    def seed_for(self, purpose: str) -> int:
        """A seed in [0, 2**32) of its own for each (seed, unit, purpose): other units and methods change nothing."""
        text = f"{self.seed}|{self.name}|{purpose}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
