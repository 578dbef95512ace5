"""The factory as data: machine types, what their attributes can be in each domain, and how bad their faults are.

Calibration is editing the numbers of this file. A knob's `healthy` value varies from clip to clip by the log-normal
`spread`; a fault turns its own knob to `mild` or `severe` and leaves the others healthy. What a knob means is said
in the sound function's docstring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

from asdcli.synthesis import rotating, strokes
from asdcli.synthesis.rotating import Knobs, Take
from asdcli.synthesis.signals import Array
from asdcli.vocabulary import Domain


@dataclass(frozen=True)
class Attribute:
    """One token pair of the file name, `key_value`, and its values in each domain."""

    key: str
    source: tuple[str, ...]
    target: tuple[str, ...]


@dataclass(frozen=True)
class Knob:
    """Value of a fault's parameter in a healthy machine, in a mild and in a severe case."""

    healthy: float
    mild: float
    severe: float
    spread: float = 0.15


@dataclass(frozen=True)
class Machine:
    """A machine type. `snr_db` holds for the first source setting, machine over background, at the microphone.

    An attribute `mic` chooses the microphone and `bkg` the background; `mic` and `bkg` below are for machine types
    without that attribute.
    """

    sound: Callable[[Take, Knobs], Array]
    attributes: tuple[Attribute, ...]
    knobs: Mapping[str, Knob]
    snr_db: float
    mic: str = "1"
    bkg: str = "A"

    def settings(self, domain: Domain) -> list[dict[str, str]]:
        """All combinations of the attribute values of `domain`, in a fixed order."""
        values = [a.source if domain is Domain.SOURCE else a.target for a in self.attributes]
        return [dict(zip((a.key for a in self.attributes), chosen, strict=True)) for chosen in product(*values)]


MACHINES: dict[str, Machine] = {
    "bearing": Machine(
        rotating.bearing,
        (Attribute("vel", ("14", "22"), ("17", "26")), Attribute("mic", ("1", "2"), ("3",))),
        {
            "outer_race": Knob(0.05, 1.2, 2.5),
            "inner_race": Knob(0.05, 1.5, 3.0),
            "ball": Knob(0.05, 0.6, 1.2),
            "dry": Knob(0.05, 0.15, 0.3),
            "dirt": Knob(0.1, 0.6, 1.2),
        },
        snr_db=8.0,
    ),
    "compressor": Machine(
        strokes.compressor,
        (Attribute("spd", ("540", "680"), ("600", "760")), Attribute("bar", ("4", "7"), ("6",))),
        {
            "knock": Knob(0.1, 1.2, 3.0),
            "leak": Knob(0.03, 0.2, 0.45),
            "dead": Knob(0.03, 0.5, 1.0),
            "slip": Knob(0.01, 0.15, 0.4),
            "outer_race": Knob(0.03, 0.6, 1.6),
        },
        snr_db=6.0,
        bkg="B",
    ),
    "fan": Machine(
        rotating.fan,
        (Attribute("spd", ("1320", "1680"), ("1500",)), Attribute("bkg", ("A", "B"), ("C",))),
        {
            "imbalance": Knob(0.15, 0.7, 1.4),
            "blade": Knob(0.05, 0.8, 1.6),
            "outer_race": Knob(0.03, 1.0, 2.5),
            "rubbing": Knob(0.03, 0.4, 0.9),
            "clogging": Knob(0.5, 5.0, 8.0),
        },
        snr_db=6.0,
    ),
    "gearbox": Machine(
        rotating.gearbox,
        (Attribute("spd", ("1020", "1380"), ("1180",)), Attribute("load", ("0", "60"), ("30", "90"))),
        {
            "wear": Knob(0.1, 0.55, 1.1),
            "tooth": Knob(0.05, 0.17, 0.35),
            "misalignment": Knob(0.06, 0.2, 0.35),
            "inner_race": Knob(0.03, 0.7, 1.6),
            "dry": Knob(0.05, 0.12, 0.25),
        },
        snr_db=7.0,
        bkg="B",
    ),
    "pump": Machine(
        rotating.pump,
        (Attribute("spd", ("1380", "1740"), ("1540", "1920")), Attribute("bar", ("2", "5"), ("3", "6"))),
        {
            "cavitation": Knob(0.02, 0.05, 0.12),
            "leak": Knob(0.03, 0.07, 0.15),
            "vane": Knob(0.05, 0.3, 0.7),
            "imbalance": Knob(0.12, 0.3, 0.7),
            "outer_race": Knob(0.03, 0.35, 0.9),
        },
        snr_db=6.0,
        bkg="C",
    ),
    "slider": Machine(
        strokes.slider,
        (Attribute("vel", ("300", "460"), ("370", "560")), Attribute("ac", ("100", "50"), ("75",))),
        {
            "dry": Knob(0.05, 0.18, 0.4),
            "debris": Knob(0.1, 3.0, 7.0),
            "loose": Knob(0.1, 1.2, 3.0),
            "screw": Knob(0.05, 0.35, 0.9),
            "bump": Knob(1.0, 1.8, 3.0),
        },
        snr_db=6.0,
    ),
    "valve": Machine(
        strokes.valve,
        (Attribute("pat", ("00", "01"), ("02",)), Attribute("bar", ("2", "4"), ("3",))),
        {
            "missed": Knob(0.0, 0.25, 0.6),
            "sticking": Knob(0.003, 0.05, 0.12),
            "leak": Knob(0.01, 0.1, 0.2),
            "bounce": Knob(0.08, 1.0, 1.6),
            "weak": Knob(0.05, 0.3, 0.6),
        },
        snr_db=7.0,
        bkg="B",
    ),
}
