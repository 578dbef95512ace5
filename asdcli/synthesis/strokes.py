"""Machines that come and go: valve, slider, compressor. Same contract as `rotating.py`."""

from __future__ import annotations

import numpy as np

from asdcli.synthesis.rotating import Knobs, Take, outer_race
from asdcli.synthesis.signals import (
    SR,
    Array,
    Resonance,
    crossings,
    gate,
    impulses,
    mains,
    noise,
    orders,
    pulses,
    ring,
    series,
    swell,
    with_sidebands,
)

PATTERNS = {"00": (0.6,), "01": (0.4, 0.4, 1.0), "02": (0.5, 0.68)}
"""Valve programmes: seconds from each stroke to the next, over and over. The valve is open for OPEN_S of each."""
OPEN_S = 0.25
PLUNGER: tuple[Resonance, ...] = ((2300.0, 0.006, 1.0), (4100.0, 0.004, 0.7), (900.0, 0.015, 0.35))
SEAT: tuple[Resonance, ...] = ((1500.0, 0.008, 1.0), (3100.0, 0.005, 0.6), (520.0, 0.02, 0.5))
END_STOP: tuple[Resonance, ...] = ((180.0, 0.03, 1.0), (420.0, 0.02, 0.8), (1300.0, 0.008, 0.4))
LOOSE_PART: tuple[Resonance, ...] = ((1100.0, 0.006, 0.7), (2700.0, 0.004, 1.0))
PISTON: tuple[Resonance, ...] = ((95.0, 0.04, 1.0), (230.0, 0.025, 0.9), (610.0, 0.01, 0.4))
REED: tuple[Resonance, ...] = ((1250.0, 0.006, 0.8), (2600.0, 0.004, 1.0), (4400.0, 0.002, 0.5))


def valve(take: Take, knobs: Knobs) -> Array:
    """Solenoid valve: plunger click, flow while open, seat click, in one of several programmes.

    Knobs: missed (probability that a stroke does not come), sticking (mean delay of opening in seconds, with a
    softer click), leak (flow while closed), bounce (second seat click), weak (spring fatigue: share of the seat
    click's force and pitch that is lost).
    """
    n, rng = take.n, take.rng
    steps = np.array(PATTERNS[take.setting["pat"]]) * SR * rng.normal(1.0, 0.004)
    rounds = int(n / steps.sum()) + 2
    starts = np.cumsum(np.tile(steps, rounds)) - (1.0 + rng.random()) * steps.sum()
    starts = starts + rng.normal(0.0, 0.003 * SR, starts.shape)
    starts = starts[rng.random(starts.shape) >= knobs["missed"]]
    late = rng.exponential(knobs["sticking"] * SR, starts.shape)
    opens, closes = starts + late, starts + OPEN_S * SR + rng.normal(0.0, 0.003 * SR, starts.shape)
    closes = np.maximum(closes, opens + 0.02 * SR)
    soft = np.exp(-late / (0.05 * SR)) * rng.lognormal(0.0, 0.12, starts.shape)
    hard = (1.0 - knobs["weak"]) * rng.lognormal(0.0, 0.12, starts.shape)
    bounces = closes + rng.uniform(0.012, 0.03, starts.shape) * SR
    clicks = ring(impulses(n, opens, 9.0 * soft), PLUNGER, take.scale)
    blows = impulses(n, closes, 8.0 * hard) + impulses(n, bounces, 8.0 * knobs["bounce"] * hard)
    clicks += ring(blows, SEAT, take.scale * (1.0 - 0.3 * knobs["weak"]))
    bar = take.number("bar")
    opening = gate(n, opens, closes, 0.012)
    peak_hz = 900.0 + 250.0 * bar  # a faster jet is brighter
    curve = ((100, -16), (0.5 * peak_hz, -6), (peak_hz, 0), (2 * peak_hz, -6), (8000, -18))
    flow = noise(n, rng, curve, 0.15 * rng.standard_normal()) * (0.5 + 0.03 * bar) * rng.lognormal(0.0, 0.06)
    hiss = noise(n, rng, ((800, -26), (2600, -4), (5000, 0), (8000, -6)))
    coil = mains(n, rng, series(2, 0.08, 5, 0.7)) * opening
    return clicks + flow * opening + coil + knobs["leak"] * hiss * (1.0 - opening)


