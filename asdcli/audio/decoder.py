"""libsndfile for what is no 16-bit wav: flac, 8, 24 and 32 bits, floats."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from asdcli.audio.bad import BadAudio

_UNKNOWN = 2**62  # libsndfile gives a number about this large for "the header does not say"


def header(path: Path, file: BinaryIO) -> tuple[int, int, int]:
    """(frames, sample rate in Hz, channels). Raises BadAudio for what cannot be opened or hides its length."""
    file.seek(0)
    try:
        with soundfile.SoundFile(file) as sound:
            found = sound.frames, sound.samplerate, sound.channels
    except soundfile.LibsndfileError as error:
        raise BadAudio(path, f"cannot be decoded: {error.error_string}") from None
    if found[0] >= _UNKNOWN:
        raise BadAudio(path, "does not say how long it is, so a cut could not be noticed", "encode the file again")
    return found


def decode(path: Path, file: BinaryIO, n_frames: int) -> np.ndarray:
    """(n_frames, channels) float64 in [-1, 1), exact for every PCM and float format.

    Raises:
        BadAudio: damaged, shorter than `n_frames`, or not finite.
    """
    file.seek(0)
    try:
        wave, _ = soundfile.read(file, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise BadAudio(path, f"cannot be decoded: {error.error_string}", "fetch the file again") from None
    if len(wave) != n_frames:
        raise BadAudio(
            path, f"is truncated: its header promises {n_frames} samples, {len(wave)} are there", "fetch the file again"
        )
    bad = np.flatnonzero(~np.isfinite(wave).all(axis=1))
    if len(bad):
        raise BadAudio(path, f"holds NaN or infinite samples: {len(bad)} of {len(wave)}, the first at {bad[0]}")
    return wave
