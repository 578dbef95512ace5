"""Reading audio: the only part of the package that opens audio files.

Every reader we know returns what it finds: half a file without a word, zero frames, NaN. So a clip is checked here,
once, and what leaves is whole, finite, one channel of int16 PCM at the rate that was asked for. A path may be that of
a part of a file (`parts`): what is said and read is then of the part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from asdcli.audio.bad import BadAudio
from asdcli.audio.channels import channel_index
from asdcli.audio.convert import FULL_SCALE, resampled, resampled_blocks, to_int16
from asdcli.audio.files import opened
from asdcli.audio.parts import file_of, split
from asdcli.audio.riff import BYTE_ORDER, Wav, pcm16, pcm16_blocks, walk
from asdcli.audio.two_microphones import residual
from asdcli.vocabulary import BOTH, MEAN, RESIDUAL

__all__ = [
    "BOTH",
    "MEAN",
    "RESIDUAL",
    "SAMPLE_RATE",
    "BadAudio",
    "Info",
    "blocks",
    "channel_index",
    "file_of",
    "info",
    "read",
]

SAMPLE_RATE = 16_000
_BLOCK = 1 << 19  # samples of a channel that are read at once


@dataclass(frozen=True)
class Info:
    """What a file's header says.

    Attributes:
        n_samples: per channel.
        sample_rate: in Hz.
        channels: how many.
        is_fine: samples may be finer than 16 bits (24 bits, floats, what lossy codecs decode to).
        note: what is odd about the header though the file can be read, its kind before a colon.
    """

    n_samples: int
    sample_rate: int
    channels: int
    is_fine: bool = False
    note: str | None = None

    @property
    def duration_s(self) -> float:
        return self.n_samples / self.sample_rate


def info(path: Path) -> Info:
    """What the header says, checked against the size of the file (a cut flac, mp3 or ogg shows when it is read).

    Raises:
        BadAudio: unreadable, no audio, truncated, or without a single sample.
    """
    with opened(file_of(path)) as file:
        return _info(path, file).info


def read(
    path: Path,
    *,
    sample_rate: int = SAMPLE_RATE,
    channel: int | str | None = None,
    resample: bool = False,
    rounding: bool = False,
    gain: float | None = None,
) -> np.ndarray:
    """One channel of a clip as int16 PCM, bit for bit unless `resample`, `rounding` or `gain` allow otherwise.

    Args:
        path: a file that libsndfile reads.
        sample_rate: expected rate in Hz.
        channel: index of the channel to take, `MEAN` of all (which rounds), or `RESIDUAL`: the first without what the
            second explains of it (which rounds, at a joint peak of its own); None demands a file of one channel.
        resample: bring another rate to `sample_rate` (soxr, high quality) instead of refusing it.
        rounding: round samples finer than 16 bits instead of refusing them.
        gain: multiply all samples by it, which rounds.

    Returns:
        (n_samples,) int16, n_samples >= 1.

    Raises:
        BadAudio: unreadable, no audio, truncated, empty, non-finite, another rate, several channels and none chosen,
            no such channel, no second one for a residual, or samples that int16 cannot hold.
    """
    wave, exact = _wave(path, sample_rate, channel, resample)
    if gain is not None:
        wave, exact = _floats(wave) * gain, False
    return wave if wave.dtype == np.int16 else to_int16(path, wave, rounding=rounding or not exact)


def blocks(
    path: Path,
    *,
    sample_rate: int = SAMPLE_RATE,
    channel: int | str | None = None,
    resample: bool = False,
    rounding: bool = False,
    gain: float | None = None,
) -> Iterator[np.ndarray]:
    """The same samples as of `read`, bit for bit, a block after the other: memory does not grow with the file.

    A residual of two microphones comes as one block: what the far one explains shows in the whole recording only.
    Arguments and errors are those of `read`; what is wrong with the file shows when its place is reached.

    Yields:
        (n_block,) int16, n_block >= 1.
    """
    if channel == RESIDUAL:
        yield read(path, sample_rate=sample_rate, channel=channel, resample=resample, rounding=rounding, gain=gain)
        return
    with opened(file_of(path)) as file:
        header, chosen = _chosen(path, file, sample_rate, channel, resample)
        found, wav = header.info, header.wav
        exact = _is_exact(found, sample_rate, channel) and gain is None
        if wav and wav.is_pcm16:
            raw = pcm16_blocks(path, file, wav, _BLOCK)
        else:
            from asdcli.audio.decoder import decoded_blocks

            raw = decoded_blocks(path, file, found.n_samples, _BLOCK, start=header.start)
        waves: Iterable[np.ndarray] = (_one_channel(block, channel, chosen) for block in raw)
        if found.sample_rate != sample_rate:
            waves = resampled_blocks(path, map(_floats, waves), found.sample_rate, sample_rate)
        for wave in waves:
            if gain is not None:
                wave = _floats(wave) * gain
            if wave.dtype == np.float64:
                yield to_int16(path, wave, rounding=rounding or not exact)
            else:
                yield np.ascontiguousarray(wave, np.int16)


def peak(
    path: Path, *, sample_rate: int = SAMPLE_RATE, channel: int | str | None = None, resample: bool = False
) -> float:
    """The largest absolute sample of one channel of a clip, 1 at full scale; beyond it where the file holds floats.

    Arguments and errors are those of `read`, but that samples beyond full scale are what is looked for.
    """
    wave, _ = _wave(path, sample_rate, channel, resample)
    return float(np.abs(_floats(wave)).max())


def _floats(wave: np.ndarray) -> np.ndarray:
    """int16 or float64 samples as float64, 1 at full scale."""
    return wave if wave.dtype == np.float64 else wave / FULL_SCALE


def _wave(path: Path, sample_rate: int, channel: int | str | None, resample: bool) -> tuple[np.ndarray, bool]:
    """(n_samples,) of one channel: int16 where they lie in the file as such, else float64; and whether it is exact."""
    with opened(file_of(path)) as file:
        header, chosen = _chosen(path, file, sample_rate, channel, resample)
        found, wav = header.info, header.wav
        if wav and wav.is_pcm16:
            wave = pcm16(path, file, wav)
        else:
            from asdcli.audio.decoder import decode

            wave = decode(path, file, found.n_samples, start=header.start)
    exact = _is_exact(found, sample_rate, channel)
    wave = _one_channel(wave, channel, chosen)
    if found.sample_rate != sample_rate:
        wave = resampled(path, _floats(wave), found.sample_rate, sample_rate)
    if channel == RESIDUAL:
        near, far = _floats(wave).T
        wave, exact = residual(near, far), False
    return np.ascontiguousarray(wave, None if wave.dtype == np.float64 else np.int16), exact


def _is_exact(found: Info, sample_rate: int, channel: int | str | None) -> bool:
    """Whether neither another rate nor a mean makes samples that are not in the file."""
    return found.sample_rate == sample_rate and not (channel == MEAN and found.channels > 1)


def _one_channel(wave: np.ndarray, channel: int | str | None, chosen: int) -> np.ndarray:
    """(n,) of (n, n_channels): the chosen one, or the mean of several; (n, 2) of which a residual is made."""
    if channel == MEAN and wave.shape[1] > 1:
        mean: np.ndarray = _floats(wave).mean(axis=1)
        return mean
    return wave[:, :2] if channel == RESIDUAL else wave[:, chosen]


def _chosen(
    path: Path, file: BinaryIO, sample_rate: int, channel: int | str | None, resample: bool
) -> tuple[_Header, int]:
    """What the header says, and the channel to take. Raises BadAudio where that is not what was asked for."""
    header = _info(path, file)
    found = header.info
    if found.sample_rate != sample_rate and not resample:
        raise BadAudio(
            path,
            f"sample rate is {found.sample_rate} Hz, expected {sample_rate} Hz",
            "--resample converts it, --sample-rate says what to expect",
        )
    if channel is None and found.channels > 1:
        raise BadAudio(
            path, f"has {found.channels} channels", f"choose: --channel both, mean, or 0 to {found.channels - 1}"
        )
    if channel == RESIDUAL and found.channels < 2:
        raise BadAudio(
            path,
            "has 1 channel, and a residual is of two: the near microphone without what the far one explains",
            "choose another: --channel 0",
        )
    chosen = 0 if isinstance(channel, str) else channel or 0
    if chosen >= found.channels:
        raise BadAudio(path, f"has no channel {chosen}: it has {found.channels}", "channels are counted from 0")
    return header, chosen


@dataclass(frozen=True)
class _Header:
    """What a file's header says of it, or of the part that is meant, of which `start` is the first frame."""

    info: Info
    wav: Wav | None
    start: int | None = None


def _info(path: Path, file: BinaryIO) -> _Header:
    head = file.read(16)
    wav = None
    if head[:4] in BYTE_ORDER and head[8:12] == b"WAVE":
        wav = walk(path, file)
    if wav and wav.n_frames is not None:
        found = Info(wav.n_frames, wav.sample_rate, wav.channels, wav.is_fine, wav.note)
    else:
        if not head:
            raise BadAudio(path, "is empty: 0 bytes", "fetch the file again")
        from asdcli.audio.decoder import header

        said = header(path, file, trusted=wav is not None)
        found = Info(said.n_frames, said.sample_rate, said.channels, said.is_fine, wav.note if wav else said.note)
    if found.n_samples <= 0:
        raise BadAudio(path, "holds no sound: 0 samples")
    part = split(path)[1]
    if part is None:
        return _Header(found, wav)
    start, n = part.frames(path, found.n_samples, found.sample_rate)
    if wav and wav.is_pcm16:
        wav = replace(wav, start=wav.start + 2 * wav.channels * start, n_frames=n)
    return _Header(replace(found, n_samples=n), wav, start)
