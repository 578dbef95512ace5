"""One planned clip as 16-bit samples: knobs, machine, room, background at the stated SNR."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from asdcli.synthesis.acoustics import background, hear, path
from asdcli.synthesis.machines import MACHINES, Machine
from asdcli.synthesis.plan import PlannedClip
from asdcli.synthesis.rotating import Take
from asdcli.synthesis.seeds import generator
from asdcli.synthesis.signals import SR, Array
from asdcli.vocabulary import Domain

LEVEL = 0.03
"""RMS of a machine at its reference setting, full scale = 1 (-30 dBFS): leaves 30 dB for clicks."""
SPREAD_MACHINE_DB = 0.4
SPREAD_BACKGROUND_DB = 0.5


def render(clip: PlannedClip, n: int, seed: int) -> NDArray[np.int16]:
    """The samples of `clip`, shape `(n,)` at 16 kHz, a function of its path, its plan and `seed` alone."""
    near, hall = parts(clip, n, seed)
    return int16(near + hall)


def int16(wave: Array) -> NDArray[np.int16]:
    """Samples of any shape, full scale = 1, as they are written."""
    return np.round(np.clip(wave, -1.0, 1.0) * 32767).astype(np.int16)


def parts(clip: PlannedClip, n: int, seed: int) -> tuple[Array, Array]:
    """Machine and background as the microphone hears them, each `(n,)`, full scale = 1."""
    machine = MACHINES[clip.machine_type]
    rng = generator("clip", seed, str(clip.path), n)
    dry = machine.sound(_take(clip.machine_type, clip.section, clip.setting, n, rng), _knobs(machine, clip, rng))
    near = hear(dry, path(clip.machine_type, clip.section, clip.setting.get("mic", machine.mic), n))
    near *= LEVEL * _db(SPREAD_MACHINE_DB * rng.standard_normal()) / reference_rms(clip.machine_type, clip.section)
    hall = background(clip.setting.get("bkg", machine.bkg), n, rng)
    hall *= LEVEL * _db(SPREAD_BACKGROUND_DB * rng.standard_normal() - machine.snr_db)
    return near, hall


def _db(db: float) -> float:
    return float(10 ** (db / 20))


def _take(machine_type: str, section: str, setting: dict[str, str], n: int, rng: np.random.Generator) -> Take:
    scale = float(generator("unit", machine_type, section).uniform(0.88, 1.12))
    return Take(n, rng, setting, int(section), scale)


def _knobs(machine: Machine, clip: PlannedClip, rng: np.random.Generator) -> dict[str, float]:
    values = {name: k.healthy * rng.lognormal(0.0, k.spread) for name, k in machine.knobs.items()}
    if clip.fault is not None:
        knob = machine.knobs[clip.fault]
        values[clip.fault] = (knob.severe if clip.degree == "severe" else knob.mild) * rng.lognormal(0.0, 0.1)
    return values


@lru_cache(maxsize=128)
def reference_rms(machine_type: str, section: str) -> float:
    """RMS at the microphone of the healthy machine at its first source setting, before any scaling."""
    machine = MACHINES[machine_type]
    setting, n = machine.settings(Domain.SOURCE)[0], 4 * SR
    rng = generator("reference", machine_type, section)
    knobs = {name: k.healthy for name, k in machine.knobs.items()}
    heard: Array = hear(
        machine.sound(_take(machine_type, section, setting, n, rng), knobs),
        path(machine_type, section, setting.get("mic", machine.mic), n),
    )
    return float(np.sqrt(np.mean(heard**2)))
