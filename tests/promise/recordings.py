"""Recordings of one healthy fan of the synthetic factory: as many as are asked for, each drawn anew."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from asdcli.synthesis.machines import MACHINES
from asdcli.synthesis.plan import PlannedClip
from asdcli.synthesis.render import render
from asdcli.synthesis.signals import SR
from asdcli.vocabulary import Domain
from tests.helpers.machines import write

FAN = "fan"
DAYS = 20


def record(folder: Path, month: str, n: int, *, seconds: float, seed: int) -> Path:
    """`n` recordings of a month (`2024-10`) in `folder`, which is returned; those that are there are left alone.

    On each of 20 days the fan runs through its operating states of the source domain. What is random of a recording
    hangs on the seed, the month and its number alone, so that two months have nothing in common but the machine.
    """
    a_day = max(-(-n // DAYS), 1)
    settings = MACHINES[FAN].settings(Domain.SOURCE)
    for i in range(n):
        name = f"{month}-{1 + i // a_day:02d}_{i % a_day:02d}.wav"
        if not (folder / name).exists():
            setting = settings[i % len(settings)]
            clip = PlannedClip(PurePosixPath("promise", name), FAN, "00", Domain.SOURCE, setting)
            write(folder / name, render(clip, round(seconds * SR), seed))
    return folder
