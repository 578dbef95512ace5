"""Wav files by hand: where the sound lies, and whether all of it is there.

A decoder takes half a file for a whole one. The walk over the chunks that shows the cut also shows where 16-bit samples
lie, so these need no decoder at all. RIFF, its big-endian RIFX, and RF64 (beyond 4 GB) are walked alike.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from asdcli.audio.bad import BadAudio

BYTE_ORDER: dict[bytes, Literal["little", "big"]] = {b"RIFF": "little", b"RIFX": "big", b"RF64": "little"}
"""How a file that is walked here begins -> the order of the bytes in its numbers."""

_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE  # format tags
_COUNTED = {_PCM, _FLOAT, _A_LAW, _MU_LAW}  # a frame of these takes the bytes that the format says; others compress
_IN_DS64 = 0xFFFFFFFF  # RF64 keeps the size in its first chunk
UNKNOWN_SIZES = {0xFFFFFFFF, 0xFFFFFFFE, 0x80000000, 0x7FFFFFFF, 0x7FFFFFFE, 0x7FFFF000}
"""Sizes that ffmpeg, SoX, arecord and others write where they cannot go back to write the real one: into a pipe."""

PIPE = "its header does not say how long it is: read to its end, as what was written to a pipe must be"
SHORT = "its header may say too little"


@dataclass(frozen=True)
class Wav:
    """The sound of a wav file.

    Attributes:
        n_frames: one sample a channel; None where the format compresses, so that only a decoder can tell.
        sample_rate: in Hz.
        channels: how many.
        is_pcm16: samples lie there as little-endian int16.
        is_fine: samples may be finer than 16 bits.
        start: first byte of the sound.
        note: what is odd about the header though the file can be read, its kind before a colon.
    """

    n_frames: int | None
    sample_rate: int
    channels: int
    is_pcm16: bool
    is_fine: bool
    start: int
    note: str | None = None


def walk(path: Path, file: BinaryIO) -> Wav:
    """Walk the chunks up to the sound and hold what the header promises against the size of the file.

    Raises:
        BadAudio: truncated, or an impossible header.
    """
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    order = BYTE_ORDER[file.read(4)]
    position, fmt, promised = 12, b"", 0
    while True:
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            raise BadAudio(path, f"is truncated: its {size} bytes end before the sound begins", "fetch the file again")
        n_bytes = int.from_bytes(head[4:], order)
        position += 8
        if head[:4] == b"data":
            break
        if head[:4] == b"fmt ":
            fmt = file.read(min(n_bytes, 40))
        elif head[:4] == b"ds64":
            promised = int.from_bytes(file.read(16)[8:], order)
        position += n_bytes + n_bytes % 2  # chunks are padded to an even length
    if len(fmt) < 16:
        raise BadAudio(path, "is a wav without a format before its sound")
    tag, channels, rate, frame_bytes, bits = (
        int.from_bytes(fmt[a:b], order) for a, b in ((0, 2), (2, 4), (4, 8), (12, 14), (14, 16))
    )
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        tag = int.from_bytes(fmt[24:26], order)
    if not (channels and rate and frame_bytes):
        raise BadAudio(path, f"has an impossible header: {channels} channels, {rate} Hz, {frame_bytes} bytes a frame")
    if n_bytes == _IN_DS64 and promised:
        n_bytes = promised
    n_bytes, note = _checked(path, file, position, n_bytes, size, order)
    is_pcm16 = tag == _PCM and bits == 16 and frame_bytes == 2 * channels and order == "little"
    is_fine = tag == _FLOAT or (tag == _PCM and bits > 16)
    n_frames = n_bytes // frame_bytes if tag in _COUNTED else None
    return Wav(n_frames, rate, channels, is_pcm16, is_fine, position, note)


def _checked(
    path: Path, file: BinaryIO, start: int, n_bytes: int, size: int, order: Literal["little", "big"]
) -> tuple[int, str | None]:
    """How many bytes of sound there are, and what is odd about it. Raises BadAudio where the file is cut."""
    end = start + n_bytes
    if end > size:
        if n_bytes in UNKNOWN_SIZES:
            return size - start, PIPE
        raise BadAudio(
            path,
            f"is truncated: its header promises {n_bytes} bytes of sound, {size - start} are there",
            "fetch the file again",
        )
    if size - end < 8 or any(_is_chunk(file, place, size, order) for place in (end + n_bytes % 2, end)):
        return n_bytes, None
    if not n_bytes:
        raise BadAudio(
            path,
            f"holds no sound by its header: but {size - end} bytes follow, as where a recorder lost power",
            "write its header anew, for example with: sox --ignore-length IN.wav OUT.wav",
        )
    return n_bytes, f"{SHORT}: {size - end} bytes that are no chunk follow the {n_bytes} of its sound"


def _is_chunk(file: BinaryIO, place: int, size: int, order: Literal["little", "big"]) -> bool:
    """Whether a chunk begins at `place`: four printable letters, and a length that fits into the file."""
    file.seek(place)
    head = file.read(8)
    end = place + 8 + int.from_bytes(head[4:], order)
    return len(head) < 8 or (end <= size + 1 and all(0x20 <= letter < 0x7F for letter in head[:4]))  # + 1: a lost pad


def pcm16(path: Path, file: BinaryIO, wav: Wav) -> np.ndarray:
    """(n_frames, channels) little-endian int16, straight from the file. Raises BadAudio where it ends too soon."""
    (samples,) = pcm16_blocks(path, file, wav, wav.n_frames or 0)
    return samples


def pcm16_blocks(path: Path, file: BinaryIO, wav: Wav, block: int) -> Iterator[np.ndarray]:
    """The same in pieces of `block` samples a channel, the last one shorter: (n_block, channels)."""
    file.seek(wav.start)
    n_frames, done = wav.n_frames or 0, 0
    while done < n_frames:
        samples = np.empty((min(block, n_frames - done), wav.channels), "<i2")
        n_read = file.readinto(samples.data.cast("B"))  # type: ignore[attr-defined]
        done += len(samples)
        if n_read != samples.nbytes:
            whole, there = n_frames * 2 * wav.channels, (done - len(samples)) * 2 * wav.channels + n_read
            raise BadAudio(path, f"is truncated: {there} of {whole} bytes of sound could be read")
        yield samples
