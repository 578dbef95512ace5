"""The words of `asd explain`: sentences made of figures, which stand beside them, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from asdcli.detector.occlusion import Occlusion
from asdcli.metrics.differing import FEWEST, Region
from asdcli.metrics.pulses import Pulses
from asdcli.views.compared import Compared, Layer
from asdcli.views.standing import Standing
from asdcli.wording import counted

_ALL = 0.9  # of the bands are all frequencies
_NARROW = 2  # bands: a tone
_COMING = 0.7  # of its time: what stands out for less comes and goes
_MATTERS = 0.1  # of its score: what a piece has to be worth to be spoken of


def of_region(region: Region, layer: Layer, *, more: str = "more", less: str = "less") -> str:
    """`12 dB more at 1.2-1.6 kHz, from 3.1 s on`."""
    n_bands = len(layer.edges_hz) - 1
    low, high = layer.edges_hz[region.low_band], layer.edges_hz[region.high_band]
    if region.high_band - region.low_band >= _ALL * n_bands:
        where = "at all frequencies"
    elif region.high_band - region.low_band <= _NARROW:
        where = f"at about {_hz((low + high) / 2)}"
    else:
        where = f"at {_span(low, high)}"
    direction = more if region.db > 0 else less
    return f"{abs(region.db):.0f} dB {direction} {where}, {_when(region, layer)}"


def of_pulses(pulses: Pulses, octaves: tuple[tuple[float, float], ...]) -> str:
    """`pulses at 29 Hz in 2-4 kHz, 14 dB above those of normal recordings`."""
    rate = f"{pulses.rate_hz:.1f}" if pulses.rate_hz < 20 else f"{pulses.rate_hz:.0f}"
    low, high = octaves[pulses.octave]
    return f"pulses at {rate} Hz in {_span(low, high)}, {pulses.db:.0f} dB above those of normal recordings"


def of_sound(found: Compared) -> list[str]:
    """What differs; where nothing does clearly, that."""
    said = [of_region(region, found.z) for region in found.differing.regions]
    said += [of_pulses(one, found.envelope_axes.octaves) for one in found.pulsing.found]
    if said:
        return said
    n = len(found.normals)
    if n < FEWEST:
        return [f"too few normal recordings ({n}) to tell what is clear: it takes {FEWEST}"]
    return [
        f"nothing clear: no band and no pulses stand out further than those of the {n} normal recordings do among "
        "themselves"
    ]


def of_missed(layer: Layer) -> list[str]:
    """What an autoencoder misses more of than of normal clips."""
    said = [
        "the autoencoder misses " + of_region(region, layer, more="more than of normal recordings")
        for region in layer.regions
        if region.db > 0
    ]
    return said or ["the autoencoder misses nothing clearly more than of normal recordings"]


def of_occlusion(found: Occlusion, layer: Layer) -> list[str]:
    """The piece that the score hangs on most."""
    t, b = np.unravel_index(int(found.drop.argmax()), found.drop.shape)
    drop = float(found.drop[t, b])
    if drop < _MATTERS * abs(found.score):
        return [
            f"to the network no piece matters clearly: made as loud as normal, none takes {_MATTERS:.0%} off the score"
        ]
    where, when = _span(*layer.edges_hz[b : b + 2]), f"{layer.times_s[t]:.1f}-{layer.times_s[t + 1]:.1f} s"
    off = _share(drop, found.score)
    return [f"to the network {where} at {when} matters most: made as loud as normal, it takes off {off}"]


def of_score(standing: Standing) -> Iterator[str]:
    """How the score compares with the threshold and with normal clips."""
    said = f"score {standing.score:.4g}"
    if standing.threshold is not None:
        verdict = "above" if standing.anomalous else "not above"
        times = (
            f", {standing.score / standing.threshold:.2f} times it" if standing.threshold > 0 < standing.score else ""
        )
        said += f", {verdict} the threshold of {standing.threshold:.4g}{times}"
    yield said
    if standing.p_value is not None:
        group = f"; {standing.p_value_group:.2g} as of a new group" if standing.p_value_group is not None else ""
        yield f"p-value {standing.p_value:.2g} among normal clips{group}"
    if standing.scored_as:
        yield f"a training clip, scored as: {standing.scored_as}"


def of_normals(n: int, of: int | None) -> str:
    """Which normal clips the sound is held against."""
    if of is None:
        return f"held against {counted(n, 'normal recording')} of the same machine and, where there are any, attributes"
    return f"held against the {counted(n, 'nearest normal recording')} of {of}" if n > 1 else "held against 1 recording"


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


def _share(drop: float, score: float) -> str:
    return f"{drop:.3g} of {score:.3g}" if drop <= score else f"more than all of {score:.3g}"


def _span(low: float, high: float) -> str:
    """`1.2-1.6 kHz`, `180-420 Hz`."""
    if high >= 1000:
        a, b = _khz(low), _khz(high)
        return f"{a}-{b} kHz" if a != b else f"{b} kHz"
    return f"{low:.0f}-{high:.0f} Hz"


def _hz(hz: npt.ArrayLike) -> str:
    value = float(np.asarray(hz))
    return f"{_khz(value)} kHz" if value >= 1000 else f"{value:.0f} Hz"


def _khz(hz: float) -> str:
    return f"{hz / 1000:.2g}" if hz < 10_000 else f"{hz / 1000:.0f}"
