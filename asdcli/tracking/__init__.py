"""Trackers: what people compare trainings in, and what of a run goes there.

metrics.jsonl and results.parquet stay the truth; a tracker holds a copy, and is never read back. A newcomer is one
file, a frozen dataclass with the attributes and methods of `Tracker`, and one line in `TRACKERS`. Its package is an
extra, and is imported by nobody before something is exported to it.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from asdcli.errors import AsdError
from asdcli.spec import Registry

TRACKERS = Registry(
    "tracker",
    {
        "tensorboard": "asdcli.tracking.tensorboard:TensorBoard",
        "mlflow": "asdcli.tracking.mlflow:MLflow",
        "wandb": "asdcli.tracking.wandb:WandB",
        "trackio": "asdcli.tracking.trackio:Trackio",
    },
    group="asdcli.tracking",
    needs=("package", "place", "held", "write"),
)
PROJECT = "asd"
"""What exported runs are gathered under, where a tracker has such a thing."""


@dataclass(frozen=True)
class Tracked:
    """What of a run goes to a tracker.

    Attributes:
        name: of the run.
        params: how it was made: numbers, truth values and texts.
        curves: name of a curve -> (step, value), a step an epoch, from 1.
        summary: name of a result -> its value.
    """

    name: str
    params: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    curves: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    summary: Mapping[str, float] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Of all of it: what a tracker remembers, to know what it has."""
        return hashlib.blake2b(json.dumps(asdict(self), sort_keys=True).encode(), digest_size=16).hexdigest()

    @property
    def by_step(self) -> dict[int, dict[str, float]]:
        """Step -> name -> value, in order."""
        steps: dict[int, dict[str, float]] = {}
        for name, points in self.curves.items():
            for step, value in points:
                steps.setdefault(step, {})[name] = value
        return dict(sorted(steps.items()))


class Tracker(Protocol):
    """One of them. Nothing it does leaves this machine.

    Attributes:
        package: the module that it is written with.
        place: where it keeps runs unless somebody says another place, below `tracking/`.
    """

    package: ClassVar[str]
    place: ClassVar[str]

    def held(self, name: str, place: Path) -> str | None:
        """The digest of the record that the tracker has under this name; None where it has none."""
        ...

    def write(self, record: Tracked, place: Path, *, force: bool = False) -> None:
        """Put a record there, in the place of one of the same name."""
        ...


def require(name: str, tracker: Tracker) -> None:
    """Raises AsdError where the tracker's package is not installed or cannot be imported."""
    hint = f"install it beside asd: pip install 'asdcli[{name}]'"
    try:
        importlib.import_module(tracker.package)
    except ModuleNotFoundError as error:
        raise AsdError(f"{name} is not installed: there is no module {error.name}", hint) from None
    except ImportError as error:
        raise AsdError(f"{name} cannot be imported: {str(error).partition(chr(10))[0]}", hint) from None
