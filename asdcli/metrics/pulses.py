"""Pulses in a clip that normal clips do not have: lines in its envelope spectra, and the rate that they belong to.

A line stands out by as much as it rises above the spectrum around it and above the same rate in the median of the
normal clips, whichever is less. It is clear where that is more than any line of any normal clip, each held against the
others in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asdcli.metrics.differing import FEWEST

Array = npt.NDArray[np.float64]

_SLOWEST = 3  # periods in a piece, at least
_AROUND_HZ = 8.0  # what is taken for the floor about a line
_APART = 0.03  # rates that differ by less are taken for the same: machines do not run evenly
_LEAST_DB = 6.0  # what rises less is not spoken of
_HARMONICS = 4
_AS_STRONG = 0.5  # of the strongest line has a slower one to be for it to be the first of its series


@dataclass(frozen=True)
class Pulses:
    """Pulses of one rate.

    Attributes:
        rate_hz: of their coming.
        octave: number of the one in which they are clearest.
        db: by how much their line rises above the median of normal clips.
        prominence_db: and above what is around it.
        depth_db: how deeply they modulate the octave; 0 dB is by its mean.
    """

    rate_hz: float
    octave: int
    db: float
    prominence_db: float
    depth_db: float


@dataclass(frozen=True)
class Pulsing:
    """What pulses.

    Attributes:
        found: those that are clear.
        largest_db: of any line, clear or not.
        limit_db: the largest of any normal clip, or the least that is spoken of; infinite where there are too few.
        normal: (n_octaves, n_rates) the median of the normal clips, in dB.
    """

    found: tuple[Pulses, ...]
    largest_db: float
    limit_db: float
    normal: Array


def pulsing(clip: Array, normals: Sequence[Array], rates_hz: Array) -> Pulsing:
    """The pulses of a clip that normal ones do not have.

    Args:
        clip: (n_octaves, n_rates) in dB, as `features.envelopes` makes them; -inf where there is nothing.
        normals: the same of normal clips, at least one.
        rates_hz: (n_rates,) evenly spaced from 0.
    """
    everything = [clip, *normals]
    rising = [_prominence(one, rates_hz) for one in everything]
    wide = np.array([_local_maximum(one, rates_hz) for one in normals])
    stands = _standing(clip, rising[0], wide)
    limit = np.inf
    if len(normals) >= FEWEST:
        own = [
            _standing(normals[i], rising[1 + i], np.delete(wide, i, axis=0)).max(initial=-np.inf)
            for i in range(len(normals))
        ]
        limit = max(_LEAST_DB, *map(float, own))
    normal = np.median(np.array(normals), axis=0)
    largest = float(stands.max(initial=-np.inf))
    found = (_first_of_series(clip, normal, stands, rising[0], rates_hz),) if largest > limit else ()
    return Pulsing(found, largest, limit, normal)


def _standing(clip: Array, prominence: Array, others: Array) -> Array:
    """(n_octaves, n_rates) by how much each line stands out; -inf where there is nothing."""
    with np.errstate(invalid="ignore"):
        above = clip - np.median(others, axis=0)
    return np.where(np.isfinite(clip), np.minimum(prominence, above), -np.inf)


def _prominence(spectra: Array, rates_hz: Array) -> Array:
    """How far each line rises above the median around it; -inf below the slowest rate, and beside a peak."""
    step = rates_hz[1] if len(rates_hz) > 1 else 1.0
    half = max(round(_AROUND_HZ / step), 4)
    padded = np.pad(spectra, ((0, 0), (half, half)), mode="reflect") if spectra.shape[1] > half else None
    found = np.full_like(spectra, -np.inf)
    if padded is None:
        return found
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=1)
    with np.errstate(invalid="ignore"):
        floor = np.median(around, axis=2)
        rise = spectra - floor
    middle = spectra[:, 1:-1]
    is_peak = (middle >= spectra[:, :-2]) & (middle >= spectra[:, 2:]) & np.isfinite(floor[:, 1:-1])
    found[:, 1:-1] = np.where(is_peak & np.isfinite(middle), rise[:, 1:-1], -np.inf)
    found[:, :_SLOWEST] = -np.inf
    return found


def _local_maximum(spectra: Array, rates_hz: Array) -> Array:
    """The largest value at rates that may be the same."""
    step = rates_hz[1] if len(rates_hz) > 1 else 1.0
    reach = 1 + np.floor(_APART * rates_hz / step).astype(np.int64)
    found = spectra.copy()
    for shift in range(1, int(reach.max(initial=1)) + 1):
        near = np.flatnonzero(reach >= shift)
        for sign in (-1, 1):
            at = np.clip(near + sign * shift, 0, spectra.shape[1] - 1)
            found[:, near] = np.maximum(found[:, near], spectra[:, at])
    return found


def _first_of_series(clip: Array, normal: Array, stands: Array, prominence: Array, rates_hz: Array) -> Pulses:
    """The pulses whose strongest line is the strongest of all; a slower one is theirs where it is nearly as strong."""
    octave, strongest = np.unravel_index(int(stands.argmax()), stands.shape)
    step, best = rates_hz[1], int(strongest)
    for n in range(2, _HARMONICS + 1):
        at = strongest / n
        near = range(max(int(at * (1 - _APART)), _SLOWEST), int(np.ceil(at * (1 + _APART))) + 1)
        line = max(near, key=lambda i: stands[octave, i], default=best)
        if stands[octave, line] >= max(_AS_STRONG * stands[octave, strongest], _LEAST_DB):
            best = line
    rate = step * (best + _between(clip[octave], best))
    with np.errstate(invalid="ignore"):
        above = float(clip[octave, best] - normal[octave, best])
    return Pulses(float(rate), int(octave), above, float(prominence[octave, best]), float(clip[octave, best]))


def _between(line: Array, i: int) -> float:
    """How far, of one step, the top of a parabola through three points lies from the middle one."""
    left, middle, right = line[i - 1 : i + 2]
    bend = left - 2 * middle + right
    return float(0.5 * (left - right) / bend) if np.isfinite(bend) and bend < 0 else 0.0
