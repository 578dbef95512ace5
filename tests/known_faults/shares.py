"""In which share of cases band and rate of a known fault are named right, and nothing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from asdcli.features.envelopes import EnvelopeAxes, envelope_spectra
from asdcli.features.light_mels import MelAxes, logmel
from asdcli.metrics.differing import Differing, differing
from asdcli.metrics.pulses import Pulsing, pulsing
from tests.known_faults import factory
from tests.known_faults.made_up import RATE, BandFault, PulseFault, machine, pcm, with_fault

AXES = MelAxes.at(RATE)
N_NORMALS = 16
OVERLAP = 0.5  # intersection over union of a band that is right
RATE_OFF = 0.04  # of a rate that is right
ONSET_OFF_S = 0.25


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    what: str
    named: int
    right: int
    of: int

    def __str__(self) -> str:
        return f"{self.what:<34}{self.named:>4} named{self.right:>5} right   of {self.of}"


class Normals:
    """Normal recordings that others are held against."""

    def __init__(self, waves: Sequence[np.ndarray]) -> None:
        self.axes = EnvelopeAxes.of(RATE, min(map(len, waves)) / RATE)
        self.levels = [logmel(wave, AXES) for wave in waves]
        self.envelopes = [envelope_spectra(wave, RATE, self.axes) for wave in waves]

    def look(self, wave: np.ndarray) -> tuple[Differing, Pulsing]:
        """What stands out of a recording."""
        regions = differing(logmel(wave, AXES), self.levels, AXES.frame_s)
        return regions, pulsing(envelope_spectra(wave, RATE, self.axes), self.envelopes, self.axes.rates_hz)


def is_band(found: Differing, low_hz: float, high_hz: float) -> bool:
    """Whether the clearest region is that band, louder."""
    if not found.regions or found.regions[0].db < 0:
        return False
    low, high = (AXES.edges_hz[i] for i in (found.regions[0].low_band, found.regions[0].high_band))
    return bool(min(high, high_hz) - max(low, low_hz) >= OVERLAP * (max(high, high_hz) - min(low, low_hz)))


def is_rate(found: Pulsing, rate_hz: float) -> bool:
    """Whether pulses of that rate are named."""
    return bool(found.found) and abs(found.found[0].rate_hz / rate_hz - 1) < RATE_OFF


def of_made_up(
    n: int, bands_db: Sequence[float] = (0, 3, 6, 12, 20), pulses_db: Sequence[float] = (-12, -6, 0, 6, 12)
) -> Iterator[Share]:
    """Shares on the made-up machine; a band is right where its beginning is, too."""
    rng = np.random.default_rng(0)
    normals = Normals([pcm(machine(i)) for i in range(N_NORMALS)])
    yield _healthy("made up: healthy", [normals.look(pcm(machine(1000 + i))) for i in range(n)])
    for db in bands_db:
        named = right = 0
        for i in range(n):
            low = float(np.exp(rng.uniform(np.log(300), np.log(5000))))
            fault = BandFault(low, low * float(rng.uniform(1.15, 1.6)), float(rng.choice([0.0, 1.5, 3.1])), db)
            found, _ = normals.look(pcm(with_fault(machine(2000 + i), fault, i)))
            named += bool(found.regions)
            if is_band(found, fault.low_hz, fault.high_hz):
                right += abs(found.regions[0].first * AXES.frame_s - fault.from_s) <= ONSET_OFF_S
        yield Share(f"made up: band {db:+g} dB", named, right, n)
    for db in pulses_db:
        named = right = 0
        for i in range(n):
            rate, rings = float(np.exp(rng.uniform(np.log(8), np.log(120)))), float(rng.uniform(700, 6500))
            _, pulses = normals.look(pcm(with_fault(machine(3000 + i), PulseFault(rate, rings, db), i)))
            named += bool(pulses.found)
            right += is_rate(pulses, rate)
        yield Share(f"made up: pulses {db:+g} dB", named, right, n)


def of_factory(n: int, faults: Sequence[factory.Known] = factory.FAULTS) -> Iterator[Share]:
    """Shares on the synthetic factory, n recordings of each fault, degree and operating state."""
    normals = {
        (name, str(setting)): Normals([factory.recording(name, setting, i) for i in range(N_NORMALS)])
        for name in dict.fromkeys(known.machine_type for known in faults)
        for setting in factory.settings(name)
    }
    looked = [
        normals[name, str(setting)].look(factory.recording(name, setting, 1000 + i))
        for name in dict.fromkeys(known.machine_type for known in faults)
        for setting in factory.settings(name)
        for i in range(n)
    ]
    yield _healthy("factory: healthy", looked)
    for known in faults:
        for degree in ("mild", "severe"):
            named = right = of = 0
            for setting in factory.settings(known.machine_type):
                for i in range(n):
                    wave = factory.recording(known.machine_type, setting, 2000 + i, known, degree)
                    found, pulses = normals[known.machine_type, str(setting)].look(wave)
                    of += 1
                    if known.rate_hz:
                        named += bool(pulses.found)
                        right += is_rate(pulses, known.rate_hz(setting))
                    elif known.band_hz and found.regions:
                        named += 1
                        middle = AXES.edges_hz[[found.regions[0].low_band, found.regions[0].high_band]].mean()
                        right += found.regions[0].db > 0 and known.band_hz[0] <= middle <= known.band_hz[1]
            yield Share(f"{known.machine_type}: {known.fault}, {degree}", named, right, of)


def _healthy(what: str, looked: Sequence[tuple[Differing, Pulsing]]) -> Share:
    """Right is where nothing is named."""
    named = sum(bool(found.regions or pulses.found) for found, pulses in looked)
    return Share(what, named, len(looked) - named, len(looked))
