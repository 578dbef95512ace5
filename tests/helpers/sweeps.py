"""What sweeps are tried with: an engine that works here, one that must not, and methods that obey or refuse."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from asdcli.embedders import Embedding
from asdcli.errors import BadData
from asdcli.scorers import Fitted
from asdcli.sweep.attempts import attempt
from asdcli.sweep.notes import CellReport
from asdcli.sweep.work import Site, Work
from tests.helpers.in_blocks import InBlocks

HERE, NOWHERE = (f"{__name__}:{name}" for name in ("Here", "Nowhere"))
OBEDIENT, EMBEDDER = (f"{__name__}:{name}" for name in ("Obedient", "ObedientInBlocks"))
ORDER = "order"
"""A file of the working folder: what a method does the next time it is fitted."""


@dataclass(frozen=True)
class Here:
    """Works in this process."""

    workers: int = 1

    def run(self, phases: Sequence[Sequence[Work]], site: Site, *, retry: int = 0) -> Generator[CellReport, None, None]:
        for work in chain.from_iterable(phases):
            yield attempt(work, site)


@dataclass(frozen=True)
class Nowhere:
    """Is not to be asked for anything."""

    workers: int = 1

    def run(self, phases: Sequence[Sequence[Work]], site: Site, *, retry: int = 0) -> Generator[CellReport, None, None]:
        raise AssertionError(phases)
        yield


@dataclass(frozen=True)
class Obedient:
    """The distance from the mean; but first it does, once, what the file `order` says."""

    def fit(self, unit: Any) -> Fitted:
        _obey()
        return Fitted(self, {"mean": unit.train.raw.mean(axis=0)})

    def score(self, learnt: Mapping[str, Any], windows: Any) -> np.ndarray:
        return np.linalg.norm(windows.raw - learnt["mean"], axis=1)


@dataclass(frozen=True)
class ObedientInBlocks:
    """Embeds as `InBlocks`, machine types cut; but first it does, once, what the file `order` says."""

    features: ClassVar[str] = InBlocks.features
    trained: ClassVar[bool] = InBlocks.trained
    in_blocks: ClassVar[bool] = InBlocks.in_blocks

    def embed(self, pack: Any, is_train: np.ndarray) -> Embedding:
        _obey()
        return InBlocks().embed(pack, is_train)


def _obey() -> None:
    order = Path(ORDER)
    what = order.read_text() if order.exists() else ""
    order.unlink(missing_ok=True)
    if what == "die with who started it":
        os.kill(os.getppid(), signal.SIGKILL)
    if what.startswith("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "refuse":
        raise BadData("nothing can be made of this", "bring something else")
    if what == "stumble":
        raise ZeroDivisionError("by nought")
