"""Machines that turn: fan, gearbox, bearing, pump.

A sound function takes a `Take` and the machine's knobs (fault name → value; a healthy machine has small ones, see
`machines.py`) and returns the dry sound, shape `(n_samples,)`. Orders are cycles a turn of the first shaft.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from asdcli.synthesis.signals import (
    SR,
    Array,
    Resonance,
    impulses,
    mains,
    merged,
    noise,
    orders,
    passings,
    pulses,
    revolutions,
    ring,
    series,
    slow_noise,
    swell,
    with_sidebands,
)

Knobs = Mapping[str, float]

BPFO, BPFI, BSF, CAGE = 3.58, 5.42, 2.32, 0.398
"""Defect orders of a deep-groove ball bearing with 9 balls: outer race, inner race, ball spin, cage."""
BEARING_MODES: tuple[Resonance, ...] = ((2900.0, 0.0022, 1.0), (4700.0, 0.0015, 0.8), (6400.0, 0.001, 0.5))
CASING_MODES: tuple[Resonance, ...] = ((780.0, 0.008, 0.7), (1900.0, 0.004, 1.0), (3300.0, 0.003, 0.6))


@dataclass(frozen=True)
class Take:
    """One recording: its length, its randomness, the attribute values, and which unit of the product stands there.

    `unit` picks tooth and blade counts; `scale` multiplies the frequencies of the unit's resonances.
    """

    n: int
    rng: np.random.Generator
    setting: Mapping[str, str]
    unit: int = 0
    scale: float = 1.0

    def number(self, key: str) -> float:
        return float(self.setting[key])

    def shaft(self, hz: float, spread: float = 0.008, jitter: float = 0.003) -> Array:
        """Revolutions of a shaft whose speed differs from the nominal one by `spread` from clip to clip."""
        return revolutions(self.n, hz * (1.0 + spread * self.rng.uniform(-1.7, 1.7)), self.rng, jitter)


def outer_race(take: Take, revs: Array, strength: float, order: float = BPFO) -> Array:
    """Balls rolling over a pit in the outer race: impacts at BPFO times the shaft speed, all about equally hard."""
    at = passings(revs, order, take.rng, slip=0.01)
    blows = impulses(take.n, at, strength * take.rng.lognormal(0.0, 0.2, at.shape))
    return ring(blows, BEARING_MODES, take.scale)


def inner_race(take: Take, revs: Array, strength: float) -> Array:
    """A pit in the inner race: impacts at BPFI, hardest once a turn when the pit passes the load zone."""
    at = passings(revs, BPFI, take.rng, slip=0.01)
    turn = np.interp(at, np.arange(take.n), revs)
    load = np.maximum(0.15, 0.6 + 0.6 * np.cos(2 * np.pi * turn))
    return ring(impulses(take.n, at, strength * load), BEARING_MODES, take.scale)


def rubbing(take: Take, revs: Array, strength: float) -> Array:
    """A rotor touching its housing: a scrape over a part of each turn, its pressure wandering."""
    scrape = noise(take.n, take.rng, ((300, -20), (1500, 0), (4500, -2), (8000, -12)))
    pressure = 1.0 + 0.4 * slow_noise(take.n, take.rng, 2.0)
    return strength * scrape * pulses(revs, 0.25) * pressure


def fan(take: Take, knobs: Knobs) -> Array:
    """Axial fan: shaft orders, blade pass, turbulent flow that breathes with the blades, motor hum.

    Knobs: imbalance (1x amplitude; breathing of flow and blades), blade (sidebands of a bent blade around the blade
    pass), outer_race, rubbing, clogging (decibels lost above 1 kHz and won below by a blocked inlet).
    """
    hz = take.number("spd") / 60
    blades = (7, 5, 9, 6, 8, 11)[take.unit % 6]
    speed = hz / 25.0
    revs = take.shaft(hz)
    # a whirling rotor loads its blades unevenly, as one bent blade does, only less
    uneven = float(np.hypot(knobs["blade"], 0.4 * knobs["imbalance"]))
    blade_pass = with_sidebands(series(blades, 0.42 * take.rng.lognormal(0.0, 0.12), 8, 1.1), 1, uneven, 2)
    shaft = {1: knobs["imbalance"], 2: 0.06 + 0.25 * knobs["imbalance"], 3: 0.04}
    clog = knobs["clogging"]
    curve = ((60, 2 + clog), (350 * speed, clog), (1000 * speed, -4), (2500 * speed, -11 - clog), (8000, -26 - clog))
    flow = noise(take.n, take.rng, curve, tilt_db=0.15 * take.rng.standard_normal())
    flow *= swell(revs, blades, 0.25) * swell(revs, 1, min(0.8, 0.5 * knobs["imbalance"]))
    hum = mains(take.n, take.rng, {2: 0.12, 4: 0.06, 6: 0.03})
    turning = orders(revs, merged(shaft, blade_pass))
    defects = outer_race(take, revs, knobs["outer_race"]) + rubbing(take, revs, knobs["rubbing"])
    return speed**1.5 * (turning + 0.8 * flow) + hum + defects


def gearbox(take: Take, knobs: Knobs) -> Array:
    """Two spur gears: mesh harmonics that grow with load, sidebands of both shafts, rolling and churning noise.

    Knobs: wear (sideband depth and growth of the higher mesh harmonics), tooth (impact once a turn of the output
    shaft), misalignment (2x of the input shaft), inner_race, dry (loss of lubricant: broadband above 2 kHz).
    """
    hz, load = take.number("spd") / 60, take.number("load") / 100
    pinion = (23, 19, 27, 21, 25, 17)[take.unit % 6]
    wheel = (41, 37, 47, 53, 43, 35)[take.unit % 6]
    ratio = pinion / wheel
    revs = take.shaft(hz, jitter=0.003 + 0.002 * load)
    wear = knobs["wear"]
    mesh = series(pinion, (0.4 + 0.3 * load) * take.rng.lognormal(0.0, 0.12), 9, 1.7 - 0.9 * load)
    mesh = {o: rms * (1.0 + wear * (o > pinion)) for o, rms in mesh.items()}
    shaft = {1: 0.1, 2: knobs["misalignment"], 3: 0.5 * knobs["misalignment"], 4: 0.03}
    sound = orders(revs, merged(shaft, with_sidebands(mesh, 1, wear)))
    # the wheel's own once-per-turn error modulates the mesh at the output shaft's order, which is no whole number
    sound = sound * swell(revs, ratio, min(0.9, 0.1 + 0.6 * knobs["tooth"]))
    rolling = noise(take.n, take.rng, ((60, -4), (500, 0), (1500, -8), (8000, -26)), 0.15 * take.rng.standard_normal())
    churning = noise(take.n, take.rng, ((1000, -30), (2200, -4), (5000, 0), (8000, -8)))
    at = passings(revs, ratio, take.rng)
    blows = impulses(take.n, at, 8.0 * knobs["tooth"] * take.rng.lognormal(0.0, 0.15, at.shape))
    steady = (0.3 + 0.1 * load) * rolling * (hz / 20) + knobs["dry"] * churning * swell(revs, pinion, 0.5)
    return sound + steady + ring(blows, CASING_MODES, take.scale) + inner_race(take, revs, knobs["inner_race"])


def bearing(take: Take, knobs: Knobs) -> Array:
    """A bearing test rig: drive orders, rolling noise coloured by the housing, faint impacts of healthy races.

    Knobs: outer_race, inner_race, ball (impacts at twice the ball spin, in and out of the load zone with the cage),
    dry (loss of grease: high-frequency rolling noise), dirt (random impacts of particles).
    """
    hz = take.number("vel")
    revs = take.shaft(hz)
    speed = hz / 20.0
    drive = orders(revs, {1: 0.2, 2: 0.12, 3: 0.05, 6: 0.1, 12: 0.06, 24: 0.03})
    curve = ((50, -2), (400 * speed, 0), (1800, -7), (2900 * take.scale, -3), (4000, -14), (8000, -24))
    rolling = noise(take.n, take.rng, curve, 0.15 * take.rng.standard_normal())
    rolling = rolling * swell(revs, CAGE, 0.15) * speed**1.2
    hiss = noise(take.n, take.rng, ((1000, -24), (2600, -2), (6000, 0), (8000, -6)))
    at = passings(revs, 2 * BSF, take.rng, slip=0.015)
    cage = np.interp(at, np.arange(take.n), revs) * CAGE
    ball = ring(
        impulses(take.n, at, knobs["ball"] * (0.55 + 0.45 * np.cos(2 * np.pi * cage))), BEARING_MODES, take.scale
    )
    grains = take.rng.poisson(6.0 * take.n / SR)
    dirt = impulses(take.n, take.rng.uniform(0, take.n, grains), knobs["dirt"] * take.rng.lognormal(0.0, 0.7, grains))
    races = outer_race(take, revs, knobs["outer_race"]) + inner_race(take, revs, knobs["inner_race"])
    return drive + 0.7 * rolling + knobs["dry"] * hiss * speed + races + ball + ring(dirt, BEARING_MODES, take.scale)


def pump(take: Take, knobs: Knobs) -> Array:
    """Vane pump: shaft and vane-pass orders, flow noise that grows with pressure.

    Knobs: cavitation (crackling of bubbles, in bursts), leak (steady hiss), vane (sidebands of a worn vane),
    imbalance (1x amplitude), outer_race.
    """
    hz, bar = take.number("spd") / 60, take.number("bar")
    vanes = (6, 7, 5, 8, 9, 4)[take.unit % 6]
    revs = take.shaft(hz)
    vane_pass = series(vanes, (0.2 + 0.06 * bar) * take.rng.lognormal(0.0, 0.12), 12, 0.9)
    shaft = {1: knobs["imbalance"], 2: 0.08 + 0.3 * knobs["imbalance"]}
    sound = orders(revs, merged(shaft, with_sidebands(vane_pass, 1, knobs["vane"], 2)))
    curve = ((60, -6), (300, -2), (900 + 60 * bar, 0), (2500, -8), (8000, -24))
    flow = noise(take.n, take.rng, curve, 0.15 * take.rng.standard_normal()) * swell(revs, vanes, 0.3)
    bubbles = take.rng.poisson(400.0 * take.n / SR)
    burst = np.exp(0.8 * slow_noise(take.n, take.rng, 12.0))
    crackle = impulses(take.n, take.rng.uniform(0, take.n, bubbles), take.rng.lognormal(0.0, 0.8, bubbles)) * burst
    crackle = ring(crackle, ((2400.0, 0.0008, 1.0), (4200.0, 0.0006, 1.0), (6100.0, 0.0005, 0.8)), take.scale)
    hiss = noise(take.n, take.rng, ((800, -30), (3000, -6), (5500, 0), (8000, -3)))
    steady = (0.25 + 0.06 * bar) * flow + knobs["leak"] * hiss
    return sound + steady + knobs["cavitation"] * crackle + outer_race(take, revs, knobs["outer_race"])
