"""The line that says what a stage did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asdcli.outcome import Outcome


@dataclass(frozen=True)
class Facts:
    clips: int
    machine_types: int
    seconds: float = 1.0
    edition: str = "dcase2023"


def test_one_of_a_thing_is_named_as_one() -> None:
    assert (
        str(Outcome(Path("a"), facts=Facts(1, 2))) == "wrote a: 1 clip, 2 machine types, 1.0 seconds, edition dcase2023"
    )
    assert (
        str(Outcome(Path("a"), facts=Facts(0, 1))) == "wrote a: 0 clips, 1 machine type, 1.0 seconds, edition dcase2023"
    )
