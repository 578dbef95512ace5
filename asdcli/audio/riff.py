"""Wav files by hand: where the sound lies, and whether all of it is there.

A decoder takes half a file for a whole one. The walk over the chunks that shows the cut also shows where 16-bit samples
lie, so these need no decoder at all.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from asdcli.audio.bad import BadAudio

_PCM, _EXTENSIBLE = 1, 0xFFFE  # format tags


@dataclass(frozen=True)
class Wav:
    """The sound of a wav file: frames (one sample a channel), rate in Hz, channels, first byte."""

    n_frames: int
    sample_rate: int
    channels: int
    is_pcm16: bool
    start: int


def walk(path: Path, file: BinaryIO) -> Wav:
    """Walk the chunks up to the sound and hold what the header promises against the size of the file.

    Raises:
        BadAudio: truncated, or an impossible header.
    """
    size = os.fstat(file.fileno()).st_size
    position, fmt = 12, b""
    while True:
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            raise BadAudio(path, f"is truncated: its {size} bytes end before the sound begins", "fetch the file again")
        n_bytes = int.from_bytes(head[4:], "little")
        position += 8
        if head[:4] == b"data":
            break
        if head[:4] == b"fmt ":
            fmt = file.read(min(n_bytes, 40))
        position += n_bytes + n_bytes % 2  # chunks are padded to an even length
    if len(fmt) < 16:
        raise BadAudio(path, "is a wav without a format before its sound")
    tag, channels, rate, frame_bytes, bits = (
        int.from_bytes(fmt[a:b], "little") for a, b in ((0, 2), (2, 4), (4, 8), (12, 14), (14, 16))
    )
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        tag = int.from_bytes(fmt[24:26], "little")
    if not (channels and rate and frame_bytes):
        raise BadAudio(path, f"has an impossible header: {channels} channels, {rate} Hz, {frame_bytes} bytes a frame")
    if position + n_bytes > size:
        raise BadAudio(
            path,
            f"is truncated: its header promises {n_bytes} bytes of sound, {size - position} are there",
            "fetch the file again",
        )
    is_pcm16 = tag == _PCM and bits == 16 and frame_bytes == 2 * channels
    return Wav(n_bytes // frame_bytes, rate, channels, is_pcm16, position)


def pcm16(path: Path, file: BinaryIO, wav: Wav) -> np.ndarray:
    """(n_frames, channels) little-endian int16, straight from the file. Raises BadAudio where it ends too soon."""
    samples = np.empty((wav.n_frames, wav.channels), "<i2")
    file.seek(wav.start)
    n_read = file.readinto(samples.data.cast("B"))  # type: ignore[attr-defined]
    if n_read != samples.nbytes:
        raise BadAudio(path, f"is truncated: {n_read} of {samples.nbytes} bytes of sound could be read")
    return samples
