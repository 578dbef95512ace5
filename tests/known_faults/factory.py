"""Faults of the synthetic factory (`asdcli.synthesis`) of which the rate or the band is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from asdcli.synthesis.machines import MACHINES
from asdcli.synthesis.plan import PlannedClip
from asdcli.synthesis.render import render
from asdcli.synthesis.rotating import BPFI, BPFO, BSF
from asdcli.synthesis.signals import SR
from asdcli.vocabulary import Domain

Setting = Mapping[str, str]


@dataclass(frozen=True)
class Known:
    """What is known of a fault: the rate of its pulses, or the band (Hz) in which the middle of what is louder lies."""

    machine_type: str
    fault: str
    rate_hz: Callable[[Setting], float] | None = None
    band_hz: tuple[float, float] | None = None


def _turns(key: str, order: float = 1.0, *, per_minute: bool = True) -> Callable[[Setting], float]:
    return lambda setting: order * float(setting[key]) / (60 if per_minute else 1)


FAULTS = (
    Known("bearing", "outer_race", _turns("vel", BPFO, per_minute=False)),
    Known("bearing", "inner_race", _turns("vel", BPFI, per_minute=False)),
    Known("bearing", "ball", _turns("vel", 2 * BSF, per_minute=False)),
    Known("bearing", "dry", band_hz=(2000, 8000)),
    Known("fan", "outer_race", _turns("spd", BPFO)),
    Known("fan", "rubbing", _turns("spd")),
    Known("gearbox", "inner_race", _turns("spd", BPFI)),
    Known("gearbox", "tooth", _turns("spd", 23 / 41)),
    Known("gearbox", "dry", band_hz=(2000, 8000)),
    Known("pump", "outer_race", _turns("spd", BPFO)),
    Known("pump", "leak", band_hz=(2500, 8000)),
    Known("compressor", "knock", _turns("spd")),
    Known("compressor", "leak", band_hz=(2500, 8000)),
)


def settings(machine_type: str) -> list[dict[str, str]]:
    """The first two operating states of the source domain."""
    return MACHINES[machine_type].settings(Domain.SOURCE)[:2]


def recording(
    machine_type: str, setting: dict[str, str], number: int, known: Known | None = None, degree: str | None = None
) -> np.ndarray:
    """(n_samples,) int16, six seconds of one machine, healthy or with a fault (`mild`, `severe`)."""
    name = PurePosixPath(machine_type, "-".join(setting.values()), f"{number}")
    fault = known.fault if known else None
    clip = PlannedClip(name, machine_type, "00", Domain.SOURCE, setting, fault, degree)
    return render(clip, 6 * SR, 0)
