"""What a stage did: the file it made or found current, what it had to leave out; and where scores go."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Outcome:
    """The result of one stage for one output.

    `current` means that the output was already there, made of the same inputs in the same way, and nothing was done.
    `facts` are counts and figures worth telling (clips, seconds, rates).
    """

    path: Path
    status: Literal["done", "current"] = "done"
    skipped: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
