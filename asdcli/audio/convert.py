"""From what a file holds to int16 PCM: another rate, 16 bits. Nothing is clipped in silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from asdcli.audio.bad import BadAudio

FULL_SCALE = 32768.0


def resampled(path: Path, wave: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """(n,) float64 at another rate (soxr, high quality). Its filter may overshoot full scale: `to_int16` tells."""
    import soxr

    wave = soxr.resample(wave, from_hz, to_hz, quality="HQ")
    if not len(wave):
        raise _too_short(path, from_hz, to_hz)
    return wave


def resampled_blocks(path: Path, waves: Iterable[np.ndarray], from_hz: int, to_hz: int) -> Iterator[np.ndarray]:
    """The same of a wave that comes in blocks (n_block,) float64: soxr's stream gives the bits of the whole."""
    import soxr

    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float64", quality="HQ")
    any_came = False
    for wave, is_last in _with_last(waves):
        converted = stream.resample_chunk(np.ascontiguousarray(wave), last=is_last)
        if len(converted):
            any_came = True
            yield converted
    if not any_came:
        raise _too_short(path, from_hz, to_hz)


def _too_short(path: Path, from_hz: int, to_hz: int) -> BadAudio:
    return BadAudio(path, f"is too short to bring from {from_hz} Hz to {to_hz} Hz")


def _with_last(waves: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, bool]]:
    """Each with whether none comes after it."""
    held: np.ndarray | None = None
    for wave in waves:
        if held is not None:
            yield held, False
        held = wave
    if held is not None:
        yield held, True


def to_int16(path: Path, wave: np.ndarray, *, rounding: bool) -> np.ndarray:
    """Float samples as int16: exactly, or to the nearest where `rounding` is allowed.

    With rounding +1.0, which is one step too many, becomes the step below.

    Raises:
        BadAudio: samples finer than 16 bits that may not be rounded, or beyond full scale.
    """
    scaled = wave * FULL_SCALE
    nearest = np.rint(scaled)
    if not rounding and not np.array_equal(nearest, scaled):
        raise BadAudio(
            path, "has samples finer than 16 bits, which a pack would lose", "--round rounds them to 16 bits"
        )
    top = FULL_SCALE if rounding else FULL_SCALE - 1
    if nearest.max() > top or nearest.min() < -FULL_SCALE:
        raise BadAudio(
            path,
            f"goes beyond full scale: peak {np.abs(wave).max():.3g}",
            "--scale peak brings all recordings of the machine type to full scale by one factor",
        )
    return np.minimum(nearest, FULL_SCALE - 1).astype(np.int16)
