"""Reading audio: the only module that opens audio files.

Every reader we know returns what it finds: half a file without a word, zero frames, NaN. So a clip is checked here, once, and
what leaves this module is whole, finite, mono int16 PCM at the rate that was asked for. DCASE clips are 16-bit wavs, which we
read ourselves (the chunk walk is needed for the size check anyway, and is several times faster than a decoder); every other
sample format and flac go through libsndfile.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from asdcli.errors import BadData, UsageError, unknown_name

SAMPLE_RATE = 16_000
CHANNELS = {"near": 0, "far": 1}  # DCASE 2026: left is the microphone near the machine, right the far one

_PCM, _EXTENSIBLE = 1, 0xFFFE
_FULL_SCALE = 32768.0


class BadAudio(BadData):
    """One audio file that cannot be used; `reason` is the message without the path."""

    def __init__(self, path: Path, reason: str, hint: str | None = None) -> None:
        super().__init__(f"{path}: {reason}", hint)
        self.reason = reason


@dataclass(frozen=True)
class Info:
    """What a file's header says: samples per channel, rate in Hz, channels."""

    n_samples: int
    sample_rate: int
    channels: int

    @property
    def duration_s(self) -> float:
        return self.n_samples / self.sample_rate


def channel_index(word: str | None) -> int | None:
    """The index of the channel called `near`, `far`, `0`, `1`, …; None stays None.

    Raises:
        UsageError: an unknown word, or `both`: the average of two microphones is neither.
    """
    if word is None or word.isdecimal():
        return None if word is None else int(word)
    if word == "both":
        raise UsageError(
            "--channel both cannot be packed: a clip is one channel",
            "extract near and far into two runs: --channel near --run runs/near, --channel far --run runs/far",
        )
    if word not in CHANNELS:
        raise unknown_name("channel", word, [*CHANNELS, "0", "1"])
    return CHANNELS[word]


def info(path: Path) -> Info:
    """What the header says, checked against the size of a wav (a cut flac shows only when it is read).

    Raises:
        BadAudio: unreadable, neither wav nor flac, truncated, or without a single sample.
    """
    with _opened(path) as file:
        if _magic(path, file) == "flac":
            return _decoder_info(path, file)
        return _walk(path, file).info


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
        channel: index of the channel to take; None demands a mono file.
        resample: bring another rate to `sample_rate` (soxr, high quality) instead of refusing it.
        rounding: round samples finer than 16 bits instead of refusing them.

    Returns:
        (n_samples,) int16, n_samples >= 1.

    Raises:
        BadAudio: truncated, empty, non-finite, another rate, several channels and none chosen, no such channel, samples that
            int16 cannot hold, unreadable, or neither wav nor flac.
    """
    with _opened(path) as file:
        wav = _walk(path, file) if _magic(path, file) == "wav" else None
        found = wav.info if wav else _decoder_info(path, file)
        if found.sample_rate != sample_rate and not resample:
            raise BadAudio(
                path,
                f"sample rate is {found.sample_rate} Hz, expected {sample_rate} Hz",
                "--resample converts, --sample-rate says what to expect",
            )
        if channel is None and found.channels > 1:
            raise BadAudio(path, f"has {found.channels} channels", "choose one: --channel near, --channel far or --channel N")
        if (channel or 0) >= found.channels:
            raise BadAudio(path, f"has no channel {channel}, only {found.channels}", "channels count from 0; near is 0, far 1")
        if wav and wav.is_pcm16:
            exact = _pcm16(path, file, wav)[:, channel or 0]
            if found.sample_rate == sample_rate:
                return np.ascontiguousarray(exact, dtype=np.int16)
            wave = exact / _FULL_SCALE
        else:
            wave = _decoded(path, file, found)[:, channel or 0]
    if found.sample_rate != sample_rate:
        return _to_int16(path, _resampled(wave, found.sample_rate, sample_rate), rounding=True, saturate=True)
    return _to_int16(path, wave, rounding=rounding)


@dataclass(frozen=True)
class _Wav:
    """Where the sound lies in a wav file."""

    info: Info
    is_pcm16: bool
    data_start: int


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise BadAudio(path, f"cannot be opened: {error.strerror}") from None


def _magic(path: Path, file: BinaryIO) -> str:
    """`wav` or `flac` by the file's first bytes; the position is back at 0."""
    try:
        head = file.read(16)
    except OSError as error:
        raise BadAudio(path, f"cannot be read: {error.strerror}") from None
    file.seek(0)
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"fLaC":
        return "flac"
    if not head:
        raise BadAudio(path, "is empty: 0 bytes", "fetch the file again")
    web_page = head.lstrip().lower().startswith((b"<!doc", b"<html", b"<?xml"))
    raise BadAudio(
        path,
        f"is neither wav nor flac: begins with {head!r}",
        "a web page was saved under this name: fetch the file again" if web_page else None,
    )


