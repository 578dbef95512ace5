"""libsndfile for what is no 16-bit wav: flac, mp3, ogg, aiff, caf, w64 …, 8, 24 and 32 bits, floats, ADPCM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from asdcli.audio.bad import BadAudio
from asdcli.audio.riff import PIPE, SHORT, UNKNOWN_SIZES

_UNKNOWN = 2**62  # libsndfile gives a number about this large for "the header does not say"
_UNRECOGNISED = 1  # its error code for a format that it does not know
_UP_TO_16_BITS = {
    *("PCM_S8", "PCM_U8", "PCM_16", "DPCM_8", "DPCM_16", "ALAC_16", "ULAW", "ALAW", "GSM610", "VOX_ADPCM"),
    *("IMA_ADPCM", "MS_ADPCM", "NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32", "G721_32", "G723_24", "G723_40"),
}
"""Formats that decode to whole 16-bit samples; all others may be finer."""

_SIZES = re.compile(r"(\d+) \(?should be (\d+)")  # libsndfile's log: the size that a header promises, and the real one


@dataclass(frozen=True)
class AudioHeader:
    """What libsndfile says of a file without decoding it; `is_fine` and `note` as in `riff.Wav`, rate in Hz."""

    n_frames: int
    sample_rate: int
    channels: int
    is_fine: bool
    note: str | None = None


def header(path: Path, file: BinaryIO, *, trusted: bool = False) -> AudioHeader:
    """What libsndfile says; the sizes in the header are looked at unless they are `trusted`.

    Raises:
        BadAudio: what cannot be opened, hides its length, or is shorter than its header promises.
    """
    file.seek(0)
    try:
        with soundfile.SoundFile(file) as sound:
            is_fine = sound.subtype not in _UP_TO_16_BITS or sound.format == "SDS"  # decodes to more than it holds
            note = None if trusted else _note(path, sound.extra_info)
            found = AudioHeader(sound.frames, sound.samplerate, sound.channels, is_fine, note)
    except soundfile.LibsndfileError as error:
        if error.code == _UNRECOGNISED:
            raise _no_audio(path, file) from None
        raise BadAudio(path, f"cannot be decoded: {error.error_string}") from None
    except TypeError:  # soundfile: headerless formats are opened with a sample rate only
        raise BadAudio(path, "has no header that says how to read it") from None
    if found.n_frames >= _UNKNOWN:
        raise BadAudio(path, "does not say how long it is, so a cut could not be noticed", "encode the file again")
    return found


def _no_audio(path: Path, file: BinaryIO) -> BadAudio:
    file.seek(0)
    head = file.read(16)
    web_page = head.lstrip().lower().startswith((b"<!doc", b"<html", b"<?xml"))
    hint = "a web page was saved under this name: fetch the file again" if web_page else None
    return BadAudio(path, f"is no audio that libsndfile reads: it begins with {head!r}", hint)


def _note(path: Path, log: str) -> str | None:
    """What libsndfile's log says about the sizes in the header. Raises BadAudio where they promise more than is there.

    Formats without sizes (NIST, IRCAM, PAF, MP3 and others) can lose their end unnoticed.
    """
    for promised, real in (map(int, sizes) for sizes in _SIZES.findall(log)):
        if promised in UNKNOWN_SIZES:
            return PIPE
        if promised > real:
            raise BadAudio(
                path, f"is truncated: its header promises {promised} bytes, {real} are there", "fetch the file again"
            )
        if promised < real:
            return f"{SHORT}: it promises {promised} bytes, {real} are there"
    if "truncated" in log:
        raise BadAudio(path, "is truncated", "fetch the file again")
    return None


def decode(path: Path, file: BinaryIO, n_frames: int) -> np.ndarray:
    """(n_frames, channels) float64, exact for every PCM and float format.

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


def decoded_blocks(path: Path, file: BinaryIO, n_frames: int, block: int) -> Iterator[np.ndarray]:
    """The same in pieces of `block` frames, the last one shorter."""
    file.seek(0)
    done = 0
    try:
        with soundfile.SoundFile(file) as sound:
            while len(wave := sound.read(block, dtype="float64", always_2d=True)):
                bad = np.flatnonzero(~np.isfinite(wave).all(axis=1))
                if len(bad):
                    raise BadAudio(path, f"holds NaN or infinite samples: the first at {done + bad[0]}")
                done += len(wave)
                yield wave
    except soundfile.LibsndfileError as error:
        raise BadAudio(path, f"cannot be decoded: {error.error_string}", "fetch the file again") from None
    if done != n_frames:
        raise BadAudio(
            path, f"is truncated: its header promises {n_frames} samples, {done} are there", "fetch the file again"
        )
