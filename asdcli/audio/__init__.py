"""Reading audio: the only part of the package that opens audio files.

Every reader we know returns what it finds: half a file without a word, zero frames, NaN. So a clip is checked here,
once, and what leaves is whole, finite, one channel of int16 PCM at the rate that was asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from asdcli.audio.bad import BadAudio
from asdcli.audio.riff import Wav, pcm16, walk
from asdcli.errors import unknown_name

__all__ = ["BOTH", "SAMPLE_RATE", "BadAudio", "Info", "channel_index", "info", "read"]

SAMPLE_RATE = 16_000
BOTH = "both"
"""The word for the first two channels, one after the other."""

_FULL_SCALE = 32768.0


@dataclass(frozen=True)
class Info:
    """What a file's header says: samples per channel, rate in Hz, channels."""

    n_samples: int
    sample_rate: int
    channels: int

    @property
    def duration_s(self) -> float:
        return self.n_samples / self.sample_rate


def channel_index(word: str | None, names: Sequence[str] = ()) -> int | str | None:
    """The index of the channel called `0`, `1`, … or as in `names`; None stays None, and `both` stays `both`.

    Raises:
        UsageError: an unknown word.
    """
    if word is None or word == BOTH:
        return word
    if word in names:
        return names.index(word)
    if word.isdecimal():
        return int(word)
    raise unknown_name("channel", word, [*names, BOTH, "0", "1"])


def info(path: Path) -> Info:
    """What the header says, checked against the size of a wav (a cut flac shows only when it is read).

    Raises:
        BadAudio: unreadable, neither wav nor flac, truncated, or without a single sample.
    """
    with _opened(path) as file:
        return _info(path, file)[0]


def read(
    path: Path,
    *,
    sample_rate: int = SAMPLE_RATE,
    channel: int | None = None,
    resample: bool = False,
    rounding: bool = False,
) -> np.ndarray:
    """One channel of a clip as int16 PCM, bit for bit unless `resample` or `rounding` allow otherwise.

    Args:
        path: a wav or flac file.
        sample_rate: expected rate in Hz.
        channel: index of the channel to take; None demands a file of one channel.
        resample: bring another rate to `sample_rate` (soxr, high quality) instead of refusing it.
        rounding: round samples finer than 16 bits instead of refusing them.

    Returns:
        (n_samples,) int16, n_samples >= 1.

    Raises:
        BadAudio: unreadable, neither wav nor flac, truncated, empty, non-finite, another rate, several channels and
            none chosen, no such channel, or samples that int16 cannot hold.
    """
    with _opened(path) as file:
        found, wav = _info(path, file)
        if found.sample_rate != sample_rate and not resample:
            raise BadAudio(
                path,
                f"sample rate is {found.sample_rate} Hz, expected {sample_rate} Hz",
                "--resample converts it, --sample-rate says what to expect",
            )
        if channel is None and found.channels > 1:
            raise BadAudio(
                path, f"has {found.channels} channels", f"choose: --channel both, or 0 to {found.channels - 1}"
            )
        chosen = channel or 0
        if chosen >= found.channels:
            raise BadAudio(path, f"has no channel {chosen}: it has {found.channels}", "channels are counted from 0")
        if wav and wav.is_pcm16:
            exact = pcm16(path, file, wav)[:, chosen]
            if found.sample_rate == sample_rate:
                return np.ascontiguousarray(exact, dtype=np.int16)
            wave = exact / _FULL_SCALE
        else:
            from asdcli.audio.decoder import decode

            wave = decode(path, file, found.n_samples)[:, chosen]
    if found.sample_rate != sample_rate:
        return _resampled(path, wave, found.sample_rate, sample_rate)
    return _to_int16(path, wave, rounding=rounding)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The open file; what the operating system says while it is open becomes a BadAudio with the path."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise BadAudio(path, f"cannot be read: {error.strerror or error}") from None


def _info(path: Path, file: BinaryIO) -> tuple[Info, Wav | None]:
    head = file.read(16)
    wav = None
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        wav = walk(path, file)
        found = Info(wav.n_frames, wav.sample_rate, wav.channels)
    elif head[:4] == b"fLaC":
        from asdcli.audio.decoder import header

        found = Info(*header(path, file))
    else:
        raise _not_audio(path, head)
    if found.n_samples == 0:
        raise BadAudio(path, "holds no sound: 0 samples")
    return found, wav


def _not_audio(path: Path, head: bytes) -> BadAudio:
    if not head:
        return BadAudio(path, "is empty: 0 bytes", "fetch the file again")
    web_page = head.lstrip().lower().startswith((b"<!doc", b"<html", b"<?xml"))
    hint = "a web page was saved under this name: fetch the file again" if web_page else None
    return BadAudio(path, f"is neither wav nor flac: it begins with {head!r}", hint)


def _resampled(path: Path, wave: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    import soxr

    wave = soxr.resample(wave, from_hz, to_hz, quality="HQ")
    if not len(wave):
        raise BadAudio(path, f"is too short to bring from {from_hz} Hz to {to_hz} Hz")
    # the filter may overshoot full scale by a little
    return np.clip(np.rint(wave * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def _to_int16(path: Path, wave: np.ndarray, *, rounding: bool) -> np.ndarray:
    """Float samples as int16: exactly, or where `rounding` is allowed to the nearest (+1.0 is one step too many)."""
    scaled = wave * _FULL_SCALE
    nearest = np.rint(scaled)
    if not rounding and not np.array_equal(nearest, scaled):
        raise BadAudio(
            path, "has samples finer than 16 bits, which a pack would lose", "--round rounds them to 16 bits"
        )
    top = _FULL_SCALE if rounding else _FULL_SCALE - 1
    if nearest.max() > top or nearest.min() < -_FULL_SCALE:
        raise BadAudio(path, f"goes beyond full scale: peak {np.abs(wave).max():.3g}", "scale the recording down")
    return np.minimum(nearest, _FULL_SCALE - 1).astype(np.int16)