def _walk(path: Path, file: BinaryIO) -> _Wav:
    """Walk the RIFF chunks up to the sound and hold the header's promise against the size of the file."""
    size = os.fstat(file.fileno()).st_size
    position, fmt = 12, b""
    while True:
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            raise BadAudio(path, f"is truncated: {size} bytes end before the sound begins", "fetch the file again")
        n_bytes = int.from_bytes(head[4:], "little")
        position += 8
        if head[:4] == b"data":
            break
        if head[:4] == b"fmt ":
            fmt = file.read(min(n_bytes, 40))
        position += n_bytes + n_bytes % 2  # chunks are padded to even length
    if len(fmt) < 16:
        raise BadAudio(path, "is a wav without a format before its sound")
    tag, channels, rate = (int.from_bytes(fmt[a:b], "little") for a, b in ((0, 2), (2, 4), (4, 8)))
    frame_bytes, bits = int.from_bytes(fmt[12:14], "little"), int.from_bytes(fmt[14:16], "little")
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        tag = int.from_bytes(fmt[24:26], "little")
    if not (channels and rate and frame_bytes):
        raise BadAudio(path, f"has an impossible wav header: {channels} channels, {rate} Hz, {frame_bytes} bytes a frame")
    if position + n_bytes > size:
        raise BadAudio(
            path,
            f"is truncated: its header promises {n_bytes} bytes of sound, {size - position} are there",
            "fetch the file again",
        )
    found = Info(n_bytes // frame_bytes, rate, channels)
    if found.n_samples == 0:
        raise BadAudio(path, "holds no sound: 0 samples")
    return _Wav(found, tag == _PCM and bits == 16 and frame_bytes == 2 * channels, position)


def _pcm16(path: Path, file: BinaryIO, wav: _Wav) -> np.ndarray:
    """(n_samples, channels) little-endian int16, straight from the file."""
    samples = np.empty((wav.info.n_samples, wav.info.channels), "<i2")
    file.seek(wav.data_start)
    try:
        n_read = file.readinto(samples.data.cast("B"))  # type: ignore[attr-defined]
    except OSError as error:
        raise BadAudio(path, f"cannot be read: {error.strerror}") from None
    if n_read != samples.nbytes:
        raise BadAudio(path, f"is truncated: {n_read} of {samples.nbytes} bytes of sound could be read")
    return samples


def _decoder_info(path: Path, file: BinaryIO) -> Info:
    import soundfile  # only for what is no 16-bit wav

    try:
        with soundfile.SoundFile(file) as sound:
            found = Info(sound.frames, sound.samplerate, sound.channels)
    except soundfile.LibsndfileError as error:
        raise BadAudio(path, f"cannot be decoded: {error.error_string}") from None
    file.seek(0)
    if found.n_samples == 0:
        raise BadAudio(path, "holds no sound: 0 samples")
    if found.n_samples >= 2**62:  # libsndfile's word for "the header does not say"
        raise BadAudio(path, "does not say how long it is, so that a cut could not be noticed", "encode the file again")
    return found


def _decoded(path: Path, file: BinaryIO, found: Info) -> np.ndarray:
    """(n_samples, channels) float64 in [-1, 1), exact for every PCM and float format."""
    import soundfile

    file.seek(0)
    try:
        wave, _ = soundfile.read(file, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise BadAudio(path, f"cannot be decoded: {error.error_string}") from None
    if len(wave) != found.n_samples:
        raise BadAudio(
            path,
            f"is truncated: its header promises {found.n_samples} samples, {len(wave)} are there",
            "fetch the file again",
        )
    bad = np.flatnonzero(~np.isfinite(wave).all(axis=1))
    if len(bad):
        raise BadAudio(path, f"holds NaN or infinite samples: {len(bad)} of {len(wave)}, the first at {bad[0]}")
    return wave


def _resampled(wave: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    import soxr

    return soxr.resample(wave, from_hz, to_hz, quality="HQ")


def _to_int16(path: Path, wave: np.ndarray, *, rounding: bool, saturate: bool = False) -> np.ndarray:
    """Float samples as int16. A resampling filter overshoots by a little: that, and only that, may saturate."""
    scaled = wave * _FULL_SCALE
    rounded = np.rint(scaled)
    if not rounding and not np.array_equal(rounded, scaled):
        raise BadAudio(
            path, "has samples finer than 16 bits, which a pack cannot hold without loss", "--round rounds them to 16 bits"
        )
    if not saturate and (rounded.min() < -_FULL_SCALE or rounded.max() >= _FULL_SCALE):
        # a float wav at exactly +1.0 is one step above int16: round it down where rounding is allowed
        if not rounding or np.abs(rounded).max() > _FULL_SCALE:
            peak = np.abs(wave).max()
            raise BadAudio(path, f"exceeds full scale: its peak is {peak:.3g}, int16 ends at 1", "scale the recording down")
    return np.clip(rounded, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