def slider(take: Take, knobs: Knobs) -> Array:
    """Slide rail on a ball screw: whine and rolling noise that follow the speed, thumps at the reversals.

    Knobs: dry (squeal of a rail without grease), debris (a click at one place of the rail on each pass), loose
    (rattle after each reversal), screw (sidebands of a worn screw), bump (force of the end stops).
    """
    n, rng = take.n, take.rng
    velocity, ramp_s = take.number("vel"), 0.06 * 100 / take.number("ac")
    travel_s = 300.0 / velocity
    half = travel_s + 2 * ramp_s + 0.12
    t = (np.arange(n) / SR * rng.normal(1.0, 0.004) + rng.random() * 2 * half) % (2 * half)
    forth = np.interp(t % half, [0, 0.12, 0.12 + ramp_s, half - ramp_s, half], [0, 0, 1, 1, 0])
    revs = np.cumsum(forth) * (velocity / 10.0 * (1 + 0.008 * rng.uniform(-1.7, 1.7)) / SR) + rng.random()
    balls = (12, 14, 10, 16, 11, 13)[take.unit % 6]
    table = {1: 0.1, 2: 0.1} | series(balls, 0.35 * rng.lognormal(0.0, 0.12), 6, 0.9)
    whine = orders(revs, with_sidebands(table, 1, knobs["screw"], 1)) * forth
    rolling = noise(n, rng, ((80, -8), (500, 0), (1600, -5), (8000, -22)), 0.15 * rng.standard_normal()) * forth**1.5
    pitch = 2500.0 * take.scale
    squeal = noise(n, rng, ((0.5 * pitch, -40), (0.92 * pitch, 0), (1.08 * pitch, 0), (2 * pitch, -18), (8000, -30)))
    turns = np.flatnonzero(np.diff((t // half).astype(np.int64)) != 0).astype(float)
    ends = ring(impulses(n, turns, knobs["bump"] * rng.lognormal(0.0, 0.15, turns.shape)), END_STOP, take.scale)
    rattle = (turns[:, None] + SR * (0.12 + rng.uniform(0.0, 0.15, (len(turns), 6)))).ravel()
    place = np.flatnonzero(np.diff((t % half > 0.12 + 0.4 * travel_s).astype(np.int8)) == 1).astype(float)
    blows = impulses(n, rattle, knobs["loose"] * rng.lognormal(0.0, 0.5, rattle.shape))
    blows += impulses(n, place, knobs["debris"] * rng.lognormal(0.0, 0.2, place.shape))
    loud = (velocity / 400.0) ** 1.2
    return loud * (whine + 0.45 * rolling + knobs["dry"] * squeal * forth) + ends + ring(blows, LOOSE_PART, take.scale)


def compressor(take: Take, knobs: Knobs) -> Array:
    """Reciprocating compressor: piston thumps, reed-valve clacks, pulsed intake, motor orders.

    Knobs: knock (piston slap once a turn), leak (hiss through a discharge valve that does not close), dead (share
    of one cylinder's work that is missing), slip (belt slip: relative speed jitter and squeal), outer_race.
    """
    n, rng = take.n, take.rng
    hz, bar = take.number("spd") / 60, take.number("bar")
    revs = take.shaft(hz, jitter=0.003 + 0.03 * knobs["slip"])
    cylinders = (2, 3, 2, 4, 3, 2)[take.unit % 6]
    thumps, clacks = np.zeros(n), np.zeros(n)
    for cylinder in range(cylinders):
        work = 1.0 - knobs["dead"] * (cylinder == 0)
        at = crossings(revs, cylinder / cylinders)
        each = work * rng.lognormal(0.0, 0.12, at.shape)
        thumps += impulses(n, at, (2.0 + 0.5 * bar) * each)
        clacks += impulses(n, at + 0.3 / hz * SR, 2.5 * each)
    at = crossings(revs, 0.12)
    slap = ring(impulses(n, at, knobs["knock"] * rng.lognormal(0.0, 0.2, at.shape)), REED, 0.7 * take.scale)
    intake = noise(n, rng, ((60, -4), (300, 0), (1200, -6), (8000, -24)), 0.15 * rng.standard_normal())
    intake = intake * (0.3 + pulses(cylinders * revs, 0.4))
    hiss = noise(n, rng, ((900, -26), (3000, -3), (5200, 0), (8000, -5))) * swell(revs, 1, 0.5)
    motor = orders(2.9 * revs, {1: 0.12, 2: 0.1, 4: 0.05, 12: 0.06, 24: 0.04})
    squeal = orders(revs, series(round(1400 / hz), 1.0, 3, 1.0)) * knobs["slip"]
    body = ring(thumps, PISTON, take.scale) + ring(clacks, REED, take.scale)
    defects = slap + squeal + knobs["leak"] * hiss + outer_race(take, 2.9 * revs, knobs["outer_race"])
    return body + 0.35 * intake + motor + defects
