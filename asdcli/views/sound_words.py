"""How a recording sounds beside normal ones, in words: made of the figures of `views.compared`, and of nothing else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from asdcli.metrics.differing import FEWEST, Region
from asdcli.metrics.pulses import Pulses
from asdcli.views.compared import Compared, Layer

NOTHING = "nothing clear is found"
_ALL = 0.9  # of the bands are all frequencies
_NARROW = 2  # bands: a tone
_COMING = 0.7  # of its time: what stands out for less comes and goes
_CLEAREST = 2  # sentences of a short answer


def of_region(region: Region, layer: Layer, *, more: str = "more", less: str = "less") -> str:
    """`12 dB more at 1.2-1.6 kHz, from 3.1 s on`."""
    direction = more if region.db > 0 else less
    return f"{abs(region.db):.0f} dB {direction} {where(region, layer.edges_hz)}, {_when(region, layer)}"


def where(region: Region, edges_hz: npt.NDArray[np.float64]) -> str:
    """`at 1.2-1.6 kHz`, `at about 3.1 kHz`, `at all frequencies`; bands end at `edges_hz` (n_bands + 1,)."""
    low, high = edges_hz[region.low_band], edges_hz[region.high_band]
    if region.high_band - region.low_band >= _ALL * (len(edges_hz) - 1):
        return "at all frequencies"
    if region.high_band - region.low_band <= _NARROW:
        return f"at about {_hz((low + high) / 2)}"
    return f"at {span(low, high)}"


def of_pulses(pulses: Pulses, octaves: tuple[tuple[float, float], ...]) -> str:
    """`pulses at 29 Hz in 2-4 kHz, 14 dB above those of normal recordings`."""
    low, high = octaves[pulses.octave]
    return f"pulses at {_rate(pulses)} Hz in {span(low, high)}, {pulses.db:.0f} dB above those of normal recordings"


def of_sound(found: Compared) -> list[str]:
    """What differs; where nothing does clearly, that."""
    said = [of_region(region, found.z) for region in found.differing.regions]
    said += [of_pulses(one, found.envelope_axes.octaves) for one in found.pulsing.found]
    if said:
        return said
    n = len(found.normals)
    if found.normals_are_few:
        return [f"too few normal recordings ({n}) to tell what is clear: it takes {FEWEST}"]
    return [
        f"nothing clear: no band and no pulses stand out further than those of the {n} normal recordings do among "
        "themselves"
    ]


def in_short(found: Compared) -> str:
    """The one or two clearest: `12 dB more at 1.2-1.6 kHz, from 3.1 s on; pulses at 29 Hz`; or that nothing is."""
    if found.normals_are_few:
        return f"too few normal recordings ({len(found.normals)}) to tell"
    pulses = [f"pulses at {_rate(one)} Hz" for one in found.pulsing.found]
    regions = [of_region(region, found.z) for region in found.differing.regions]
    return "; ".join([*regions[: _CLEAREST - len(pulses)], *pulses]) or NOTHING


def _when(region: Region, layer: Layer) -> str:
    start, end = layer.times_s[region.first], layer.times_s[region.last]
    whole = layer.times_s[-1]
    near = 0.03 * whole
    coming = "" if region.share >= _COMING else ", coming and going"
    if start <= near and end >= whole - near:
        return "throughout" if not coming else "coming and going"
    if end >= whole - near:
        return f"from {start:.1f} s on{coming}"
    if start <= near:
        return f"until {end:.1f} s{coming}"
    return f"from {start:.1f} to {end:.1f} s{coming}"


def span(low: float, high: float) -> str:
    """`1.2-1.6 kHz`, `180-420 Hz`."""
    if high >= 1000:
        a, b = _khz(low), _khz(high)
        return f"{a}-{b} kHz" if a != b else f"{b} kHz"
    return f"{low:.0f}-{high:.0f} Hz"


def _rate(pulses: Pulses) -> str:
    return f"{pulses.rate_hz:.1f}" if pulses.rate_hz < 20 else f"{pulses.rate_hz:.0f}"


def _hz(hz: npt.ArrayLike) -> str:
    value = float(np.asarray(hz))
    return f"{_khz(value)} kHz" if value >= 1000 else f"{value:.0f} Hz"


def _khz(hz: float) -> str:
    return f"{hz / 1000:.2g}" if hz < 10_000 else f"{hz / 1000:.0f}"
