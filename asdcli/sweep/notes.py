"""What a run of a sweep says of itself in `sweep.json`: the step it is at, how long it took, and why it failed.

Whether it is done is not asked of this note but of its files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from asdcli import artifacts
from asdcli.errors import AsdError
from asdcli.files import read_json

NAME = "sweep.json"


@dataclass(frozen=True)
class Mistake:
    """Why an attempt ended before its time: the kind, message and hint of an error, and where it came from in a bug."""

    kind: str
    message: str
    hint: str | None = None
    trace: str | None = None

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


@dataclass(frozen=True)
class SweepNote:
    """What is noted of the last attempt.

    Attributes:
        plan: of which sweep.
        step: at which it is, or ended; empty before the first.
        seconds: that it took; None while it is at work.
        attempts: how many there were, this one included.
        error: why it failed.
        warnings: what the steps said.
    """

    plan: str
    step: str = ""
    seconds: float | None = None
    attempts: int = 1
    error: Mistake | None = None
    warnings: tuple[str, ...] = ()

    def write(self, run: Path) -> None:
        """Write it into the folder of the run."""
        with artifacts.atomic(run / NAME, durable=False) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def read(run: Path) -> SweepNote | None:
    """The note of a run; None where there is none that can be read: it is for people, and nothing hangs on it."""
    try:
        said = read_json(run / NAME)
        error = said["error"]
        return SweepNote(**{**said, "error": error and Mistake(**error), "warnings": tuple(said["warnings"])})
    except (OSError, ValueError, TypeError, KeyError, AsdError):
        return None


@dataclass(frozen=True)
class CellReport:
    """What came of one piece of work.

    Attributes:
        name: of the cell, or of the packs of a dataset.
        state: `done`; `current`: there was nothing to do; `failed`; `busy`: somebody else is at it.
        seconds: that it took.
        error: why it failed, or who is at it.
        warnings: what the steps said.
    """

    name: str
    state: str
    seconds: float = 0.0
    error: Mistake | None = None
    warnings: tuple[str, ...] = field(default=())

    @staticmethod
    def of(said: Mapping[str, Any]) -> CellReport:
        """The report of which `asdict` made this."""
        error = said["error"]
        return CellReport(**{**said, "error": error and Mistake(**error), "warnings": tuple(said["warnings"])})
